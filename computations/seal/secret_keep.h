/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_keep.h — rows of sealed secrets (secret.h), by what they are and whose.
 *
 * Blocking; for whoever has the store's database (store.h). `secrets` NULL: no key is open, and nothing is sealed or opened.
 */
#pragma once

#include "common/db/db.h"
#include "computations/seal/secret.h"

/* What secrets are there; one more is one more row of secret_kinds. */
struct secret_kind {
	const char *word;         /* as rows have it */
	const char *what, *again; /* what it is to people, and what they do when it is gone */
	const char *one, *many;   /* how it is counted */
};
enum { SECRET_KINDS = 5 };
extern const struct secret_kind *const secret_kinds[SECRET_KINDS];
extern const struct secret_kind secret_agent, secret_totp, secret_webhook, secret_webhook_before,
	secret_mail;

/* Whose it is where that is a number. */
struct secret_owner {
	char text[24];
};
struct secret_owner secret_owner_of(int64_t number);

/* In place of one that is there. */
int secret_keep(struct db *db, const struct secret_key *secrets, const struct secret_kind *kind,
		const char *owner, const void *bytes, size_t len, struct err *e) MUST_CHECK;
/* 1: `*bytes` for secret_free(), a zero byte behind them; 0: there is none. ERR_PRECONDITION: it is gone, or sealed under
 * another key than `secrets`; ERR_DATA_LOSS: it is not what was sealed. */
int secret_get(struct db *db, const struct secret_key *secrets, const struct secret_kind *kind,
	       const char *owner, uint8_t **bytes, size_t *len, struct err *e) MUST_CHECK;
/* The same of one that has `size` bytes, or it is ERR_DATA_LOSS; `bytes` has room for them. */
int secret_get_exactly(struct db *db, const struct secret_key *secrets,
		       const struct secret_kind *kind, const char *owner, void *bytes, size_t size,
		       struct err *e) MUST_CHECK;
int secret_forget(struct db *db, const struct secret_kind *kind, const char *owner,
		  struct err *e) MUST_CHECK;
