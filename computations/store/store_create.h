/* SPDX-License-Identifier: Apache-2.0 */
/* store_create.h — a new computation, under another name than its manifest's. */
#pragma once

#include "computations/store/store.h"

/* As store_create(), which calls it by the manifest's. ERR_EXISTS also when the name is taken in this workspace (store_name.h). */
int store_create_called(struct store *store, int64_t workspace,
			const Cvms__ComputationRunReq *manifest, const char *name,
			struct err *e) MUST_CHECK;
/* For a transaction that does not stay: one of that id, name and creator (0: who administers the service) that takes its place,
 * and is nothing else. Fine if there is one of that id. */
int store_create_stand_in(struct db *db, int64_t workspace, const char *id, const char *name,
			  int64_t creator, struct err *e) MUST_CHECK;
