/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt_check.h — a receipt for results, read and judged with what a command's options say.
 */
#pragma once

#include "attestation/endorse/endorsements.h"
#include "attestation/journal/journal_check.h"
#include "attestation/receipt/receipt_judge.h"

struct receipt_check {
	struct span bytes;
	const struct receipt_results *found; /* the file that it is shown for */
	struct endorsements *endorsements;   /* fetches what the evidence has not brought */
};

/* The name beside that of the results: "results.receipt.cbor" of "results.zip". Malloc'ed. */
int receipt_check_name(const char *results, char **name, struct err *e) MUST_CHECK;

/* Size and digests of a file. */
int receipt_check_results(const char *path, struct receipt_results *results,
			  struct err *e) MUST_CHECK;

/* Fills in what of `in` the receipt says, and judges it. 0 says that there is a verdict: verdict_ok() is
 * the answer. `r` is the receipt, spans of `bytes`; empty where it can't be read. receipt_done() frees. */
int receipt_check_judge(const struct receipt_check *c, struct verify_input *in, struct receipt *r,
			struct verdict *v, struct verify_result *result, struct err *e) MUST_CHECK;

/* Adds and requires that the identity of the run statement is the key with this SHA-256. */
int receipt_check_agent(const struct receipt *r, const uint8_t key[SHA256_LEN], struct verdict *v,
			struct err *e) MUST_CHECK;

/* Does the receipt belong to the journal in `journal`, as `c` has checked it: signed by its key, and with a
 * head that it had, behind `*entries`? ERR_DENIED: no; ERR_INVALID: it is none. */
int receipt_check_journal(struct span receipt, struct span journal, const struct journal_check *c,
			  uint64_t *entries, struct err *e) MUST_CHECK;
