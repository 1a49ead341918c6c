/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result_receipt.h — the receipt of the results that `result` fetches: asked for before them, judged by
 * all that is known of the agent, and written beside them.
 */
#pragma once

#include "attestation/receipt/receipt.h"
#include "cli/client/client.h"
#include "common/crypto/key.h"

struct result_receipt {
	uint8_t *bytes; /* NULL: there is none */
	size_t len;
	uint8_t manifest[SHA3_256_LEN]; /* of the computation, as the agent says */
	bool has_manifest;
	bool asked;
	bool is_closed; /* a provider's copy will do, which says of no results */
	struct err why; /* there is none */
	char *name;     /* of the file that it was kept in; NULL: in none */
};
void result_receipt_done(struct result_receipt *r);
#define CLEANUP_RESULT_RECEIPT __attribute__((cleanup(result_receipt_done)))

/* Asks for it, once, and judges all but the file. 0 also where the agent has none to give; fails where
 * the connection does, with ERR_PRECONDITION while there are no results, and with ERR_DENIED for a receipt
 * that does not hold: then nothing should be fetched. */
int result_receipt_fetch(struct result_receipt *r, struct client *client, EVP_PKEY *key,
			 bool role_signature, struct err *e) MUST_CHECK;

/* The same for whoever has a part in the computation and fetches the receipt alone: asked for as consumer,
 * then as each kind of provider, until one is the key's. Here an agent that has none to give is an error. */
int result_receipt_get(struct result_receipt *r, struct client *client, EVP_PKEY *key,
		       struct err *e) MUST_CHECK;

/* Does the connection's policy say who signed a receipt? If not, its form alone is judged. */
bool result_receipt_says_who(const struct client *client);

/* Is the file that was fetched the one? ERR_DENIED if it is not; 0 where there is no receipt. */
int result_receipt_is_of(const struct result_receipt *r, int results, struct err *e) MUST_CHECK;

/* Writes it where the receipt of `results` belongs, before that name is given away: nothing to do where there
 * is none. */
int result_receipt_keep(struct result_receipt *r, const char *results, struct err *e) MUST_CHECK;

/* Says so, once the results have their name; or why there is none. */
void result_receipt_tell(const struct result_receipt *r, const struct client *client,
			 const char *results);

/* The results did not get their name: where their receipt is. */
void result_receipt_left(const struct result_receipt *r);
