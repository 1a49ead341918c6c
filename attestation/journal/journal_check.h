/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_check.h — is this a computation's journal, nothing missing, moved or altered, as its key
 * signed it (docs/journal.md)?
 *
 * The key is the one that the first entry's run statement names. Whose statement that is, the evidence
 * in the journal says: journal_evidence(), which the caller has judged; nothing here does.
 */
#pragma once

#include "attestation/journal/journal_entry.h"
#include "attestation/token/run_statement.h"

#define JOURNAL_FILE_MAX (UINT64_C(1) << 30)

/* Where a reader stands. All zeros at first; journal_check_done() frees. */
struct journal_check {
	struct journal_head head; /* behind the last entry */
	struct journal_head signed_head;
	bool ended;  /* the last entry is 'end' */
	bool closed; /* and its head is signed as the final one */
	uint64_t first_ms, last_ms;
	struct run_statement statement; /* memory NULL: no entry yet */
	uint8_t statement_digest[SHA256_LEN];
	EVP_PKEY *key;
	uint8_t *token; /* of the entry 'evidence'; NULL: none */
	size_t token_len;
	uint64_t token_ms;
};
void journal_check_done(struct journal_check *check);

/* The next item, an entry or a signed head. `*is_entry` says which; `entry` is filled for one, its
 * spans lead into `item`. An entry counts for nothing before a head over it has been checked. */
int journal_check_item(struct journal_check *check, struct span item, struct journal_entry *entry,
		       bool *is_entry, struct err *e) MUST_CHECK;

/* A saved journal: entries, then the one signed head over all of them. `each` may be NULL; it is called
 * for each entry in order, before the head is known to hold. */
typedef void journal_each_fn(void *data, const struct journal_entry *entry);
int journal_check_file(struct journal_check *check, struct span file, journal_each_fn *each,
		       void *data, struct err *e) MUST_CHECK;

/* The digest behind entry `count` of the `head->count` that `file` holds, which have been checked, with or
 * without a head behind them. ERR_OUT_OF_RANGE: it has fewer. */
int journal_check_digest_at(struct span file, const struct journal_head *head, uint64_t count,
			    uint8_t out[SHA256_LEN], struct err *e) MUST_CHECK;

/* The tee nonce that evidence in this computation's journal is asked for with (form NONCE): SHA-512 of
 * "cocos-journal-evidence-v1" 00 ‖ the run statement. */
int journal_evidence_nonce(const uint8_t *statement, size_t len, uint8_t nonce[SHA512_LEN],
			   struct err *e) MUST_CHECK;

/* ---- the file: a CBOR sequence (RFC 8742) of byte strings, one an item ---- */
void journal_put_item(struct writer *w, struct span item);

struct reader;
/* The next item in place. */
int journal_take_item(struct reader *r, struct span *item, struct err *e) MUST_CHECK;
