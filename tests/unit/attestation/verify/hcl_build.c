/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/verify/hcl_build.h"

#include "common/base/encode.h"
#include "tests/unit.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

enum { HCL_HEAD = 32, HCL_DATA_HEAD = 20 };

/* Base64url without padding (RFC 7515, 2). */
static void put_modulus(EVP_PKEY *ak, struct writer *w)
{
	BIGNUM *n = NULL;
	uint8_t bytes[256];

	assert_int_equal(EVP_PKEY_get_bn_param(ak, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_int_equal(BN_bn2binpad(n, bytes, sizeof(bytes)), sizeof(bytes));
	BN_free(n);

	CLEANUP(free) char *text = base64_encode(bytes, sizeof(bytes));

	for (const char *c = text; *c && *c != '='; c++)
		writer_u8(w, *c == '+' ? '-' : *c == '/' ? '_' : (uint8_t)*c);
}

void hcl_put_runtime(EVP_PKEY *ak, const char *operations, const char *id, struct writer *w)
{
	*w = writer_up_to(HCL_MESSAGE_MAX);
	writer_printf(
		w,
		"{\"keys\":[{\"kid\":\"HCLAkPub\",\"key_ops\":[%s],\"kty\":\"RSA\",\"e\":\"AQAB\","
		"\"n\":\"",
		operations);
	put_modulus(ak, w);
	writer_printf(w, "\"}],\"vm-configuration\":{\"vmUniqueId\":\"%s\"}}", id);
}

void hcl_put_report(uint32_t type, struct span report, struct span runtime, struct writer *w)
{
	*w = writer_up_to(HCL_MESSAGE_MAX);
	writer_le32(w, 0x414c4348);
	writer_le32(w, 2);
	writer_le32(w, (uint32_t)(HCL_HEAD + SNP_REPORT_LEN + HCL_DATA_HEAD + runtime.len));
	writer_le32(w, 2);
	writer_zeros(w, 16);
	writer_bytes(w, report.bytes, report.len);
	writer_zeros(w, SNP_REPORT_LEN - report.len);
	writer_le32(w, (uint32_t)(HCL_DATA_HEAD + runtime.len));
	writer_le32(w, 1);
	writer_le32(w, type);
	writer_le32(w, 1);
	writer_le32(w, (uint32_t)runtime.len);
	writer_bytes(w, runtime.bytes, runtime.len);
}

/* TPMT_SIGNATURE, RSASSA with SHA-256. */
static void put_signature(EVP_PKEY *key, struct span bytes, struct writer *w)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sig[256];
	size_t len = sizeof(sig);

	assert_int_equal(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(md, sig, &len, bytes.bytes, bytes.len), 1);
	EVP_MD_CTX_free(md);
	*w = writer_up_to(HCL_MESSAGE_MAX);
	writer_be16(w, 0x0014);
	writer_be16(w, 0x000b);
	writer_be16(w, (uint16_t)len);
	writer_bytes(w, sig, len);
}

void hcl_put_message(const struct forge_tpm *tpm, const uint8_t nonce[HCL_NONCE_LEN],
		     EVP_PKEY *signer, struct writer *w)
{
	struct writer quote = writer_up_to(HCL_MESSAGE_MAX), pcrs, signature;
	struct forge_tpm_parts p;
	struct forge_tpm f = *tpm;

	memcpy(f.nonce, nonce, sizeof(f.nonce));
	tpm_forge_parts(&f, &p);
	put_signature(signer, tpm_forge_span(&p.quote), &signature);
	tpm_forge_pcrs(&f, &pcrs);
	tpm_forge_field(&quote, 1, tpm_forge_span(&p.quote));
	tpm_forge_field(&quote, 2, tpm_forge_span(&signature));
	tpm_forge_field(&quote, 3, tpm_forge_span(&pcrs));
	*w = writer_up_to(HCL_MESSAGE_MAX);
	tpm_forge_field(w, 2, tpm_forge_span(&quote));
	writer_done(&quote);
	writer_done(&pcrs);
	writer_done(&signature);
	tpm_forge_parts_done(&p);
}
