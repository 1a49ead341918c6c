/* SPDX-License-Identifier: Apache-2.0 */
/* The whole appraisal: certificates, their time, lists of what is revoked, and whose leaf it is. */
#include "attestation/verdict/crl_age.h"
#include "tests/unit/attestation/snp/appraising.h"

#include <stdio.h>

#define AMD_ARC "1.3.6.1.4.1.3704.1."

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
	/* All of one product, which nobody knows. */
	good();
	f.root.subject = f.root.issuer = f.ca.issuer = "ARK-Paris";
	f.ca.subject = f.leaf.issuer = "SEV-Paris";
	forge_certificates(&f);
	assert_fails_at("chain.names");
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
	struct forge_cert *const certs[] = { &f.leaf, &f.ca, &f.root };

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

static void crls_that_are_given_are_used_or_refused(void **state)
{
	const long ask[] = { 65537 }, ark[] = { 65536 }, vcek[] = { 0 };

	good();
	assert_passes();
	assert_int_equal(verdict_find(&v, CHECK_CRL_REVOKED)->outcome, CHECK_NOT_ASKED);
	f.input.require_crl = true;
	assert_fails_at("crl.required");
	good();
	f.input.require_crl = true;
	give_crl(vcek, 1); /* the ARK did not issue the VCEK: no word about it */
	assert_passes();
	assert_int_equal(verdict_find(&v, CHECK_CRL_REVOKED)->outcome, CHECK_PASSED);
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

/* The list is made nine seconds before FORGE_AT. */
static void a_list_may_be_as_old_as_the_policy_says(void **state)
{
	static const struct {
		uint64_t max;
		int64_t asked; /* before FORGE_AT */
		uint32_t skew;
		bool young;
	} cases[] = {
		{ 9, 0, 0, true },
		{ 8, 0, 0, false },
		{ 8, 0, 1, true },
		{ 1, 1, 0, true }, /* the service says that there is no newer one */
		{ 1, 2, 0, false },
		{ 8, 10, 0, false },
		{ 9, 10, 0, true }, /* made later: somebody's clock is wrong */
		{ CRL_AGE_MAX, 0, 0, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		good();
		give_crl(NULL, 0);
		f.input.crl_max_age = cases[i].max;
		f.input.crl_asked[0] = cases[i].asked ? FORGE_AT - cases[i].asked : 0;
		f.input.skew = cases[i].skew;
		if (cases[i].young)
			assert_passes();
		else
			assert_fails_at("crl.age");
	}
	/* Without a list there is none that is young. */
	good();
	f.input.crl_max_age = 9;
	f.input.require_crl = true;
	assert_fails_at("crl.required");
	f.input.require_crl = false;
	assert_false(forge_appraise(&f, &v));
	assert_non_null(strstr(verdict_reason(&v).text, "crl.age: found no such check"));
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
		{ "\x02\x01\xdb", 3 },     /* negative */
		{ "\x02\x02\x01\xdb", 4 }, /* 256 too many */
		{ "\x04\x01\xdb", 3 },     /* an OCTET STRING */
		{ "\x02\x03\x00\x00\xdb", 5 }, { "\x02\x02\x00\xdb\x00", 5 }, { "", 0 },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_root_that_is_named_is_trusted),
		cmocka_unit_test(a_missing_certificate_is_a_refusal),
		cmocka_unit_test(names_say_what_a_certificate_is_for),
		cmocka_unit_test(leaves_sign_reports_only),
		cmocka_unit_test(critical_extensions_that_nobody_judges_are_refused),
		cmocka_unit_test(each_certificate_has_its_time_and_the_skew_is_the_limit),
		cmocka_unit_test(a_skew_is_not_any_time),
		cmocka_unit_test(crls_that_are_given_are_used_or_refused),
		cmocka_unit_test(a_crl_of_the_ask_needs_the_right_to_sign_lists),
		cmocka_unit_test(a_list_may_be_as_old_as_the_policy_says),
		cmocka_unit_test(the_leaf_has_to_be_of_this_report),
		cmocka_unit_test(numbers_of_the_leaf_have_one_form),
		cmocka_unit_test(the_kind_of_key_that_was_named_counts),
		cmocka_unit_test(the_chip_of_turin_is_eight_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
