/* SPDX-License-Identifier: Apache-2.0 */
/* The whole appraisal: reports, what stands behind them, ID blocks. */
#include "attestation/snp/idblock.h"
#include "common/base/bytes.h"
#include "tests/answers.h"
#include "tests/unit/attestation/snp/appraising.h"

#include <stdio.h>

static void every_product_version_and_key_is_verified(void **state)
{
	static const uint32_t versions[] = { 2, 3, 5 };

	for (enum snp_product p = SNP_MILAN; p < SNP_PRODUCTS; p++)
		for (size_t i = 0; i < ARRAY_LEN(versions); i++)
			for (int key = SNP_KEY_VCEK; key <= SNP_KEY_VLEK; key++) {
				forge_init(&f, p, versions[i], (enum snp_signing_key)key);
				assert_passes();
			}
}

static void the_result_says_what_was_found(void **state)
{
	struct snp_result result;
	struct err e;

	forge_init(&f, SNP_TURIN, 5, SNP_KEY_VLEK);
	verdict_init(&v, VERDICT_SCOPE_FULL);
	assert_ok(snp_answer(&f.input, &result, &v, &e), e);
	assert_int_equal(result.product, SNP_TURIN);
	assert_int_equal(result.key, SNP_KEY_VLEK);
	assert_int_equal(result.tcb.fmc, 1);
	assert_true(result.own_root);
	assert_string_equal(result.csp_id, "CN=cloud.example");
	assert_memory_equal(&result.report, &f.report, sizeof(f.report));
}

/* Every bit that the signature covers, and every bit of the signature itself. */
static void every_bit_of_a_report_counts(void **state)
{
	size_t bits = 0;

	good();
	for (size_t bit = 0; bit < 8 * SNP_REPORT_LEN; bit += 7, bits++) {
		f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (forge_appraise(&f, &v))
			fail_msg("bit %zu of 0x%03zx counts for nothing", bit % 8, bit / 8);
		f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	print_message("# %zu bits\n", bits);
}

static void certificates_may_come_in_the_table(void **state)
{
	static const uint8_t guids[3][16] = {
		{ 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b,
		  0xe8, 0xac, 0xcd },
		{ 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3,
		  0x27, 0xc7, 0x82 },
		{ 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01,
		  0x4c, 0xd0, 0xae },
	};
	static uint8_t table[4 * FORGE_CERT_MAX];
	struct span certs[3];
	size_t at = 4 * 24;

	good();
	certs[0] = f.input.vek;
	certs[1] = f.input.intermediate;
	certs[2] = f.input.ark;
	for (size_t i = 0; i < 3; i++) {
		memcpy(table + 24 * i, guids[i], 16);
		bytes_put_le(table + 24 * i + 16, at, 4);
		bytes_put_le(table + 24 * i + 20, certs[i].len, 4);
		memcpy(table + at, certs[i].bytes, certs[i].len);
		at += certs[i].len;
	}
	f.input.cert_table = (struct span){ table, at };
	f.input.vek = f.input.intermediate = f.input.ark = (struct span){ 0 };
	assert_passes();
	f.input.cert_table.len--;
	assert_fails_at("certtable.format");
	/* A root in the evidence is not trusted for being there. */
	f.input.cert_table.len++;
	f.input.trusted_root = (struct span){ 0 };
	assert_fails_at("chain.root");
	/* A VCEK in the place of the VLEK is not looked at. */
	good();
	table[0] ^= 0xff;
	f.input.cert_table = (struct span){ table, at };
	f.input.vek = (struct span){ 0 };
	assert_fails_at("chain.vek");
}

/* The zero entry that ends a table makes an empty one, and zeros fill the rest of its pages; fewer zeros,
 * and anything else among them, are bytes too many. */
static void zeros_behind_a_report_are_an_empty_table(void **state)
{
	static uint8_t raw[4096];
	static const size_t refused[] = { SNP_REPORT_LEN + 1, SNP_REPORT_LEN + 23 };
	static const size_t taken[] = { SNP_REPORT_LEN + 24, SNP_REPORT_LEN + 25,
					SNP_REPORT_LEN + 48, sizeof(raw) };
	struct span report, table;

	good();
	memset(raw, 0, sizeof(raw));
	memcpy(raw, f.bytes, SNP_REPORT_LEN);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		snp_evidence_split((struct span){ raw, refused[i] }, &report, &table);
		assert_int_equal(report.len, refused[i]);
		assert_int_equal(table.len, 0);
		f.input.report = report;
		assert_fails_at("parse.report");
	}
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		snp_evidence_split((struct span){ raw, taken[i] }, &report, &table);
		assert_int_equal(report.len, SNP_REPORT_LEN);
		assert_int_equal(table.len, taken[i] - SNP_REPORT_LEN);
		f.input.report = report;
		f.input.cert_table = table;
		assert_passes();
	}
	raw[sizeof(raw) - 1] = 1;
	snp_evidence_split((struct span){ raw, sizeof(raw) }, &report, &table);
	f.input.report = report;
	f.input.cert_table = table;
	assert_fails_at("parse.report");
	raw[sizeof(raw) - 1] = 0;
	good();
	/* One entry, of a GUID that nobody knows, is a table. */
	raw[SNP_REPORT_LEN] = 1;
	bytes_put_le(raw + SNP_REPORT_LEN + 16, 48, 4);
	bytes_put_le(raw + SNP_REPORT_LEN + 20, 1, 4);
	snp_evidence_split((struct span){ raw, SNP_REPORT_LEN + 49 }, &report, &table);
	assert_int_equal(report.len, SNP_REPORT_LEN);
	assert_int_equal(table.len, 49);
	f.input.report = report;
	f.input.cert_table = table;
	assert_passes();
}

