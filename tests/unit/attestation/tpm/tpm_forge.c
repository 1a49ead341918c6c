/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/tpm/tpm_forge.h"

#include "common/base/bytes.h"

#include <openssl/ecdsa.h>

enum { LOG_MAX = 65536, CPUID_AT = 0x188 };

struct span tpm_forge_span(const struct writer *w)
{
	return (struct span){ w->bytes, w->len };
}

static void le32(struct writer *w, uint32_t v)
{
	writer_le32(w, v);
}

static void hash_of(enum digest_kind kind, const void *bytes, size_t len, uint8_t *out)
{
	struct err e;

	assert_ok(digest(kind, bytes, len, out, &e), e);
}

/* TCG_PCR_EVENT2 of one bank; EV_NO_ACTION has zeros. */
static void event_put(struct writer *w, uint32_t pcr, uint32_t type, uint16_t alg, const void *data,
		      size_t len)
{
	enum digest_kind kind;
	uint8_t value[DIGEST_MAX] = { 0 };

	assert_true(tpm_alg_digest(alg, &kind));
	if (type != EVENT_NO_ACTION)
		hash_of(kind, data, len, value);
	le32(w, pcr);
	le32(w, type);
	le32(w, 1);
	writer_le16(w, alg);
	writer_bytes(w, value, digest_len(kind));
	le32(w, (uint32_t)len);
	writer_bytes(w, data, len);
}

static void legacy_event_put(struct writer *w, uint32_t pcr, uint32_t type, const void *data,
			     size_t len)
{
	uint8_t value[20];

	hash_of(DIGEST_SHA1, data, len, value);
	le32(w, pcr);
	le32(w, type);
	writer_bytes(w, value, sizeof(value));
	le32(w, (uint32_t)len);
	writer_bytes(w, data, len);
}

static void spec_id_put(struct writer *w, uint32_t pcr, uint16_t alg, uint16_t size)
{
	le32(w, pcr);
	le32(w, EVENT_NO_ACTION);
	writer_zeros(w, 20);
	le32(w, 16 + 4 + 4 + 4 + 4 + 1);
	writer_bytes(w, "Spec ID Event03", 16);
	le32(w, 0);
	writer_bytes(w, "\x00\x02\x00\x02", 4);
	le32(w, 1);
	writer_le16(w, alg);
	writer_le16(w, size);
	writer_u8(w, 0);
}

void tpm_forge_log(struct writer *w, bool legacy)
{
	static const uint8_t zero[4];

	*w = writer_up_to(LOG_MAX);
	if (!legacy)
		spec_id_put(w, 0, TPM_ALG_SHA256, SHA256_LEN);
	for (uint32_t pcr = 0; pcr < 10; pcr++) {
		if (pcr == 4 || pcr == 8) {
			if (legacy)
				legacy_event_put(w, pcr, EVENT_IPL, "kernel", 6);
			else
				event_put(w, pcr, EVENT_IPL, TPM_ALG_SHA256, "kernel", 6);
		}
		if (pcr < 8 && legacy)
			legacy_event_put(w, pcr, EVENT_SEPARATOR, zero, sizeof(zero));
		else if (pcr < 8)
			event_put(w, pcr, EVENT_SEPARATOR, TPM_ALG_SHA256, zero, sizeof(zero));
	}
	assert_false(w->bad);
}

void tpm_forge_cc_log(struct writer *w)
{
	*w = writer_up_to(LOG_MAX);
	spec_id_put(w, 1, TPM_ALG_SHA384, SHA384_LEN);
	for (uint32_t mr = 1; mr < EVENT_CC_REGISTERS; mr++)
		event_put(w, mr, EVENT_EFI_ACTION, TPM_ALG_SHA384, "Start", 5);
	assert_false(w->bad);
}

void tpm_forge_cc_event(struct writer *w, uint32_t mr, uint32_t type, const char *data,
			const void *measured, size_t measured_len)
{
	uint8_t hash[SHA384_LEN];
	struct err e;

	assert_ok(digest(DIGEST_SHA384, measured, measured_len, hash, &e), e);
	writer_le32(w, mr);
	writer_le32(w, type);
	writer_le32(w, 1);
	writer_le16(w, TPM_ALG_SHA384);
	writer_bytes(w, hash, sizeof(hash));
	writer_le32(w, (uint32_t)strlen(data));
	writer_text(w, data);
	assert_false(w->bad);
}

static void public_put(const struct forge_tpm *f, struct writer *w)
{
	uint8_t point[65];
	size_t len;

	*w = writer_up_to(FORGE_TPM_PART_MAX);
	assert_int_equal(EVP_PKEY_get_octet_string_param(f->key, "pub", point, sizeof(point), &len),
			 1);
	writer_be16(w, TPM_ALG_ECC);
	writer_be16(w, f->name_hash);
	writer_be32(w, f->attributes);
	writer_be16(w, 0);
	writer_be16(w, TPM_ALG_NULL);
	writer_be16(w, f->scheme);
	writer_be16(w, f->hash);
	writer_be16(w, 3); /* P-256 */
	writer_be16(w, TPM_ALG_NULL);
	writer_be16(w, 32);
	writer_bytes(w, point + 1, 32);
	writer_be16(w, 32);
	writer_bytes(w, point + 33, 32);
}

