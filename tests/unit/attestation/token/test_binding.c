/* SPDX-License-Identifier: Apache-2.0 */
/* The three forms, beside what Python's hashlib makes of wire.md's words; and their limits. */
#include "attestation/token/binding.h"
#include "common/base/encode.h"
#include "tests/unit.h"

enum { SPKI_LEN = 91 };

static uint8_t spki[SPKI_LEN], exporter[BINDING_EXPORTER_LEN];

static int setup(void **state)
{
	for (size_t i = 0; i < SPKI_LEN; i++)
		spki[i] = (uint8_t)i;
	memset(exporter, 0xe0, sizeof(exporter));
	return 0;
}

static void check(const uint8_t *found, size_t len, const char *wanted)
{
	char hex[2 * DIGEST_MAX + 1];

	hex_encode(found, len, hex);
	assert_string_equal(hex, wanted);
}

static void check_both(const struct binding *b, const char *report_data, const char *tpm_nonce)
{
	check(b->report_data, sizeof(b->report_data), report_data);
	check(b->tpm_nonce, sizeof(b->tpm_nonce), tpm_nonce);
}

static void a_channel_s_binding_is_over_key_and_exporter(void **state)
{
	struct binding_binder binder;
	struct binding b;
	struct err e;

	assert_ok(binding_channel(DIGEST_SHA384, spki, SPKI_LEN, exporter, &binder, &b, &e), e);
	assert_int_equal(binder.len, SHA384_LEN);
	check_both(&b,
		   "617f0d18bb4264b4b6226ef4ae1295b87e8381986b4fbe87f85385d8c07e6607"
		   "90cab9afa7cf9b774ca02564fff38928dd3b3700657820569e06a12307fb8d2e",
		   "b6f2a82e48be8bcd43544f375647a1ce3e86870b64b02212dc11ec422d16170c");
	check(binder.binding, SHA384_LEN,
	      "643efe719184969f0423300b400c42519e60da62a5b86a763932feac91ad03be"
	      "b00c41995839247df1bb6be768feb107");
	check(binder.aik_pub_hash, SHA384_LEN,
	      "bf18ea9e00e6c2262d802fb66e04ffa21dc5c13640bbf27b2c22592de4afe31c"
	      "18147e6ebd2d45669c36f9432494a000");
	assert_refused(binding_channel(DIGEST_SHA384, spki, 0, exporter, NULL, &b, &e), e,
		       ERR_INVALID, "without an identity key");
}

static void a_nonce_s_binding_is_over_type_nonces_and_key(void **state)
{
	uint8_t tee[BINDING_TEE_NONCE_MAX + 1], vtpm[BINDING_VTPM_NONCE_MAX + 1];
	struct binding_nonce nonce = { 4, tee, vtpm, 20, 16 };
	struct binding b;
	struct err e;

	memset(tee, 0x71, sizeof(tee));
	memset(vtpm, 0x72, sizeof(vtpm));
	assert_ok(binding_nonce(&nonce, spki, SPKI_LEN, &b, &e), e);
	check_both(&b,
		   "3b4c55ec87ca817779fa173bfa2a59eb5109d2ca5fbf3d84986be4ebecadf89e"
		   "62314d707f710a46854b17cb9925fcf2a4074b1106a27e2780a54f89fe1a61f1",
		   "0eebbf326429a2f67bf2be893fca49ad0a723cf918dfab5ca012dfd3a7a05a5c");
	nonce.tee_len = BINDING_TEE_NONCE_MAX;
	nonce.vtpm_len = BINDING_VTPM_NONCE_MAX;
	assert_ok(binding_nonce(&nonce, spki, SPKI_LEN, &b, &e), e);
	nonce.tee_len++;
	assert_refused(binding_nonce(&nonce, spki, SPKI_LEN, &b, &e), e, ERR_INVALID, "at most 64");
	nonce.tee_len = 0;
	nonce.vtpm_len++;
	assert_refused(binding_nonce(&nonce, spki, SPKI_LEN, &b, &e), e, ERR_INVALID, "at most 64");
	nonce.vtpm_len = 16;
	assert_refused(binding_nonce(&nonce, spki, 0, &b, &e), e, ERR_INVALID,
		       "without an identity key");
}

static void a_run_s_binding_is_over_the_statement(void **state)
{
	uint8_t report_data[BINDING_REPORT_DATA_LEN], bound[BINDING_REPORT_DATA_LEN];
	struct binding b;
	struct err e;

	assert_ok(binding_run((const uint8_t *)"statement", 9, &b, &e), e);
	check_both(&b,
		   "523354097f42e484f8f33ef9f334ebb6816583a1d2c81dfd476a5a8d2cc9b01a"
		   "9e609c021eac588fe047ab36b0b6c27bdf71204368932d775a4593670a03804a",
		   "0ff38183eabb0668e993511817d80843729a0ea4163afdf4f6cfe1d153fcb49b");
	assert_refused(binding_run((const uint8_t *)"", 0, &b, &e), e, ERR_INVALID, "empty");
	memset(report_data, 0xd1, sizeof(report_data));
	assert_ok(binding_with_ak(report_data, (const uint8_t *)"AK", 2, bound, &e), e);
	check(bound, sizeof(bound),
	      "c4645f91e017e6dfef87f825501b7abf6b658fda0e9f8876c664ad5c26eb3e70"
	      "87b0de106d1ef2e93eaab3c9b3f5eb872ddfac1f5eec1758732b7325e67b9c5d");
	assert_refused(binding_with_ak(report_data, bound, 0, bound, &e), e, ERR_INVALID,
		       "without an attestation key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_s_binding_is_over_key_and_exporter),
		cmocka_unit_test(a_nonce_s_binding_is_over_type_nonces_and_key),
		cmocka_unit_test(a_run_s_binding_is_over_the_statement),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