/* It may be signed and current, and older than the last revocation. */
static void a_list_that_the_host_chose_is_not_the_one_that_is_asked_for(void **state)
{
	static const uint8_t guid[16] = { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d,
					  0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea };
	enum { HEAD = 48 };
	static uint8_t table[HEAD + FORGE_CRL_MAX];
	const long ask[] = { 65537 };
	size_t len = forge_crl(f.root_key, "ARK-Genoa", NULL, 0, FORGE_AT - 9, FORGE_AT + 9,
			       table + HEAD);

	good();
	memcpy(table, guid, sizeof(guid));
	bytes_put_le(table + 16, HEAD, 4);
	bytes_put_le(table + 20, len, 4);
	f.input.cert_table = (struct span){ table, HEAD + len };
	assert_passes();
	f.input.require_crl = true;
	assert_fails_at("crl.required");
	give_crl(NULL, 0);
	assert_passes();
	/* The host's may be old, since it is not the one that counts. */
	f.input.crl_max_age = 1;
	assert_fails_at("crl.age");
	f.input.crl_asked[0] = FORGE_AT;
	assert_passes();
	/* One that revokes counts, whoever brought it. */
	good();
	len = forge_crl(f.root_key, "ARK-Genoa", ask, 1, FORGE_AT - 9, FORGE_AT + 9, table + HEAD);
	bytes_put_le(table + 20, len, 4);
	f.input.cert_table = (struct span){ table, HEAD + len };
	assert_fails_at("crl.revoked");
}

static void id_blocks_are_signed_and_say_what_the_report_says(void **state)
{
	uint8_t block[IDBLOCK_LEN], auth[IDAUTH_LEN];
	EVP_PKEY *id_key = EVP_EC_gen("P-384"), *author = EVP_EC_gen("P-384");
	struct idblock fields = { .guest_svn = 5, .policy = SNP_POLICY_RESERVED_ONE };
	struct err e;

	good();
	memcpy(fields.measurement, f.report.measurement, SNP_DIGEST_LEN);
	for (int with_author = 0; with_author < 2; with_author++) {
		good();
		idblock_write(&fields, block);
		assert_ok(idblock_sign(block, id_key, with_author ? author : NULL, auth, &e), e);
		assert_ok(idblock_key_digest(id_key, f.report.id_key_digest, &e), e);
		if (with_author) {
			f.report.flags |= SNP_FLAG_AUTHOR_KEY_EN;
			assert_ok(idblock_key_digest(author, f.report.author_key_digest, &e), e);
			f.policy.author_key_digests =
				(struct value_set){ f.report.author_key_digest, 1 };
		}
		f.policy.id_key_digests = (struct value_set){ f.report.id_key_digest, 1 };
		forge_report(&f);
		f.input.id_block = (struct span){ block, sizeof(block) };
		f.input.id_auth = (struct span){ auth, sizeof(auth) };
		assert_passes();
		f.input.id_auth.len = 0;
		assert_fails_at("idblock.format");
		f.input.id_auth.len = sizeof(auth);
		block[84]++; /* the SVN, under the signature */
		assert_fails_at("idblock.signature");
		block[84]--;
		f.report.guest_svn++;
		forge_report(&f);
		assert_fails_at("idblock.guest_svn");
	}
	EVP_PKEY_free(id_key);
	EVP_PKEY_free(author);
}

