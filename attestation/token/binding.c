/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/token/binding.h"

#include <string.h>

static int both_hashes(const struct digest_part *parts, size_t count, struct binding *out,
		       struct err *e)
{
	struct binding made;

	if (digest_parts(DIGEST_SHA512, parts, count, made.report_data, e) < 0 ||
	    digest_parts(DIGEST_SHA256, parts, count, made.tpm_nonce, e) < 0)
		return err_code(e);
	*out = made;
	return 0;
}

int binding_channel(enum digest_kind hash, const uint8_t *spki, size_t spki_len,
		    const uint8_t exporter[BINDING_EXPORTER_LEN], struct binding_binder *binder,
		    struct binding *out, struct err *e)
{
	const struct digest_part parts[] = { { spki, spki_len },
					     { exporter, BINDING_EXPORTER_LEN } };
	struct binding_binder made = { .len = digest_len(hash) };
	struct binding b;

	if (!spki_len)
		return err_set(e, ERR_INVALID, "a binding without an identity key");
	if (digest(hash, spki, spki_len, made.aik_pub_hash, e) < 0 ||
	    digest_parts(hash, parts, ARRAY_LEN(parts), made.binding, e) < 0 ||
	    digest(DIGEST_SHA512, made.binding, made.len, b.report_data, e) < 0 ||
	    digest(DIGEST_SHA256, exporter, BINDING_EXPORTER_LEN, b.tpm_nonce, e) < 0)
		return err_code(e);
	if (binder)
		*binder = made;
	*out = b;
	return 0;
}

int binding_nonce(const struct binding_nonce *nonce, const uint8_t *spki, size_t spki_len,
		  struct binding *out, struct err *e)
{
	static const char label[] = "cocos-nonce-v1"; /* its final zero is part of the form */
	uint8_t tee[BINDING_TEE_NONCE_MAX] = { 0 }, vtpm[BINDING_VTPM_NONCE_MAX] = { 0 };
	uint8_t key[SHA256_LEN];

	if (nonce->tee_len > sizeof(tee) || nonce->vtpm_len > sizeof(vtpm))
		return err_set(e, ERR_INVALID,
			       "nonces of %zu and %zu bytes; at most %zu for a TEE, %zu for a vTPM",
			       nonce->tee_len, nonce->vtpm_len, sizeof(tee), sizeof(vtpm));
	if (!spki_len)
		return err_set(e, ERR_INVALID, "a binding without an identity key");
	if (nonce->tee_len)
		memcpy(tee, nonce->tee, nonce->tee_len);
	if (nonce->vtpm_len)
		memcpy(vtpm, nonce->vtpm, nonce->vtpm_len);
	if (digest(DIGEST_SHA256, spki, spki_len, key, e) < 0)
		return err_code(e);
	const struct digest_part parts[] = { { label, sizeof(label) },
					     { &nonce->type, 1 },
					     { tee, sizeof(tee) },
					     { vtpm, sizeof(vtpm) },
					     { key, sizeof(key) } };
	return both_hashes(parts, ARRAY_LEN(parts), out, e);
}

int binding_run(const uint8_t *statement, size_t len, struct binding *out, struct err *e)
{
	static const char label[] = "cocos-run-v1";
	const struct digest_part parts[] = { { label, sizeof(label) }, { statement, len } };

	if (!len)
		return err_set(e, ERR_INVALID, "an empty run statement");
	return both_hashes(parts, ARRAY_LEN(parts), out, e);
}

int binding_with_ak(const uint8_t report_data[BINDING_REPORT_DATA_LEN], const uint8_t *ak_public,
		    size_t ak_len, uint8_t out[BINDING_REPORT_DATA_LEN], struct err *e)
{
	const struct digest_part parts[] = { { report_data, BINDING_REPORT_DATA_LEN },
					     { ak_public, ak_len } };

	if (!ak_len)
		return err_set(e, ERR_INVALID, "a binding without an attestation key");
	return digest_parts(DIGEST_SHA3_512, parts, ARRAY_LEN(parts), out, e);
}
