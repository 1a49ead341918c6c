/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_quote.h — did that key sign these PCR values, for that nonce? Whose key it is, is another
 * question, without whose answer this one is worth nothing: see ak_binding in tpm_appraise.h.
 */
#pragma once

#include "attestation/tpm/tpm_attest.h"
#include "attestation/tpm/tpm_pcrs.h"
#include "attestation/tpm/tpm_public.h"
#include "attestation/verdict/verdict.h"

struct tpm_quote_input {
	struct span quote;     /* TPMS_ATTEST */
	struct span signature; /* TPMT_SIGNATURE */
	struct span ak_public; /* TPMT_PUBLIC; its attributes are judged */
	/* In place of ak_public, where nobody has one (Azure): attributes can't be judged then, and
	 * whoever binds the key vouches for them. */
	EVP_PKEY *ak_key;
	struct span nonce; /* what extraData has to be, all of it; bytes NULL is a refusal */
	const struct tpm_pcrs *pcrs; /* as presented: exactly the selected ones */
};

struct tpm_quote {
	struct tpm_attest attest;
	struct tpm_signature signature;
	bool has_public;
	struct tpm_public ak;
};

/* Requires what every quote has to pass, for a caller that may not come to check one. */
void tpm_quote_require(struct verdict *v);

/* Adds and requires quote.parse, quote.signature_parse, ak.parse, ak.attributes (only of an
 * ak_public), ak.key, quote.scheme, quote.signature, quote.nonce, quote.selection, quote.digest.
 * True if all passed; `out` is filled as far as things could be parsed. */
bool tpm_quote_check(const struct tpm_quote_input *in, struct verdict *v, struct tpm_quote *out);

/* The quote selects PCRs of no better bank than SHA-1. */
bool tpm_quote_is_sha1(const struct tpm_quote *quote);
