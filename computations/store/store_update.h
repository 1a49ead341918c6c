/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_update.h — another manifest for a computation that was not run yet.
 */
#pragma once

#include "computations/store/store.h"

/* Whether its manifest may be changed still, by whoever may. ERR_PRECONDITION: it was run, or waits for the CVM that is made
 * for that: who asked for the run has seen this manifest, and may be the only one who may ask for one. */
int store_update_check(const struct computation *c, struct err *e) MUST_CHECK;

/* A manifest that manifest_check() has passed, in place of the one of its id, with the private key of its agent, or without one
 * from then on. Who was given another name keeps it. ERR_PRECONDITION: as above; ERR_EXISTS: another computation of its
 * workspace has that name. */
int store_update(struct store *store, const Cvms__ComputationRunReq *manifest,
		 struct err *e) MUST_CHECK;
