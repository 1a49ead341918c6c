/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tpm/tpm_quote.h"

#include "attestation/formats/ecdsa.h"
#include "common/base/encode.h"

#include <string.h>
#include <openssl/rsa.h>

static int rsa_verify(EVP_PKEY *key, bool pss, enum digest_kind kind, struct span bytes,
		      struct span signature, struct err *e)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pkey = NULL; /* belongs to ctx */

	if (signature.len != (size_t)EVP_PKEY_get_size(key))
		return err_set(e, ERR_DENIED, "an RSA signature of %zu bytes, wanted %d",
			       signature.len, EVP_PKEY_get_size(key));
	if (!ctx || EVP_DigestVerifyInit(ctx, &pkey, ecdsa_md(kind), NULL, key) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(pkey, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) <=
		    0 ||
	    /* Part 1, B.7: as long as fits, or as long as the hash, by the TPM's mode. */
	    (pss && EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_AUTO) <= 0))
		return err_openssl(e, ERR_INTERNAL, "verify an RSA signature");
	if (EVP_DigestVerify(ctx, signature.bytes, signature.len, bytes.bytes, bytes.len) != 1)
		return err_openssl(e, ERR_DENIED, "the RSA signature does not hold");
	return 0;
}

/* r and s come without leading zeros, perhaps. */
static int ecdsa_check(EVP_PKEY *key, enum digest_kind kind, struct span bytes,
		       const struct tpm_signature *s, struct err *e)
{
	enum ecdsa_curve curve = EVP_PKEY_get_bits(key) == 384 ? ECDSA_P384 : ECDSA_P256;
	size_t len = ecdsa_len(curve);
	uint8_t raw[2 * TPM_ECC_MAX] = { 0 };

	if (s->r.len == 0 || s->r.len > len || s->s.len == 0 || s->s.len > len)
		return err_set(e, ERR_DENIED, "r of %zu and s of %zu bytes, wanted up to %zu",
			       s->r.len, s->s.len, len);
	memcpy(raw + len - s->r.len, s->r.bytes, s->r.len);
	memcpy(raw + 2 * len - s->s.len, s->s.bytes, s->s.len);
	return ecdsa_verify(key, curve, kind, bytes, (struct span){ raw, 2 * len }, e);
}

static int signature_check(const struct tpm_quote *q, EVP_PKEY *key, struct err *e)
{
	enum digest_kind kind;
	bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;

	if (!tpm_alg_digest(q->signature.hash, &kind) || kind == DIGEST_SHA1)
		return err_set(e, ERR_DENIED, "a signature with hash 0x%04x", q->signature.hash);
	if (rsa != (q->signature.scheme != TPM_ALG_ECDSA))
		return err_set(e, ERR_DENIED,
			       "a signature of scheme 0x%04x by a key of another "
			       "kind",
			       q->signature.scheme);
	if (rsa)
		return rsa_verify(key, q->signature.scheme == TPM_ALG_RSAPSS, kind, q->attest.bytes,
				  q->signature.rsa, e);
	return ecdsa_check(key, kind, q->attest.bytes, &q->signature, e);
}

/* The scheme is the AK's own, and its hash is fit to sign with. */
static int scheme_check(const struct tpm_quote *q, struct err *e)
{
	enum digest_kind kind;

	if (!tpm_alg_digest(q->signature.hash, &kind) || kind == DIGEST_SHA1)
		return err_set(e, ERR_DENIED,
			       "the signature's hash is 0x%04x, wanted SHA-256 or better",
			       q->signature.hash);
	if (q->has_public &&
	    (q->signature.scheme != q->ak.scheme || q->signature.hash != q->ak.scheme_hash))
		return err_set(e, ERR_DENIED,
			       "the signature's scheme 0x%04x and hash 0x%04x are not the AK's own "
			       "(0x%04x, 0x%04x)",
			       q->signature.scheme, q->signature.hash, q->ak.scheme,
			       q->ak.scheme_hash);
	return 0;
}

static bool nonce_check(const struct tpm_quote_input *in, const struct tpm_quote *q,
			struct verdict *v)
{
	const struct span *found = &q->attest.extra_data;
	char found_hex[2 * 66 + 1], wanted_hex[2 * 66 + 1];

	if (!in->nonce.bytes || in->nonce.len > 66)
		return verdict_check(v, CHECK_QUOTE_NONCE, false, "none was given",
				     "the nonce that the quote was asked for");
	hex_encode(found->bytes, found->len, found_hex);
	hex_encode(in->nonce.bytes, in->nonce.len, wanted_hex);
	return verdict_check(
		v, CHECK_QUOTE_NONCE,
		found->len == in->nonce.len &&
			(found->len == 0 || memcmp(found->bytes, in->nonce.bytes, found->len) == 0),
		found_hex, wanted_hex);
}

/* The PCRs presented are those selected, bank by bank: a value that was not quoted is nobody's. */
static int selection_check(const struct tpm_attest *a, const struct tpm_pcrs *pcrs, struct err *e)
{
	size_t matched = 0;

	for (size_t i = 0; i < a->selection_count; i++) {
		const struct tpm_selection *s = &a->selections[i];
		const struct tpm_pcr_bank *bank;
		enum digest_kind kind;

		if (!s->pcrs)
			continue;
		if (!tpm_alg_digest(s->alg, &kind))
			return err_set(e, ERR_DENIED, "PCRs of bank 0x%04x are selected", s->alg);
		bank = tpm_pcrs_bank(pcrs, kind);
		if (!bank || bank->present != s->pcrs)
			return err_set(e, ERR_DENIED,
				       "of bank %s the PCRs 0x%06x are presented, 0x%06x were "
				       "quoted",
				       digest_name(kind), bank ? bank->present : 0, s->pcrs);
		matched++;
	}
	if (matched != pcrs->count)
		return err_set(e, ERR_DENIED, "PCRs of a bank are presented that was not quoted");
	return 0;
}

