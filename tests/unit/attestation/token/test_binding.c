/* SPDX-License-Identifier: Apache-2.0 */
/* The three forms, beside what Python's hashlib makes of wire.md's words; and their limits. */
#include "attestation/journal/journal_check.h"
#include "attestation/token/binding.h"
#include "attestation/token/run_statement.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
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

/* SubjectPublicKeyInfo of P-256, whose private keys are 1 and 2. */
static const char key_one[] = "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
			      "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
			      "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
static const char key_two[] = "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
			      "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"
			      "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1";

/* The example of docs/evidence.md. */
static void the_example_of_the_page_is_ours(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RUN_STATEMENT_MAX);
	uint8_t one[SPKI_LEN], two[SPKI_LEN], bound[BINDING_REPORT_DATA_LEN];
	uint8_t tee[SHA512_LEN];
	struct run_statement s = {
		.computation = "c-1",
		.entries = { { .key = "AGENT_CERTS_TOKEN" },
			     { .key = "AGENT_CVM_ID", .value = "7" } },
		.entry_count = 2,
		.fixed = true,
		.identity = one,
		.identity_len = SPKI_LEN,
		.journal = two,
		.journal_len = SPKI_LEN,
		.weak = { "development" },
		.weak_count = 1,
	};
	const struct digest_part secret[] = { { s.entries[0].salt, RUN_SALT_LEN }, { "hush", 4 } };
	struct binding_nonce nonce = { .type = 0, .tee = tee, .tee_len = sizeof(tee) };
	struct binding b;
	struct err e;

	memset(s.boot, 1, sizeof(s.boot));
	memset(s.agent_config, 2, sizeof(s.agent_config));
	memset(s.manifest, 3, sizeof(s.manifest));
	for (uint8_t i = 0; i < RUN_SALT_LEN; i++)
		s.entries[0].salt[i] = i;
	assert_ok(hex_decode(key_one, one, sizeof(one), &e), e);
	assert_ok(hex_decode(key_two, two, sizeof(two), &e), e);
	assert_ok(digest_parts(DIGEST_SHA256, secret, 2, s.entries[0].digest, &e), e);
	assert_ok(run_statement_write(&s, &w, &e), e);
	assert_int_equal(w.len, 406);
	assert_ok(binding_run(w.bytes, w.len, &b, &e), e);
	check_both(&b,
		   "d0a5c187ad2c3a4b96a87ecf523a70716063fbc0a0898ce09cf84418fdc6c455"
		   "47b52852323338108c5b9089e500d5105c3cf3565ae07fe2b9f6211d86f57614",
		   "d3e0849c73a9add150bea3215c8133777b05303d035f93dba88d1b560932ef93");
	assert_ok(binding_with_ak(b.report_data, (const uint8_t *)"\0\x23", 3, bound, &e), e);
	check(bound, sizeof(bound),
	      "30bb192e0c2aad515500b49c9b353b05795e8cde3b9a243cae1b03f292f8e8b0"
	      "18ddc41b0c8fc34e118e93e635478548613fa980cdeab51439d877e2b41c6d50");
	assert_ok(journal_evidence_nonce(w.bytes, w.len, tee, &e), e);
	check(tee, sizeof(tee),
	      "ea071a4d56717b0498a6378836254dc8269b4871bc748285b4903ad748803dcc"
	      "49fad19c0167a30cbbff4ce9c3f99ce94d143cb5db99e74687d8ea82019c74ba");
	assert_ok(binding_nonce(&nonce, one, sizeof(one), &b, &e), e);
	check_both(&b,
		   "b5727d43ddf6ea301bbf7dbe101ec4c4de7e7bbf886601b2fa71c02ef8a17d81"
		   "cb50ab7d6d25a8ce30329a0a55d96749f587da813ed6f5b44b5ab9eda1e43ef6",
		   "d76be7c13ed8c9414d60b9f88a85bf300ac1671da1001d8ba2ff0b9645f29cdc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_s_binding_is_over_key_and_exporter),
		cmocka_unit_test(a_nonce_s_binding_is_over_type_nonces_and_key),
		cmocka_unit_test(a_run_s_binding_is_over_the_statement),
		cmocka_unit_test(the_example_of_the_page_is_ours),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