/* One thing of the report at a time says something else than the block, whose signatures are right. */
static void a_report_of_another_id_block_is_refused(void **state)
{
	static const struct {
		const char *check;
		size_t at; /* in struct snp_report */
	} rows[] = {
		{ "idblock.measurement", offsetof(struct snp_report, measurement) },
		{ "idblock.family_id", offsetof(struct snp_report, family_id) },
		{ "idblock.image_id", offsetof(struct snp_report, image_id) },
		{ "idblock.guest_svn", offsetof(struct snp_report, guest_svn) },
		{ "idblock.policy", offsetof(struct snp_report, policy) },
		{ "idblock.id_key_digest", offsetof(struct snp_report, id_key_digest) },
		{ "idblock.author_key_digest", offsetof(struct snp_report, author_key_digest) },
		{ "idblock.author_key_en", offsetof(struct snp_report, flags) },
	};
	uint8_t block[IDBLOCK_LEN], auth[IDAUTH_LEN];
	EVP_PKEY *id_key = EVP_EC_gen("P-384"), *author = EVP_EC_gen("P-384");
	struct idblock fields = { .policy = 0 };
	struct err e;

	good();
	fields.policy = f.report.policy;
	fields.guest_svn = f.report.guest_svn;
	memcpy(fields.measurement, f.report.measurement, SNP_DIGEST_LEN);
	memcpy(fields.family_id, f.report.family_id, SNP_ID_LEN);
	memcpy(fields.image_id, f.report.image_id, SNP_ID_LEN);
	idblock_write(&fields, block);
	assert_ok(idblock_sign(block, id_key, author, auth, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		good();
		f.report.flags |= SNP_FLAG_AUTHOR_KEY_EN;
		assert_ok(idblock_key_digest(id_key, f.report.id_key_digest, &e), e);
		assert_ok(idblock_key_digest(author, f.report.author_key_digest, &e), e);
		f.policy.id_key_digests = (struct value_set){ f.report.id_key_digest, 1 };
		f.policy.author_key_digests = (struct value_set){ f.report.author_key_digest, 1 };
		f.input.id_block = (struct span){ block, sizeof(block) };
		f.input.id_auth = (struct span){ auth, sizeof(auth) };
		forge_report(&f);
		assert_passes();
		*((uint8_t *)&f.report + rows[i].at) ^= 1;
		forge_report(&f);
		assert_fails_at(rows[i].check);
	}
	EVP_PKEY_free(id_key);
	EVP_PKEY_free(author);
}

static void every_byte_of_an_id_block_counts(void **state)
{
	uint8_t block[IDBLOCK_LEN], auth[IDAUTH_LEN];
	EVP_PKEY *id_key = EVP_EC_gen("P-384"), *author = EVP_EC_gen("P-384");
	struct idblock fields = { .policy = SNP_POLICY_RESERVED_ONE };
	struct span block_span = { block, sizeof(block) }, auth_span = { auth, sizeof(auth) };
	bool with_author;
	struct err e;

	idblock_write(&fields, block);
	assert_ok(idblock_sign(block, id_key, author, auth, &e), e);
	assert_ok(idblock_verify(block_span, auth_span, &with_author, &e), e);
	assert_true(with_author);
	for (size_t i = 0; i < sizeof(block); i++) {
		block[i] ^= 1;
		assert_int_not_equal(idblock_verify(block_span, auth_span, &with_author, &e), 0);
		block[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(auth); i++) {
		auth[i] ^= 1;
		if (idblock_verify(block_span, auth_span, &with_author, &e) == 0)
			fail_msg("byte %zu of the authentication counts for nothing", i);
		auth[i] ^= 1;
	}
	auth_span.len--;
	assert_int_not_equal(idblock_verify(block_span, auth_span, &with_author, &e), 0);
	EVP_PKEY_free(id_key);
	EVP_PKEY_free(author);
}

static void genuine_only_wants_no_policy_but_the_rest(void **state)
{
	struct err e;

	good();
	f.input.policy = NULL;
	verdict_init(&v, VERDICT_SCOPE_GENUINE_ONLY);
	assert_ok(snp_answer(&f.input, NULL, &v, &e), e);
	assert_null(verdict_find(&v, CHECK_POLICY_MEASUREMENT));
	f.report_data[0] ^= 1;
	verdict_init(&v, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(snp_answer(&f.input, NULL, &v, &e), e, ERR_DENIED, "policy.report_data");
	f.input.report_data = NULL;
	verdict_init(&v, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(snp_answer(&f.input, NULL, &v, &e), e, ERR_DENIED, "policy.report_data");
}

/* An earlier no stays one. */
static void a_verdict_with_a_failed_check_stays_a_no(void **state)
{
	struct err e;

	good();
	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_check(&v, CHECK_QUOTE_SIGNATURE, false, NULL, NULL);
	assert_refused(snp_answer(&f.input, NULL, &v, &e), e, ERR_DENIED, "quote.signature");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_product_version_and_key_is_verified),
		cmocka_unit_test(the_result_says_what_was_found),
		cmocka_unit_test(every_bit_of_a_report_counts),
		cmocka_unit_test(certificates_may_come_in_the_table),
		cmocka_unit_test(zeros_behind_a_report_are_an_empty_table),
		cmocka_unit_test(a_list_that_the_host_chose_is_not_the_one_that_is_asked_for),
		cmocka_unit_test(id_blocks_are_signed_and_say_what_the_report_says),
		cmocka_unit_test(a_report_of_another_id_block_is_refused),
		cmocka_unit_test(every_byte_of_an_id_block_counts),
		cmocka_unit_test(genuine_only_wants_no_policy_but_the_rest),
		cmocka_unit_test(a_verdict_with_a_failed_check_stays_a_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
