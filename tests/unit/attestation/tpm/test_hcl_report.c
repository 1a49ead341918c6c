/* SPDX-License-Identifier: Apache-2.0 */
/* Azure's paravisor report, made by ourselves, one thing changed at a time. */
#include "attestation/tpm/hcl_report.h"
#include "attestation/tpm/tpm_public.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "tests/unit.h"

enum { JSON_AT = 32 + SNP_REPORT_LEN + 20, FILE_MAX = 1 << 16 };

static char *n_text; /* base64url of a modulus */

static int setup(void **state)
{
	static const uint8_t n[256] = { [0] = 0xc1, [7] = 0xff, [255] = 0x01 };

	n_text = base64_encode(n, sizeof(n));
	for (char *c = n_text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	n_text[strcspn(n_text, "=")] = '\0';
	return 0;
}

static int teardown(void **state)
{
	free(n_text);
	return 0;
}

static struct writer report_make(const char *json)
{
	struct writer w = writer_up_to(FILE_MAX);
	uint32_t len = (uint32_t)strlen(json);

	writer_bytes(&w, "HCLA", 4);
	writer_le32(&w, 2);
	writer_le32(&w, JSON_AT + len);
	writer_le32(&w, 2);
	writer_zeros(&w, 16 + SNP_REPORT_LEN);
	writer_le32(&w, 20 + len);
	writer_le32(&w, 1);
	writer_le32(&w, 2);
	writer_le32(&w, 1);
	writer_le32(&w, len);
	writer_text(&w, json);
	writer_zeros(&w, 16);
	return w;
}

static int parse(const struct writer *w, struct hcl_report *hcl, struct err *e)
{
	return hcl_report_parse((struct span){ w->bytes, w->len }, hcl, e);
}

static void its_parts_are_found(void **state)
{
	struct writer w = report_make("{}");
	struct hcl_report hcl;
	struct err e;

	assert_ok(parse(&w, &hcl, &e), e);
	assert_int_equal(hcl.runtime.len, 2);
	assert_int_equal(hcl.report.len, SNP_REPORT_LEN);
	writer_done(&w);
}

/* TDX: a TDREPORT in the room of a report. */
static void a_tdreport_has_its_room(void **state)
{
	struct writer w = report_make("{}");
	struct hcl_report hcl;
	struct err e;

	w.bytes[32 + SNP_REPORT_LEN + 8] = HCL_REPORT_TDX;
	assert_refused(parse(&w, &hcl, &e), e, ERR_INVALID, "no TDREPORT");
	w.bytes[32] = 0x81;
	memset(w.bytes + 32 + 128, 0x77, HCL_REPORT_DATA_LEN);
	assert_ok(parse(&w, &hcl, &e), e);
	assert_int_equal(hcl.type, HCL_REPORT_TDX);
	assert_int_equal(hcl.report.len, HCL_TDREPORT_LEN);
	assert_int_equal(hcl_report_found_data(&hcl)[0], 0x77);
	assert_int_equal(hcl_report_found_data(&hcl)[63], 0x77);
	assert_int_equal(hcl_report_found_data(&hcl)[64], 0);
	w.bytes[32 + HCL_TDREPORT_LEN - 1] = 1;
	assert_ok(parse(&w, &hcl, &e), e);
	for (size_t i = HCL_TDREPORT_LEN; i < SNP_REPORT_LEN; i++) {
		w.bytes[32 + i] = 1;
		assert_refused(parse(&w, &hcl, &e), e, ERR_INVALID, "no TDREPORT");
		w.bytes[32 + i] = 0;
	}
	for (unsigned type = 0; type < 8; type++) {
		w.bytes[32 + SNP_REPORT_LEN + 8] = (uint8_t)type;
		assert_int_equal(parse(&w, &hcl, &e) == 0,
				 type == HCL_REPORT_SNP || type == HCL_REPORT_TDX);
	}
	writer_done(&w);
}

static void every_number_of_the_headers_counts(void **state)
{
	static const size_t headers[] = { 0,
					  4,
					  8,
					  12,
					  16,
					  20,
					  32 + SNP_REPORT_LEN,
					  32 + SNP_REPORT_LEN + 4,
					  32 + SNP_REPORT_LEN + 8,
					  32 + SNP_REPORT_LEN + 12,
					  32 + SNP_REPORT_LEN + 16 };
	struct hcl_report hcl;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct writer w = report_make("{\"a\":1}");

		w.bytes[headers[i]] += 3;
		assert_int_equal(parse(&w, &hcl, &e), -ERR_INVALID);
		writer_done(&w);
	}
}

