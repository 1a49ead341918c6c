/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oidc_client.h — what is asked of one provider, and kept of its answers for a while: its discovery document and its
 * keys. Blocks; one thread at a time.
 */
#pragma once

#include "computations/oidc/discovery.h"
#include "computations/oidc/provider_table.h"

#include <stdatomic.h>

enum {
	OIDC_DEADLINE_MS = 10000, /* of all that one browser waits for */
	OIDC_KEEP_MS = 3600000,   /* a document, or keys */
	OIDC_REFETCH_MS = 60000,  /* keys again, for a kid that is unknown */
	OIDC_URL_MAX = 4096,
	OIDC_CODE_MAX = 2048,
	OIDC_SECRET_MAX = 128, /* of ours: state, nonce, verifier */
};

struct oidc_client;

/* `table`, `row` and `stopped` outlive it. `redirect`: where browsers come back to, malloc'ed; taken over. */
int oidc_client_new(const struct provider_table *table, const struct provider *row, char *redirect,
		    const atomic_bool *stopped, struct oidc_client **made,
		    struct err *e) MUST_CHECK;
void oidc_client_free(struct oidc_client *client);

/* Fetches what it says of itself, and its keys, as signing in does. `deadline`: ms of CLOCK_MONOTONIC. */
int oidc_client_look(struct oidc_client *client, int64_t deadline, struct err *e) MUST_CHECK;

struct oidc_begin {
	const char *state, *nonce, *verifier;
	char url[OIDC_URL_MAX]; /* filled in: where the browser goes */
};
/* `deadline`: ms of CLOCK_MONOTONIC. */
int oidc_client_begin(struct oidc_client *client, struct oidc_begin *begin, int64_t deadline,
		      struct err *e) MUST_CHECK;

struct oidc_finish {
	/* A code of OIDC_CODE_MAX at most; issuer NULL: the answer did not say one. */
	const char *code, *issuer, *nonce, *verifier;
	/* Filled in. */
	char subject[IDENTITY_SUBJECT_MAX + 1];
	char name[PEOPLE_NAME_MAX + 1]; /* for a new user; "": none that one could have */
	struct provider_matches matches;
	bool strong;
};
/* ERR_DENIED, ERR_INVALID: the provider says no, or nothing that could be believed; ERR_UNAVAILABLE and others: it does
 * not answer. */
int oidc_client_finish(struct oidc_client *client, struct oidc_finish *finish, int64_t deadline,
		       struct err *e) MUST_CHECK;
