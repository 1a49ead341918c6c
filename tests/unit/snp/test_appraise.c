/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit.h"
#include "tests/unit/snp/forge.h"

#include "attestation/idblock.h"
#include "common/base/bytes.h"

#include <stdio.h>

#define AMD_ARC "1.3.6.1.4.1.3704.1."

static struct forge f;
static struct verdict v;

/* The call is a no, and its first failed check is that one. */
static void assert_fails_at(const char *check)
{
	struct err e;

	assert_false(forge_appraise(&f, &v));
	for (size_t i = 0; i < v.count; i++)
		if (v.checks[i].outcome == CHECK_FAILED) {
			if (strcmp(v.checks[i].name, check) != 0)
				fail_msg("%s failed first, not %s", v.checks[i].name, check);
			return;
		}
	verdict_reason(&v, &e);
	fail_msg("no check failed: %s", e.text);
}

static void assert_passes(void)
{
	struct err e = { 0 };

	if (!forge_appraise(&f, &v)) {
		verdict_reason(&v, &e);
		fail_msg("%s", e.text);
	}
}

static void good(void)
{
	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VCEK);
}

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
	assert_ok(snp_appraise(&f.input, &result, &v, &e), e);
	assert_int_equal(result.product, SNP_TURIN);
	assert_int_equal(result.key, SNP_KEY_VLEK);
	assert_int_equal(result.tcb.fmc, 1);
	assert_true(result.own_root);
	assert_string_equal(result.csp_id, "CN=cloud.example");
	assert_memory_equal(&result.report, &f.report, sizeof(f.report));
}

/* The test's root is nobody's: without being named it is worth nothing. */
static void only_a_root_that_is_named_is_trusted(void **state)
{
	uint8_t other[FORGE_CERT_MAX];
	struct forge_cert root;
	size_t len;

	good();
	f.input.trusted_root = (struct span){ 0 };
	assert_fails_at("chain.root");
	good();
	root = f.root;
	root.key = root.issuer_key = f.ca_key; /* the same name, another key */
	len = forge_make(&root, other);
	f.input.trusted_root = (struct span){ other, len };
	assert_fails_at("chain.root");
	/* The ARK that is given has the name of the trusted one, but signs by itself. */
	good();
	f.input.ark = (struct span){ other, len };
	assert_fails_at("chain.root");
	/* Who names a root need not give it twice. */
	good();
	f.input.ark = (struct span){ 0 };
	assert_passes();
}

static void a_missing_certificate_is_a_refusal(void **state)
{
	good();
	f.input.vek = (struct span){ 0 };
	assert_fails_at("chain.vek");
	good();
	f.input.intermediate = (struct span){ 0 };
	assert_fails_at("chain.intermediate");
	good();
	f.input.ark = f.input.trusted_root = (struct span){ 0 };
	assert_fails_at("chain.ark");
	good();
	f.input.trusted_root = (struct span){ (const uint8_t *)"x", 1 };
	assert_fails_at("chain.trusted_root");
}

static void names_say_what_a_certificate_is_for(void **state)
{
	good();
	f.leaf.subject = "SEV-VCEX";
	forge_certificates(&f);
	assert_fails_at("chain.names");
	good();
	f.ca.subject = f.leaf.issuer = "SEV-Milan"; /* of another product */
	forge_certificates(&f);
	assert_fails_at("chain.names");
	good();
	f.ca.subject = f.leaf.issuer = "SEV-VLEK-Genoa"; /* signs VLEKs */
	forge_certificates(&f);
	assert_fails_at("chain.names");
	good();
	f.leaf.issuer = "ARK-Genoa";
	forge_certificates(&f);
	assert_fails_at("chain.vek_signature");
}