static void every_truncation_and_what_follows_are_refused(void **state)
{
	struct writer w = report_make("{\"a\":1}");
	struct hcl_report hcl;
	struct err e;
	size_t padded = w.len;

	for (w.len = 0; w.len < padded - 16; w.len++)
		assert_int_equal(parse(&w, &hcl, &e), -ERR_INVALID);
	for (; w.len <= padded; w.len++)
		assert_ok(parse(&w, &hcl, &e), e);
	w.len = padded;
	w.bytes[padded - 1] = 1;
	assert_refused(parse(&w, &hcl, &e), e, ERR_INVALID, "not all zero");
	writer_done(&w);
}

static int key_of(const char *keys, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct writer json = writer_up_to(FILE_MAX);
	int rc;

	writer_printf(&json, "{\"keys\":[%s]}", keys);
	rc = hcl_report_ak((struct span){ json.bytes, json.len }, &key, e);
	assert_int_equal(key != NULL, rc == 0);
	writer_done(&json);
	return rc;
}

static char *key_make(const char *kid, const char *ops, const char *type, const char *exponent)
{
	char *text;

	assert_true(asprintf(&text,
			     "{\"kid\":\"%s\",\"key_ops\":[%s],\"kty\":\"%s\",\"e\":\"%s\","
			     "\"n\":\"%s\"}",
			     kid, ops, type, exponent, n_text) > 0);
	return text;
}

static void one_key_for_signing_is_the_ak(void **state)
{
	static const struct {
		const char *kid, *ops, *type, *exponent, *fault;
	} cases[] = {
		{ "HCLAkPub", "\"sign\"", "RSA", "AQAB", NULL },
		{ "HCLEkPub", "\"sign\"", "RSA", "AQAB", "no key named" },
		{ "HCLAkPub", "\"encrypt\"", "RSA", "AQAB", "sign alone" },
		{ "HCLAkPub", "\"sign\",\"encrypt\"", "RSA", "AQAB", "sign alone" },
		{ "HCLAkPub", "1", "RSA", "AQAB", "sign alone" },
		{ "HCLAkPub", "\"sign\"", "EC", "AQAB", "no RSA key" },
		{ "HCLAkPub", "\"sign\"", "RSA", "Aw", "no RSA key" },
		{ "HCLAkPub", "\"sign\"", "RSA", "AQ+B", "base64url" },
		{ "HCLAkPub", "\"sign\"", "RSA", "AQ=", "base64url" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = key_make(cases[i].kid, cases[i].ops, cases[i].type, cases[i].exponent);

		if (cases[i].fault)
			assert_refused(key_of(text, &e), e, ERR_INVALID, cases[i].fault);
		else
			assert_ok(key_of(text, &e), e);
		free(text);
	}
}

static void two_keys_of_that_name_are_none(void **state)
{
	char *text = key_make("HCLAkPub", "\"sign\"", "RSA", "AQAB"), *twice;
	struct err e;

	assert_true(asprintf(&twice, "%s,%s", text, text) > 0);
	assert_refused(key_of(twice, &e), e, ERR_INVALID, "two keys");
	free(twice);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_parts_are_found),
		cmocka_unit_test(a_tdreport_has_its_room),
		cmocka_unit_test(every_number_of_the_headers_counts),
		cmocka_unit_test(every_truncation_and_what_follows_are_refused),
		cmocka_unit_test(one_key_for_signing_is_the_ak),
		cmocka_unit_test(two_keys_of_that_name_are_none),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
