/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tpm/hcl_report.h"

#include "attestation/tpm/tpm_public.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

enum {
	HCL_SIGNATURE = 0x414c4348, /* "HCLA" */
	HCL_VERSION_MAX = 2,
	REQUEST_TYPE = 2,
	DATA_HEADER_LEN = 20,
	DATA_VERSION = 1,
	DATA_HASH_SHA256 = 1,
	JWK_NUMBER_MAX = 1024, /* characters */
	SNP_REPORT_DATA_AT = 0x50,
	TDREPORT_DATA_AT = 128, /* REPORTMACSTRUCT.REPORTDATA */
	TDREPORT_TYPE = 0x81,   /* REPORTTYPE: TDX */
};

static const char ak_name[] = "HCLAkPub";

const uint8_t *hcl_report_found_data(const struct hcl_report *hcl)
{
	return hcl->report.bytes +
	       (hcl->type == HCL_REPORT_TDX ? TDREPORT_DATA_AT : SNP_REPORT_DATA_AT);
}

/* The room for a report is an SNP report's, whose size a TDREPORT does not fill. */
static int take_tdreport(struct hcl_report *h, struct err *e)
{
	struct reader r = span_reader(h->report);

	h->report = span_take(&r, HCL_TDREPORT_LEN);
	reader_zeros(&r, reader_left(&r));
	if (!reader_done(&r) || h->report.bytes[0] != TDREPORT_TYPE)
		return err_set(e, ERR_INVALID,
			       "HCL report: no TDREPORT of %d bytes with zeros behind it",
			       HCL_TDREPORT_LEN);
	return 0;
}

/* AttestationHeader and IgvmRequestData of the paravisor (OpenHCL's attestation protocol). */
int hcl_report_parse(struct span bytes, struct hcl_report *hcl, struct err *e)
{
	struct hcl_report h;
	struct reader r = span_reader(bytes);

	if (bytes.len > HCL_REPORT_MAX)
		return err_set(e, ERR_INVALID, "HCL report: %zu bytes are more than %d", bytes.len,
			       HCL_REPORT_MAX);

	uint32_t signature = reader_le32(&r), version = reader_le32(&r);
	uint32_t report_size = reader_le32(&r), request = reader_le32(&r);
	uint32_t status = reader_le32(&r);

	reader_zeros(&r, 12);
	h.report = span_take(&r, SNP_REPORT_LEN);

	uint32_t data_size = reader_le32(&r), data_version = reader_le32(&r);

	h.type = reader_le32(&r);

	uint32_t hash = reader_le32(&r), json_size = reader_le32(&r);

	if (!reader_ok(&r) || signature != HCL_SIGNATURE || version < 1 ||
	    version > HCL_VERSION_MAX || request != REQUEST_TYPE || status != 0)
		return err_set(e, ERR_INVALID, "HCL report: no header of a report, version 1 or 2");
	if (data_version != DATA_VERSION ||
	    (h.type != HCL_REPORT_SNP && h.type != HCL_REPORT_TDX) || hash != DATA_HASH_SHA256)
		return err_set(e, ERR_INVALID,
			       "HCL report: runtime data of version %u, report type %u, hash %u; "
			       "wanted 1, 2 (SNP) or 4 (TDX), 1 (SHA-256)",
			       data_version, h.type, hash);
	if (h.type == HCL_REPORT_TDX && take_tdreport(&h, e) < 0)
		return err_code(e);
	h.runtime = span_take(&r, json_size);
	if (!reader_ok(&r) || (uint64_t)json_size + DATA_HEADER_LEN != data_size)
		return err_set(e, ERR_INVALID, "HCL report: runtime data of %u bytes in %u",
			       json_size, data_size);
	if ((size_t)(r.pos - bytes.bytes) != report_size)
		return err_set(e, ERR_INVALID, "HCL report: its size says %u, found %zu",
			       report_size, (size_t)(r.pos - bytes.bytes));
	reader_zeros(&r, reader_left(&r));
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "HCL report: the bytes after it are not all zero");
	*hcl = h;
	return 0;
}