static void leaves_sign_reports_only(void **state)
{
	EVP_PKEY *p256 = EVP_EC_gen("P-256");

	good();
	f.leaf.constraints = "critical,CA:TRUE";
	forge_certificates(&f);
	assert_fails_at("chain.leaf");
	good();
	f.leaf.usage = "critical,keyCertSign";
	forge_certificates(&f);
	assert_fails_at("chain.leaf");
	good();
	f.leaf.usage = "critical,digitalSignature";
	forge_certificates(&f);
	assert_passes();
	good();
	f.leaf.key = p256;
	forge_certificates(&f);
	assert_fails_at("chain.leaf");
	EVP_PKEY_free(p256);
}

/* RFC 5280, 4.2: loading leaves two extensions to whoever uses the certificate. */
static void critical_extensions_that_nobody_judges_are_refused(void **state)
{
	static const char *const oids[] = { "2.5.29.37", "2.5.29.17" };
	static const uint8_t value[] = { 0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
					 0x01, 0x05, 0x05, 0x07, 0x03, 0x01 };
	struct forge_cert *const certs[] = { &f.leaf, &f.ca };

	for (size_t i = 0; i < ARRAY_LEN(oids); i++)
		for (size_t k = 0; k < ARRAY_LEN(certs); k++) {
			good();
			forge_add(certs[k], oids[i], value, sizeof(value));
			forge_certificates(&f);
			assert_passes();
			forge_find(certs[k], oids[i])->critical = true;
			forge_certificates(&f);
			assert_fails_at("chain.extensions");
		}
}

static void each_certificate_has_its_time_and_the_skew_is_the_limit(void **state)
{
	static const char *const checks[] = { "time.ark", "time.intermediate", "time.vek" };

	for (size_t i = 0; i < 3; i++) {
		struct forge_cert *which[3];

		for (int side = 0; side < 2; side++) {
			good();
			which[0] = &f.root;
			which[1] = &f.ca;
			which[2] = &f.leaf;
			if (side)
				which[i]->not_after = FORGE_AT - 5;
			else
				which[i]->not_before = FORGE_AT + 5;
			forge_certificates(&f);
			assert_fails_at(checks[i]);
			f.input.skew = 4;
			assert_fails_at(checks[i]);
			f.input.skew = 5;
			assert_passes();
		}
	}
}

static void a_skew_is_not_any_time(void **state)
{
	good();
	f.input.skew = SNP_SKEW_MAX;
	assert_passes();
	f.input.skew++;
	assert_fails_at("time.skew");
}

static size_t give_crl(const long *serials, size_t count)
{
	static uint8_t der[FORGE_CRL_MAX];
	size_t len = forge_crl(f.root_key, "ARK-Genoa", serials, count, FORGE_AT - 9, FORGE_AT + 9,
			       der);

	f.input.crls[f.input.crl_count++] = (struct span){ der, len };
	return len;
}

static void crls_that_are_given_are_used_or_refused(void **state)
{
	const long ask[] = { 65537 }, ark[] = { 65536 }, vcek[] = { 0 };

	good();
	assert_passes();
	assert_int_equal(verdict_find(&v, "crl.revoked")->outcome, CHECK_NOT_ASKED);
	f.input.require_crl = true;
	assert_fails_at("crl.required");
	good();
	f.input.require_crl = true;
	give_crl(vcek, 1); /* the ARK did not issue the VCEK: no word about it */
	assert_passes();
	assert_int_equal(verdict_find(&v, "crl.revoked")->outcome, CHECK_PASSED);
	good();
	give_crl(ask, 1);
	assert_fails_at("crl.revoked");
	good();
	give_crl(ark, 1);
	assert_fails_at("crl.revoked");
	good();
	give_crl(NULL, 0);
	f.input.at = FORGE_AT + 10;
	assert_fails_at("crl.list");
	f.input.skew = 1;
	assert_passes();
	good();
	f.input.crls[0] = f.input.ark;
	f.input.crl_count = 1;
	assert_fails_at("crl.format");
	good();
	f.input.crl_count = SNP_CRLS_MAX + 1;
	assert_fails_at("crl.list");
}

