/* SPDX-License-Identifier: Apache-2.0 */
/* store_create.h — a new computation, under another name than its manifest's. */
#pragma once

#include "computations/store/store.h"

/* As store_create(), which calls it by the manifest's. ERR_EXISTS also when the name is taken in this workspace (store_name.h). */
int store_create_called(struct store *store, int64_t workspace,
			const Cvms__ComputationRunReq *manifest, const char *name,
			struct err *e) MUST_CHECK;