static void quote_put(const struct forge_tpm *f, struct writer *w)
{
	const struct tpm_pcr_bank *bank = &f->pcrs.banks[0];
	uint8_t values[TPM_PCR_COUNT * SHA256_LEN], hash[SHA256_LEN];
	size_t len = 0;

	for (size_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
		if (bank->present & (1u << pcr)) {
			memcpy(values + len, bank->values[pcr], SHA256_LEN);
			len += SHA256_LEN;
		}
	hash_of(DIGEST_SHA256, values, len, hash);
	*w = writer_up_to(FORGE_TPM_PART_MAX);
	writer_be32(w, f->magic);
	writer_be16(w, f->type);
	writer_be16(w, 0);
	writer_be16(w, sizeof(f->nonce));
	writer_bytes(w, f->nonce, sizeof(f->nonce));
	writer_be64(w, 1000);
	writer_be32(w, f->reset_count);
	writer_be32(w, f->restart_count);
	writer_u8(w, 1);
	writer_be64(w, 7);
	writer_be32(w, 1);
	writer_be16(w, TPM_ALG_SHA256);
	writer_u8(w, 3);
	for (size_t i = 0; i < 3; i++)
		writer_u8(w, (uint8_t)(bank->present >> (8 * i)));
	writer_be16(w, sizeof(hash));
	writer_bytes(w, hash, sizeof(hash));
}

static void signature_put(const struct forge_tpm *f, struct span bytes, struct writer *w)
{
	uint8_t der[SIGNATURE_MAX], r[32], s[32];
	size_t len = sizeof(der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const uint8_t *at = der;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, f->key), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &len, bytes.bytes, bytes.len), 1);

	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);

	BN_bn2binpad(ECDSA_SIG_get0_r(sig), r, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), s, 32);
	*w = writer_up_to(FORGE_TPM_PART_MAX);
	writer_be16(w, f->signature_scheme);
	writer_be16(w, f->signature_hash);
	writer_be16(w, 32);
	writer_bytes(w, r, 32);
	writer_be16(w, 32);
	writer_bytes(w, s, 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

static void varint(struct writer *w, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		writer_u8(w, (uint8_t)(v | 0x80));
	writer_u8(w, (uint8_t)v);
}

void tpm_forge_field(struct writer *w, unsigned number, struct span bytes)
{
	varint(w, number << 3 | 2);
	varint(w, bytes.len);
	writer_bytes(w, bytes.bytes, bytes.len);
}

/* proto3: a number that is zero is left out. */
void tpm_forge_number(struct writer *w, unsigned field, uint64_t value)
{
	if (!value)
		return;
	varint(w, field << 3);
	varint(w, value);
}

/* By the field comments of sevsnp.proto, not by our own table. */
void tpm_forge_report(const uint8_t *r, struct writer *w)
{
	unsigned family = r[CPUID_AT], base = family < 0xf ? family : 0xf;

	*w = writer_up_to(LOG_MAX);
	tpm_forge_number(w, 1, bytes_le(r, 4));
	tpm_forge_number(w, 2, bytes_le(r + 4, 4));
	tpm_forge_number(w, 3, bytes_le(r + 8, 8));
	tpm_forge_field(w, 4, (struct span){ r + 0x10, 16 });
	tpm_forge_field(w, 5, (struct span){ r + 0x20, 16 });
	tpm_forge_number(w, 6, bytes_le(r + 0x30, 4));
	tpm_forge_number(w, 7, bytes_le(r + 0x34, 4));
	tpm_forge_number(w, 8, bytes_le(r + 0x38, 8));
	tpm_forge_number(w, 9, bytes_le(r + 0x40, 8));
	tpm_forge_number(w, 10, bytes_le(r + 0x48, 4));
	tpm_forge_field(w, 11, (struct span){ r + 0x50, 64 });
	tpm_forge_field(w, 12, (struct span){ r + 0x90, 48 });
	tpm_forge_field(w, 13, (struct span){ r + 0xc0, 32 });
	tpm_forge_field(w, 14, (struct span){ r + 0xe0, 48 });
	tpm_forge_field(w, 15, (struct span){ r + 0x110, 48 });
	tpm_forge_field(w, 16, (struct span){ r + 0x140, 32 });
	tpm_forge_field(w, 17, (struct span){ r + 0x160, 32 });
	tpm_forge_number(w, 18, bytes_le(r + 0x180, 8));
	tpm_forge_field(w, 19, (struct span){ r + 0x1a0, 64 });
	tpm_forge_number(w, 20, bytes_le(r + 0x1e0, 8));
	for (unsigned i = 0; i < 3; i++)
		tpm_forge_number(w, 21 + i, r[0x1e8 + i]);
	for (unsigned i = 0; i < 3; i++)
		tpm_forge_number(w, 24 + i, r[0x1ec + i]);
	tpm_forge_number(w, 27, bytes_le(r + 0x1f0, 8));
	tpm_forge_field(w, 28, (struct span){ r + 0x2a0, 512 });
	tpm_forge_number(w, 29,
			 (uint64_t)(family - base) << 20 | (uint64_t)(r[CPUID_AT + 1] >> 4) << 16 |
				 base << 8 | (r[CPUID_AT + 1] & 0xfu) << 4 | r[CPUID_AT + 2]);
	tpm_forge_number(w, 30, bytes_le(r + 0x1f8, 8));
	tpm_forge_number(w, 31, bytes_le(r + 0x200, 8));
}

void tpm_forge_sevsnp(const uint8_t *report, struct writer *w)
{
	struct writer apart;

	tpm_forge_report(report, &apart);
	tpm_forge_field(w, 1, tpm_forge_span(&apart));
	writer_done(&apart);
}

void tpm_forge_pcrs(const struct forge_tpm *f, struct writer *w)
{
	const struct tpm_pcr_bank *bank = &f->pcrs.banks[0];

	*w = writer_up_to(FORGE_TPM_PART_MAX);
	varint(w, 1 << 3);
	varint(w, TPM_ALG_SHA256);
	for (unsigned pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
		struct writer entry = writer_up_to(FORGE_TPM_PART_MAX);

		if (!(bank->present & (1u << pcr)))
			continue;
		varint(&entry, 1 << 3);
		varint(&entry, pcr);
		tpm_forge_field(&entry, 2, (struct span){ bank->values[pcr], SHA256_LEN });
		tpm_forge_field(w, 2, tpm_forge_span(&entry));
		writer_done(&entry);
	}
}

static void message_put(const struct forge_tpm *f, const struct forge_tpm_parts *p,
			struct writer *w)
{
	struct writer quote = writer_up_to(LOG_MAX), pcrs;

	tpm_forge_pcrs(f, &pcrs);
	tpm_forge_field(&quote, 1, tpm_forge_span(&p->quote));
	tpm_forge_field(&quote, 2, tpm_forge_span(&p->signature));
	tpm_forge_field(&quote, 3, tpm_forge_span(&pcrs));
	*w = writer_up_to(LOG_MAX);
	tpm_forge_field(w, 1, tpm_forge_span(&p->ak_public));
	tpm_forge_field(w, 2, tpm_forge_span(&quote));
	tpm_forge_field(w, 3, tpm_forge_span(&p->log));
	assert_false(w->bad);
	writer_done(&quote);
	writer_done(&pcrs);
}

void tpm_forge_init(struct forge_tpm *f)
{
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	struct event_replay replay;
	struct writer w;
	struct err e;

	memset(f, 0, sizeof(*f));
	assert_ok(key_generate(KEY_ECDSA, &f->key, &e), e);
	f->attributes = TPM_ATTR_FIXED_TPM | TPM_ATTR_FIXED_PARENT |
			TPM_ATTR_SENSITIVE_DATA_ORIGIN | TPM_ATTR_USER_WITH_AUTH |
			TPM_ATTR_RESTRICTED | TPM_ATTR_SIGN;
	f->scheme = f->signature_scheme = TPM_ALG_ECDSA;
	f->name_hash = f->hash = f->signature_hash = TPM_ALG_SHA256;
	f->magic = 0xff544347;
	f->type = 0x8018;
	memset(f->nonce, 0x4e, sizeof(f->nonce));
	tpm_forge_log(&w, false);
	assert_ok(event_log_parse(tpm_forge_span(&w), (struct event_log_form){ 0 }, &log, &e), e);
	assert_ok(event_log_replay(&log, DIGEST_SHA256, &replay, &e), e);
	for (uint32_t pcr = 0; pcr < 17; pcr++)
		assert_ok(tpm_pcrs_add(&f->pcrs, DIGEST_SHA256, pcr,
				       (struct span){ replay.values[pcr], SHA256_LEN }, &e),
			  e);
	writer_done(&w);
}

void tpm_forge_done(struct forge_tpm *f)
{
	EVP_PKEY_free(f->key);
}

void tpm_forge_parts(const struct forge_tpm *f, struct forge_tpm_parts *p)
{
	public_put(f, &p->ak_public);
	quote_put(f, &p->quote);
	signature_put(f, tpm_forge_span(&p->quote), &p->signature);
	tpm_forge_log(&p->log, false);
	message_put(f, p, &p->message);
}

void tpm_forge_parts_done(struct forge_tpm_parts *p)
{
	writer_done(&p->ak_public);
	writer_done(&p->quote);
	writer_done(&p->signature);
	writer_done(&p->log);
	writer_done(&p->message);
}

void tpm_forge_read(struct span message, struct tpm_input *in)
{
	static struct tpm_evidence evidence;
	static struct err why;

	in->evidence = NULL;
	in->unreadable = NULL;
	if (tpm_attestation_parse(message, &evidence, &why) < 0)
		in->unreadable = &why;
	else
		in->evidence = &evidence;
}
