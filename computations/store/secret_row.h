/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_row.h — the row of a computation's sealed secret: its agent's private key.
 *
 * Blocking; for whoever has the store's database (store.h). `secrets` NULL: no key is open, and nothing is sealed or opened.
 */
#pragma once

#include "common/db/db.h"
#include "common/manifest/manifest.h"
#include "computations/seal/secret.h"

/* What is kept of a manifest: a copy without the private key, which lends all else. */
struct secret_row_kept {
	Cvms__ComputationRunReq manifest;
	Cvms__AgentConfig config;
};

/* Takes the key out of what is to be kept, and keeps it sealed if there is one. */
int secret_row_take(struct db *db, const struct secret_key *secrets,
		    const Cvms__ComputationRunReq *manifest, struct secret_row_kept *kept,
		    struct err *e) MUST_CHECK;
/* 1: `*bytes` is that key, a text of `*len`, for secret_free(); 0: there is none. ERR_PRECONDITION: it is gone, or sealed under
 * another key than `secrets`. */
int secret_row_get(struct db *db, const struct secret_key *secrets, const char *id, uint8_t **bytes,
		   size_t *len, struct err *e) MUST_CHECK;
/* Whether the computation can be sent: as secret_row_get(), in its words, where there is one. */
int secret_row_check(struct db *db, const struct secret_key *secrets, const char *id,
		     struct err *e) MUST_CHECK;
/* Forgets it if the computation is where no agent gets its manifest any more: it was completed. */
int secret_row_settle(struct db *db, const char *id, struct err *e) MUST_CHECK;
/* Of a computation that is removed. */
int secret_row_forget(struct db *db, const char *id, struct err *e) MUST_CHECK;
