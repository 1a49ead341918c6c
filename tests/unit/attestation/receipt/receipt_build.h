/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt_build.h — a receipt in the making, right in everything, and the call that judges it.
 */
#pragma once

#include "attestation/receipt/receipt_judge.h"
#include "attestation/token/run_statement.h"
#include "tests/unit/attestation/verify/verify_kind.h"

enum { RECEIPT_BUILD_SKEW = 60, RECEIPT_BUILD_DATASETS = 2 };

/* Between begin and seal, change what is signed; between seal and judge, what is shown and asked. */
struct receipt_build {
	const struct verify_kind *kind;
	EVP_PKEY *identity, *journal, *other;
	EVP_PKEY *signer; /* of the receipt: the journal's */
	const char *aad;
	uint8_t *identity_spki, *journal_spki;
	size_t identity_len, journal_len;
	struct run_statement run;
	enum verify_twist twist; /* of the evidence */
	bool other_binding;      /* the evidence is over something else */
	bool other_image;        /* the receipt names another image than the evidence */
	struct receipt_dataset datasets[RECEIPT_BUILD_DATASETS];
	struct receipt_wheel wheel;
	struct receipt_opening opening; /* of the results; receipt_build_seal() commits to it */
	bool closed;                    /* a provider's copy, without it */
	const char *args[2];
	struct receipt r;
	struct policy policy;
	struct verify_input in;
	uint8_t manifest[1][SHA3_256_LEN];
	struct writer statement, evidence, proof, opened, payload, message, bytes;
};

void receipt_build_begin(struct receipt_build *b, const struct verify_kind *kind);
void receipt_build_seal(struct receipt_build *b);
void receipt_build_end(struct receipt_build *b);

/* Signs the payload as it is now, and puts proof and opening beside it as they are now. */
void receipt_build_sign(struct receipt_build *b);

/* The whole of it: parsed, verified and judged. Whether it is a yes; `v` is the verdict. */
bool receipt_build_judge(struct receipt_build *b, const uint8_t *bytes, size_t len,
			 const struct receipt_results *found, struct verdict *v);
