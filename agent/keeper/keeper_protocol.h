/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_protocol.h — the packets between agent and keeper. Integers are big-endian.
 *
 * Request: number(4) type(1) content, one packet. Answer: number(4) code(1) more(1) content, where
 * `number` is the request's, `code` as in err.h (then the content is the error's text), and while
 * `more` is 1 the content goes on in the next packet. The keeper answers in order.
 *
 * There is no request that takes report data: CHANNEL, NONCE and RUN are the forms of binding.h,
 * computed in the keeper. Nor is there one that takes bytes to sign as they are: heads of a journal are
 * computed here, and what a receipt says, which the keeper does not read, is signed as a receipt's and nothing
 * else's. Neither before RUN has named their key, but on a machine that makes no evidence, where nothing
 * vouches for that key.
 */
#pragma once

#include "agent/keeper/keeper_log.h"
#include "attestation/journal/journal_head.h"
#include "attestation/provider/provider_tpm_ak.h"
#include "attestation/token/run_statement.h"

enum keeper_request {
	KEEPER_CHECK = 1, /* vmpl(1) → measured(1) type(1) text; the first one's VMPL counts */
	KEEPER_MEASURE_BOOT = 2,     /* digests → measured(1) fixed(1) */
	KEEPER_MEASURE_CONFIG = 3,   /* digests → measured(1) fixed(1) */
	KEEPER_MEASURE_MANIFEST = 4, /* the same */
	KEEPER_LOG = 5,      /* → per entry: pcr(1) event(1) sha256_bank(32) sha384_bank(48) */
	KEEPER_IDENTITY = 6, /* SPKI → measured(1) fixed(1); once */
	KEEPER_RUN = 7,      /* run statement → evidence; once for each manifest */
	KEEPER_CHANNEL = 8,  /* hash(1) exporter(32) → evidence; after RUN */
	KEEPER_NONCE =
		9,       /* type(1) length(1) TEE's, length(1) TPM's → evidence; after the boot's */
	KEEPER_IMA = 10, /* → parts: the kernel's log, PCR10 */
	KEEPER_ENDORSEMENT = 11, /* → parts: AK, its certificate, EK, its certificate */
	KEEPER_ACTIVATE = 12,    /* length(2) blob, length(2) secret → parts: the secret */
	KEEPER_JOURNAL_KEY = 13, /* → parts: SPKI; once between a manifest and its RUN */
	KEEPER_JOURNAL_SIGN =
		14, /* final(1), entries' digests(32 each) → parts: the signed head; after RUN */
	KEEPER_RECEIPT = 15, /* what a receipt says → parts: COSE_Sign1; after RUN */
};
/* Evidence: type(1) as on the wire, then as parts raw evidence, TEE report, TPM nonce, event log whole, event log
 * of the agent alone; a part is length(4) and so many bytes. */

enum {
	KEEPER_HEAD_LEN = 5,
	KEEPER_ANSWER_HEAD_LEN = 6,
	KEEPER_DIGESTS_LEN = 32 + 48, /* SHA3-256, SHA3-384 */
	KEEPER_ENTRY_LEN = 2 + KEEPER_DIGESTS_LEN,
	KEEPER_REQUEST_MAX = KEEPER_HEAD_LEN + JOURNAL_RECEIPT_MAX, /* the largest of them */
	KEEPER_RECEIPTS_MAX = 16,                                   /* of one computation */
	KEEPER_PIECE_MAX = 32 << 10,                                /* of content in one packet */
	KEEPER_CONTENT_MAX = KEEPER_IMA_MAX + 4096,                 /* the largest answer */
};