static void a_crl_of_the_ask_needs_the_right_to_sign_lists(void **state)
{
	static uint8_t der[FORGE_CRL_MAX];
	const long vcek[] = { 0 };
	size_t len;

	good();
	len = forge_crl(f.ca_key, "SEV-Genoa", vcek, 1, FORGE_AT - 9, FORGE_AT + 9, der);
	f.input.crls[0] = (struct span){ der, len };
	f.input.crl_count = 1;
	assert_fails_at("crl.list");
	f.ca.usage = "critical,keyCertSign,cRLSign";
	forge_certificates(&f);
	assert_fails_at("crl.revoked");
	len = forge_crl(f.ca_key, "SEV-Genoa", NULL, 0, FORGE_AT - 9, FORGE_AT + 9, der);
	f.input.crls[0].len = len;
	assert_passes();
	/* It is not the one that is required. */
	f.input.require_crl = true;
	assert_fails_at("crl.required");
}

/* What the leaf says and the report says. */
static void the_leaf_has_to_be_of_this_report(void **state)
{
	struct forge_extension *x;

	good();
	forge_find(&f.leaf, AMD_ARC "3.8")->bytes[3] ^= 1;
	forge_certificates(&f);
	assert_fails_at("binding.tcb");
	good();
	forge_find(&f.leaf, AMD_ARC "4")->bytes[63] ^= 1;
	forge_certificates(&f);
	assert_fails_at("binding.chip_id");
	good();
	memcpy(forge_find(&f.leaf, AMD_ARC "2")->bytes + 2, "Turin", 5);
	forge_certificates(&f);
	assert_false(forge_appraise(&f, &v));
	good();
	x = forge_find(&f.leaf, AMD_ARC "2");
	memcpy(x->bytes, "\x16\x05Milan", 7);
	forge_certificates(&f);
	assert_fails_at("binding.product");
	good();
	x = forge_find(&f.leaf, AMD_ARC "4");
	x->len--;
	forge_certificates(&f);
	assert_fails_at("binding.extensions");
	good();
	forge_find(&f.leaf, AMD_ARC "3.8")->oid = AMD_ARC "3.88";
	forge_certificates(&f);
	assert_fails_at("binding.extensions");
	good();
	forge_add(&f.leaf, AMD_ARC "3.9", (uint8_t[]){ 2, 1, 0 }, 3); /* Turin's */
	forge_certificates(&f);
	assert_fails_at("binding.extensions");
	good();
	forge_find(&f.leaf, AMD_ARC "1")->bytes[2] = 1;
	forge_certificates(&f);
	assert_fails_at("binding.extensions");
	/* An extension that nobody knows is stepped over. */
	good();
	forge_add(&f.leaf, AMD_ARC "99", "?", 1);
	forge_certificates(&f);
	assert_passes();
}

static void numbers_of_the_leaf_have_one_form(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{ "\x02\x01\xdb", 3 },	     /* negative */
		{ "\x02\x02\x01\xdb", 4 },   /* 256 too many */
		{ "\x04\x01\xdb", 3 },	     /* an OCTET STRING */
		{ "\x02\x03\x00\x00\xdb", 5 },
		{ "\x02\x02\x00\xdb\x00", 5 },
		{ "", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct forge_extension *x;

		good();
		x = forge_find(&f.leaf, AMD_ARC "3.8");
		memcpy(x->bytes, bad[i].bytes, bad[i].len);
		x->len = bad[i].len;
		forge_certificates(&f);
		assert_fails_at("binding.extensions");
	}
}

static void the_kind_of_key_that_was_named_counts(void **state)
{
	good();
	f.input.need_vlek = true;
	assert_fails_at("binding.certificate_kind");
	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VLEK);
	f.input.need_vcek = true;
	assert_fails_at("binding.certificate_kind");
	f.input.need_vcek = false;
	f.input.need_vlek = true;
	assert_passes();
}

