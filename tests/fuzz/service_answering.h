/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_answering.h — the computation service of fuzz_service_answers, as the input plays it (rpc_sync_unary), and what it
 * has said in a command.
 */
#pragma once

#include "common/base/reader.h"
#include "common/manifest/confirmation.h"
#include "common/rpc/sync.h"
#include "common/workflow/workflow_message.h"
#include "people.pb-c.h"
#include "tests/fuzz/orders_service_answers.h"

/* What somebody signed, and how it was shown. */
struct answering_made {
	struct confirmation of;
	uint8_t signature[SIGNATURE_MAX];
	size_t signature_len;
};

/* A key in base64, or a digest in hexadecimal, of an asset of that type. */
struct answering_named {
	const char *type; /* NULL: a key */
	char text[SPKI_MAX * 2];
};
enum { ANSWERING_NAMED_MAX = 16 };

struct answering_key {
	EVP_PKEY *key;
	uint8_t *spki;
	size_t len;
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
};

struct service_answering {
	struct reader *in;
	enum sva_wanted wanted;

	/* Of the command. */
	unsigned calls;
	bool is_fine; /* the last head was signed by the log's key, and goes on from what is kept */
	struct answering_made made[SVA_CONFIRMATIONS];
	size_t made_count;
	struct answering_named named[ANSWERING_NAMED_MAX];
	size_t named_count;
	int order; /* the one that was shown, enum sva_workflow; -1: none that is known */

	/* For the life of the program. */
	struct answering_key signers[SVA_SIGNERS]; /* all but the last are named in manifests */
	struct answering_key rsa;
	uint8_t digests[SVA_MANIFESTS - 1][MANIFEST_HASH_LEN];
	struct workflow_order orders[2];
	char ids[2][WORKFLOW_ID_TEXT_LEN + 1];
};
extern struct service_answering service_answering;

/* Once, behind service_log_open(). */
void service_answering_open(void);
/* A new command. */
void service_answering_begin(void);
