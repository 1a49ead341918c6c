/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confirmed.h — who has compared the digest of a computation's manifest (common/manifest/confirmation.h), verified here:
 * by the manifest that the service shows, whose digest is computed, and the key that it names.
 */
#pragma once

#include "cli/base/json_out.h"
#include "cli/client/client.h"
#include "common/manifest/confirmation.h"
#include "people.pb-c.h"

enum confirmed_verdict { CONFIRMED_VERIFIED, CONFIRMED_STALE, CONFIRMED_RETIRED, CONFIRMED_WRONG };

struct confirmed_row {
	enum confirmed_verdict verdict;
	struct err why; /* it is not verified */
};

struct confirmed {
	const char *id;                    /* the computation, lent */
	People__Confirmations *list;       /* NULL: it is a service that has none */
	struct confirmed_row *rows;        /* one for each of the list */
	Cvms__ComputationRunReq *manifest; /* NULL: it was not asked for */
	uint8_t digest[MANIFEST_HASH_LEN]; /* of that manifest, computed */
	uint8_t service[KEY_FINGERPRINT_LEN];
};
void confirmed_done(struct confirmed *seen);
#define CLEANUP_CONFIRMED __attribute__((cleanup(confirmed_done)))

/* Asks for all of it; for the list alone where that is empty. CLI_NOT_GENUINE: the service is another than the one that
 * was seen there, or says another digest than its manifest has. */
enum cli_exit confirmed_look(struct client *client, const char *id, struct confirmed *seen,
			     struct err *e);
/* The same with the manifest and the service's key, in any case. */
enum cli_exit confirmed_look_whole(struct client *client, const char *id, struct confirmed *seen,
				   struct err *e);

/* The key of that fingerprint in the manifest; NULL: it names none. */
const ProtobufCBinaryData *confirmed_key(const struct confirmed *seen,
					 const uint8_t fingerprint[KEY_FINGERPRINT_LEN]);

void confirmed_print(FILE *out, const struct confirmed *seen);
/* As the member "confirmations". */
void confirmed_to_json(struct json_out *out, const struct confirmed *seen);
/* CLI_NOT_GENUINE: one of them is neither verified nor one that counts no more. */
enum cli_exit confirmed_judge(const struct confirmed *seen, struct err *e);