int hcl_report_data(struct span runtime, uint8_t report_data[SNP_REPORT_DATA_LEN], struct err *e)
{
	uint8_t hash[SHA256_LEN];

	if (digest(DIGEST_SHA256, runtime.bytes, runtime.len, hash, e) < 0)
		return err_code(e);
	memset(report_data, 0, SNP_REPORT_DATA_LEN);
	memcpy(report_data, hash, sizeof(hash));
	return 0;
}

/* A number of a JSON Web Key: base64url without padding (RFC 7518, 6.3.1). */
static int jwk_number(const struct json *key, const char *name, uint8_t **bytes, size_t *len,
		      struct err *e)
{
	char text[JWK_NUMBER_MAX];
	const char *found;

	if (json_get_string(key, name, &found, e) < 0)
		return err_code(e);

	size_t chars = strlen(found);

	if (chars >= sizeof(text) || strpbrk(found, "+/="))
		return err_set(e, ERR_INVALID, "%s is no base64url of a key", name);
	for (size_t i = 0; i < chars; i++)
		text[i] = found[i] == '-' ? '+' : found[i] == '_' ? '/' : found[i];
	if (base64_decode_unpadded(text, chars, bytes, len, e) < 0)
		return err_wrap(e, "%s", name);
	return 0;
}

static int jwk_to_key(const struct json *jwk, EVP_PKEY **key, struct err *e)
{
	static const uint8_t f4[] = { 1, 0, 1 };
	CLEANUP(free) uint8_t *n = NULL;
	CLEANUP(free) uint8_t *exponent = NULL;
	size_t n_len, exponent_len;
	const char *type;

	if (json_get_string(jwk, "kty", &type, e) < 0 || jwk_number(jwk, "n", &n, &n_len, e) < 0 ||
	    jwk_number(jwk, "e", &exponent, &exponent_len, e) < 0)
		return err_code(e);
	if (strcmp(type, "RSA") != 0 || exponent_len != sizeof(f4) ||
	    memcmp(exponent, f4, sizeof(f4)) != 0 || n_len > TPM_RSA_MAX)
		return err_set(e, ERR_INVALID, "no RSA key with exponent 65537");

	struct tpm_public pub = { .type = TPM_ALG_RSA,
				  .rsa_bits = (uint16_t)(n_len * 8),
				  .n = { n, n_len } };

	return tpm_public_key(&pub, key, e);
}

/* "key_ops" is exactly ["sign"]. */
static int check_signs(const struct json *jwk, struct err *e)
{
	const struct json *ops;

	if (json_get_array(jwk, "key_ops", &ops, e) < 0)
		return err_code(e);
	if (ops->count != 1 || ops->items[0].type != JSON_STRING ||
	    strcmp(ops->items[0].text, "sign") != 0)
		return err_set(e, ERR_INVALID, "key_ops is not to sign alone");
	return 0;
}

static int ak_find(const struct json *root, const struct json **ak, struct err *e)
{
	const struct json *keys, *found = NULL;

	if (json_get_array(root, "keys", &keys, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < keys->count; i++) {
		const struct json *kid = json_get(&keys->items[i], "kid");

		if (!kid || kid->type != JSON_STRING || strcmp(kid->text, ak_name) != 0)
			continue;
		if (found)
			return err_set(e, ERR_INVALID, "two keys named %s", ak_name);
		found = &keys->items[i];
	}
	if (!found)
		return err_set(e, ERR_INVALID, "no key named %s", ak_name);
	*ak = found;
	return 0;
}

int hcl_report_ak(struct span runtime, EVP_PKEY **key, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	const struct json *ak;

	if (json_parse(runtime.bytes, runtime.len, &root, e) < 0 || ak_find(root, &ak, e) < 0 ||
	    check_signs(ak, e) < 0 || jwk_to_key(ak, key, e) < 0)
		return err_wrap(e, "HCL runtime data");
	return 0;
}