static void the_chip_of_turin_is_eight_bytes(void **state)
{
	forge_init(&f, SNP_TURIN, 5, SNP_KEY_VCEK);
	f.report.chip_id[8] = 1;
	forge_report(&f);
	assert_fails_at("binding.chip_id");
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

/* The zero entry that ends a table is an empty one; more zeros, or fewer, are bytes too many. */
static void zeros_behind_a_report_are_no_table(void **state)
{
	static uint8_t raw[4096];
	static const size_t lens[] = { SNP_REPORT_LEN + 1,  SNP_REPORT_LEN + 23, SNP_REPORT_LEN + 25,
				       SNP_REPORT_LEN + 32, SNP_REPORT_LEN + 48, sizeof(raw) };
	struct span report, table;

	good();
	memset(raw, 0, sizeof(raw));
	memcpy(raw, f.bytes, SNP_REPORT_LEN);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		snp_evidence_split((struct span){ raw, lens[i] }, &report, &table);
		assert_int_equal(report.len, lens[i]);
		assert_int_equal(table.len, 0);
		f.input.report = report;
		assert_fails_at("parse.report");
	}
	snp_evidence_split((struct span){ raw, SNP_REPORT_LEN + 24 }, &report, &table);
	assert_int_equal(report.len, SNP_REPORT_LEN);
	assert_int_equal(table.len, 24);
	f.input.report = report;
	f.input.cert_table = table;
	assert_passes();
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
				(struct snp_set){ f.report.author_key_digest, 1 };
		}
		f.policy.id_key_digests = (struct snp_set){ f.report.id_key_digest, 1 };
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
	assert_ok(snp_appraise(&f.input, NULL, &v, &e), e);
	assert_null(verdict_find(&v, "policy.measurement"));
	f.report_data[0] ^= 1;
	verdict_init(&v, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(snp_appraise(&f.input, NULL, &v, &e), e, ERR_DENIED, "policy.report_data");
	f.input.report_data = NULL;
	verdict_init(&v, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(snp_appraise(&f.input, NULL, &v, &e), e, ERR_DENIED, "policy.report_data");
}

/* An earlier no stays one. */
static void a_verdict_with_a_failed_check_stays_a_no(void **state)
{
	struct err e;

	good();
	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_check(&v, "quote.signature", NULL, false, NULL, NULL);
	assert_refused(snp_appraise(&f.input, NULL, &v, &e), e, ERR_DENIED, "quote.signature");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_product_version_and_key_is_verified),
		cmocka_unit_test(the_result_says_what_was_found),
		cmocka_unit_test(only_a_root_that_is_named_is_trusted),
		cmocka_unit_test(a_missing_certificate_is_a_refusal),
		cmocka_unit_test(names_say_what_a_certificate_is_for),
		cmocka_unit_test(leaves_sign_reports_only),
		cmocka_unit_test(critical_extensions_that_nobody_judges_are_refused),
		cmocka_unit_test(each_certificate_has_its_time_and_the_skew_is_the_limit),
		cmocka_unit_test(a_skew_is_not_any_time),
		cmocka_unit_test(crls_that_are_given_are_used_or_refused),
		cmocka_unit_test(a_crl_of_the_ask_needs_the_right_to_sign_lists),
		cmocka_unit_test(the_leaf_has_to_be_of_this_report),
		cmocka_unit_test(numbers_of_the_leaf_have_one_form),
		cmocka_unit_test(the_kind_of_key_that_was_named_counts),
		cmocka_unit_test(the_chip_of_turin_is_eight_bytes),
		cmocka_unit_test(every_bit_of_a_report_counts),
		cmocka_unit_test(certificates_may_come_in_the_table),
		cmocka_unit_test(zeros_behind_a_report_are_no_table),
		cmocka_unit_test(a_list_that_the_host_chose_is_not_the_one_that_is_asked_for),
		cmocka_unit_test(id_blocks_are_signed_and_say_what_the_report_says),
		cmocka_unit_test(every_byte_of_an_id_block_counts),
		cmocka_unit_test(genuine_only_wants_no_policy_but_the_rest),
		cmocka_unit_test(a_verdict_with_a_failed_check_stays_a_no),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
