/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain whose signatures were verified before: fewer are computed, and nothing else is believed for
 * it. Each attack stands beside its honest twin, with the memory that the twin has filled.
 */
#include "tests/unit.h"
#include "tests/unit/attestation/snp/forge.h"

enum { WHOLE = 4, REMEMBERED = 1 }; /* root, intermediate, leaf, report; the report */

static struct forge f;
static struct verdict v;
static struct signatures *signatures;
static size_t computed;

int __real_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_len,
			    const unsigned char *bytes, size_t len);
int __wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_len,
			    const unsigned char *bytes, size_t len);
int __wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_len,
			    const unsigned char *bytes, size_t len)
{
	computed++;
	return __real_EVP_DigestVerify(ctx, sig, sig_len, bytes, len);
}

static int setup(void **state)
{
	struct err e;

	assert_ok(signatures_new(&signatures, &e), e);
	forge_init(&f, SNP_GENOA, 5, SNP_KEY_VCEK);
	f.input.signatures = signatures;
	return 0;
}

static int teardown(void **state)
{
	signatures_free(signatures);
	return 0;
}

static void accept(size_t signatures_computed)
{
	computed = 0;
	if (!forge_appraise(&f, &v))
		fail_msg("%s", verdict_reason(&v).text);
	assert_int_equal(computed, signatures_computed);
}

static void refuse(const char *check)
{
	assert_false(forge_appraise(&f, &v));
	if (strncmp(verdict_reason(&v).text, check, strlen(check)) != 0)
		fail_msg("'%s' is not about %s", verdict_reason(&v).text, check);
}

static void only_the_report_is_verified_again(void **state)
{
	accept(WHOLE);
	accept(REMEMBERED);
	/* Another report of the same chip; and one that nobody signed. */
	f.report.guest_svn++;
	forge_report(&f);
	accept(REMEMBERED);
	f.bytes[0x38] ^= 1;
	refuse("signature.report");
	forge_report(&f);
	/* Without the memory it is all done again. */
	f.input.signatures = NULL;
	accept(WHOLE);
}

static void what_ran_out_meanwhile_is_refused(void **state)
{
	accept(WHOLE);
	f.input.at = f.ca.not_after;
	f.leaf.not_after = f.root.not_after = f.ca.not_after + 100;
	f.input.skew = 0;
	if (f.ca.not_after > f.root.not_after)
		f.ca.not_after = f.root.not_after;
	forge_certificates(&f);
	forge_appraise(&f, &v); /* fills the memory with these certificates */
	accept(REMEMBERED);
	f.input.at++;
	refuse("time.intermediate");
}

static void a_root_of_another_caller_is_not_trusted(void **state)
{
	accept(WHOLE);
	f.input.trusted_root = (struct span){ NULL, 0 };
	refuse("chain.root");
	f.input.trusted_root = f.input.ark;
	accept(REMEMBERED);
}

/* The same intermediate and leaf, under a root of the same name with another key. */
static void a_signature_is_remembered_for_its_key_alone(void **state)
{
	const struct span honest = f.input.ark;
	struct forge_cert root = f.root;
	uint8_t der[FORGE_CERT_MAX];

	accept(WHOLE);
	root.key = root.issuer_key = f.ca_key;
	f.input.ark = f.input.trusted_root = (struct span){ der, forge_make(&root, der) };
	refuse("chain.intermediate_signature");
	f.input.ark = f.input.trusted_root = honest;
	accept(REMEMBERED);
}

static void a_changed_certificate_is_not_the_remembered_one(void **state)
{
	const struct span honest = f.input.vek;
	uint8_t der[FORGE_CERT_MAX];

	accept(WHOLE);
	memcpy(der, honest.bytes, honest.len);
	f.input.vek.bytes = der;
	der[honest.len - 1] ^= 1;
	refuse("chain.vek_signature");
	der[honest.len - 1] ^= 1;
	accept(REMEMBERED);
}

static void what_is_revoked_meanwhile_is_refused(void **state)
{
	const long ask[] = { 65537 };
	uint8_t clean[FORGE_CRL_MAX], listed[FORGE_CRL_MAX];

	f.input.crls[0] = (struct span){ clean, forge_crl(f.root_key, "ARK-Genoa", NULL, 0,
							  FORGE_AT - 9, FORGE_AT + 9, clean) };
	f.input.crl_count = 1;
	accept(WHOLE + 1);
	accept(REMEMBERED);
	/* The remembered list at another moment, and another list. */
	f.input.at = FORGE_AT + 10;
	refuse("crl.list");
	f.input.at = FORGE_AT;
	f.input.crls[0] = (struct span){ listed, forge_crl(f.root_key, "ARK-Genoa", ask, 1,
							   FORGE_AT - 9, FORGE_AT + 9, listed) };
	refuse("crl.revoked");
	refuse("crl.revoked");
	/* A caller who has an older one taken remembers it for nobody who has not. */
	f.input.crls[0] = (struct span){ clean, forge_crl(f.root_key, "ARK-Genoa", NULL, 0,
							  FORGE_AT - 9, FORGE_AT + 9, clean) };
	forge_appraise(&f, &v);
	accept(REMEMBERED);
	f.input.crl_max_age = 8;
	refuse("crl.age");
}

static void a_memory_full_of_strangers_says_yes_to_nobody(void **state)
{
	const struct span honest = f.input.vek;
	uint8_t der[FORGE_CERT_MAX], digest[SHA256_LEN] = { 0 };

	accept(WHOLE);
	for (uint32_t i = 1; i <= 3 * SIGNATURES_LEAVES_MAX; i++) {
		memcpy(digest, &i, sizeof(i));
		signatures_add(signatures, SIGNATURES_LEAVES, digest);
	}
	memcpy(der, honest.bytes, honest.len);
	der[honest.len - 1] ^= 1;
	f.input.vek.bytes = der;
	refuse("chain.vek_signature");
	/* The chip's own gave way and is verified again; the CAs' are still there. */
	f.input.vek = honest;
	accept(REMEMBERED + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_report_is_verified_again),
		TEST(what_ran_out_meanwhile_is_refused),
		TEST(a_root_of_another_caller_is_not_trusted),
		TEST(a_signature_is_remembered_for_its_key_alone),
		TEST(a_changed_certificate_is_not_the_remembered_one),
		TEST(what_is_revoked_meanwhile_is_refused),
		TEST(a_memory_full_of_strangers_says_yes_to_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
