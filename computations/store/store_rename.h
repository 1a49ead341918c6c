/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_rename.h — what people call a computation. Its manifest, which agents and owners have compared, is not touched.
 */
#pragma once

#include "computations/store/store.h"

struct store_naming {
	char *name;        /* not empty */
	char *description; /* NULL: as it is */
};

/* ERR_NOT_FOUND; ERR_EXISTS: another computation of its workspace is called so. One that keeps its name may, whoever else has
 * it: those of an older service may have one name. */
int store_rename(struct store *store, const char *id, const struct store_naming *to,
		 struct err *e) MUST_CHECK;