/* Part 3, TPM2_Quote: the digest is the signature's, over the values in the selection's order. */
static int pcr_digest(const struct tpm_quote *q, const struct tpm_pcrs *pcrs, enum digest_kind kind,
		      uint8_t *out, struct err *e)
{
	struct digest_part parts[TPM_BANKS_MAX * TPM_PCR_COUNT];
	size_t count = 0;

	for (size_t i = 0; i < q->attest.selection_count; i++) {
		const struct tpm_selection *s = &q->attest.selections[i];
		enum digest_kind bank_kind;

		if (!s->pcrs || !tpm_alg_digest(s->alg, &bank_kind))
			continue;

		const struct tpm_pcr_bank *bank = tpm_pcrs_bank(pcrs, bank_kind);

		for (uint32_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
			if (s->pcrs & (UINT32_C(1) << pcr))
				parts[count++] = (struct digest_part){ bank->values[pcr],
								       digest_len(bank_kind) };
	}
	return digest_parts(kind, parts, count, out, e);
}

static bool digest_check(const struct tpm_quote *q, const struct tpm_pcrs *pcrs, struct verdict *v)
{
	uint8_t wanted[DIGEST_MAX];
	enum digest_kind kind;
	struct err e;

	if (!tpm_alg_digest(q->signature.hash, &kind) ||
	    q->attest.pcr_digest.len != digest_len(kind))
		return verdict_checkf(v, CHECK_QUOTE_DIGEST, false,
				      "a digest with the signature's hash", "%zu bytes",
				      q->attest.pcr_digest.len);
	if (pcr_digest(q, pcrs, kind, wanted, &e) < 0)
		return verdict_err(v, CHECK_QUOTE_DIGEST, &e);
	return verdict_bytes(v, CHECK_QUOTE_DIGEST, q->attest.pcr_digest.bytes, wanted,
			     digest_len(kind));
}

/* The key that verifies, from the AK's public area or as given. */
static bool ak_open(const struct tpm_quote_input *in, struct verdict *v, struct tpm_quote *q,
		    EVP_PKEY **key)
{
	struct err e;

	if (in->ak_public.len == 0 && in->ak_key) {
		*key = EVP_PKEY_up_ref(in->ak_key) ? in->ak_key : NULL;
		return verdict_check(v, CHECK_AK_KEY, *key != NULL, "a key without attributes",
				     NULL);
	}
	if (!verdict_require_step(v, CHECK_AK_PARSE, tpm_public_parse(in->ak_public, &q->ak, &e),
				  &e))
		return false;
	q->has_public = true;

	bool attributes =
		verdict_require_step(v, CHECK_AK_ATTRIBUTES, tpm_public_check_ak(&q->ak, &e), &e);
	bool sound = verdict_step(v, CHECK_AK_KEY, tpm_public_key(&q->ak, key, &e), &e);

	return attributes && sound;
}

void tpm_quote_require(struct verdict *v)
{
	static const enum check_id always[] = {
		CHECK_QUOTE_PARSE,     CHECK_QUOTE_SIGNATURE_PARSE, CHECK_AK_KEY,
		CHECK_QUOTE_SCHEME,    CHECK_QUOTE_SIGNATURE,       CHECK_QUOTE_NONCE,
		CHECK_QUOTE_SELECTION, CHECK_QUOTE_DIGEST,
	};

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		verdict_require(v, always[i]);
}

bool tpm_quote_check(const struct tpm_quote_input *in, struct verdict *v, struct tpm_quote *out)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct err e;

	tpm_quote_require(v);
	memset(out, 0, sizeof(*out));

	bool parsed = verdict_step(v, CHECK_QUOTE_PARSE,
				   tpm_attest_parse(in->quote, &out->attest, &e), &e);

	parsed &= verdict_step(v, CHECK_QUOTE_SIGNATURE_PARSE,
			       tpm_signature_parse(in->signature, &out->signature, &e), &e);
	parsed &= ak_open(in, v, out, &key);
	if (!parsed)
		return false;
	if (!verdict_step(v, CHECK_QUOTE_SCHEME, scheme_check(out, &e), &e) ||
	    !verdict_step(v, CHECK_QUOTE_SIGNATURE, signature_check(out, key, &e), &e))
		return false;

	bool ok = nonce_check(in, out, v);

	if (!verdict_step(v, CHECK_QUOTE_SELECTION, selection_check(&out->attest, in->pcrs, &e),
			  &e))
		return false;
	return digest_check(out, in->pcrs, v) && ok;
}

bool tpm_quote_is_sha1(const struct tpm_quote *quote)
{
	for (size_t i = 0; i < quote->attest.selection_count; i++) {
		const struct tpm_selection *s = &quote->attest.selections[i];

		if (s->pcrs && s->alg != TPM_ALG_SHA1)
			return false;
	}
	return true;
}
