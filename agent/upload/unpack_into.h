/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack_into.h — a dataset's zip to its place, which is no file; for this room only. Blocking.
 */
#pragma once

#include "agent/computation/computation.h"

#include <stdatomic.h>

struct unpack_into {
	int dir; /* datasets/, or that of caches; -1: none */
	struct manifest_place place;
	struct manifest_place reserved_places[MANIFEST_DATASETS_MAX];
	const char *reserved[MANIFEST_DATASETS_MAX + 1];
};

/* Every other dataset's place is its own. unpack_into_done() in every case. */
int unpack_into_init(struct unpack_into *to, const struct computation *c, const struct asset *asset,
		     const struct manifest_place *place, struct err *e) MUST_CHECK;
void unpack_into_done(struct unpack_into *to);

/* Whole or not at all; nothing is unpacked over another dataset (ERR_PRECONDITION, with the path), nor more than the disk has
 * room for. */
int unpack_into_run(const struct unpack_into *to, const char *zip, const atomic_bool *cancel,
		    struct err *e) MUST_CHECK;
