/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TDX evidence whose collateral was verified before: of a fleet's next machine its PCK certificate,
 * QE report and quote are left, of the same machine the quote, and nothing else is believed for what is
 * remembered.
 */
#include "tests/answers.h"
#include "tests/forge/tdx_forge.h"
#include "tests/unit.h"

#include <stdio.h>

/* PCK, CA, root; both lists; TCB signer; two documents; QE report and quote. */
enum { WHOLE = 10, SAME_MACHINE = 1, OTHER_MACHINE = 3 };

enum { ISVSVN_AT = 258 /* of a QE report */ };

static struct tdx_forge f;
static struct signatures *signatures;
static struct tdx_policy policy;
static struct tdx_input in;
static uint8_t quote[FORGE_QUOTE_MAX];
static struct verdict v;
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

static int judge(struct err *e)
{
	struct tdx_input now = in;

	computed = 0;
	verdict_init(&v, VERDICT_SCOPE_FULL);
	return tdx_answer(&now, NULL, &v, e);
}

static int setup(void **state)
{
	struct err e;

	assert_ok(signatures_new(&signatures, &e), e);
	tdx_forge_init(&f);
	tdx_forge_policy(&f.good.body, &policy);
	tdx_forge_input(&f, quote, tdx_forge_quote(&f, &f.good, quote), &f.good.body, &policy, &in);
	in.endorsements.signatures = signatures;
	assert_ok(judge(&e), e);
	assert_int_equal(computed, WHOLE);
	return 0;
}

static int teardown(void **state)
{
	signatures_free(signatures);
	tdx_forge_done(&f);
	return 0;
}

/* Another machine's certificate before the very CAs of the first. */
static char *chain_of_another_machine(void)
{
	static const char end[] = "-----END CERTIFICATE-----\n";
	char *other = tdx_forge_other_platform(&f), *stop = strstr(other, end), *chain = NULL;
	const char *cas = strstr(f.pck_chain, end);

	assert_non_null(stop);
	assert_non_null(cas);
	stop[strlen(end)] = '\0';
	assert_true(asprintf(&chain, "%s%s", other, cas + strlen(end)) > 0);
	free(other);
	return chain;
}

static void a_fleet_s_collateral_is_verified_once(void **state)
{
	char *first = f.pck_chain;
	struct err e;

	assert_ok(judge(&e), e);
	assert_int_equal(computed, SAME_MACHINE);
	f.pck_chain = chain_of_another_machine();
	tdx_forge_input(&f, quote, tdx_forge_quote(&f, &f.good, quote), &f.good.body, &policy, &in);
	in.endorsements.signatures = signatures;
	assert_ok(judge(&e), e);
	assert_int_equal(computed, OTHER_MACHINE);
	free(f.pck_chain);
	f.pck_chain = first;
	in.endorsements.signatures = NULL;
	assert_ok(judge(&e), e);
	assert_int_equal(computed, WHOLE);
}

static void its_times_are_compared_each_time(void **state)
{
	const int64_t at = in.endorsements.at;
	struct err e;

	in.endorsements.at = at + INT64_C(400) * 86400 * 20;
	assert_int_equal(judge(&e), -ERR_DENIED);
	in.endorsements.at = f.at + f.lasts + 1; /* of the lists */
	assert_refused(judge(&e), e, ERR_DENIED, "crl.");
	in.endorsements.at = at;
	assert_ok(judge(&e), e);
}

static void who_trusts_intel_alone_refuses_it(void **state)
{
	const struct span root = in.endorsements.trusted_root;
	struct err e;

	in.endorsements.trusted_root = (struct span){ NULL, 0 };
	assert_refused(judge(&e), e, ERR_DENIED, "chain.pck");
	in.endorsements.trusted_root = root;
	assert_ok(judge(&e), e);
	assert_int_equal(computed, SAME_MACHINE);
}

/* A byte of the signed body, and another document of the same signer under that signature. */
static void a_changed_document_is_not_the_remembered_one(void **state)
{
	const struct span tcb_info = in.endorsements.collateral.tcb_info;
	char *text = strndup((const char *)tcb_info.bytes, tcb_info.len), *level;
	struct err e;

	assert_non_null(text);
	in.endorsements.collateral.tcb_info.bytes = (const uint8_t *)text;
	level = strstr(text, "\"tcbDate\":\"2");
	assert_non_null(level);
	level[strlen("\"tcbDate\":\"")] = '3'; /* a thousand years later */
	assert_refused(judge(&e), e, ERR_DENIED, "signature.tcb_info");
	in.endorsements.collateral.tcb_info = tcb_info;
	assert_ok(judge(&e), e);
	free(text);
}

/* Another service's collateral, of the same names, beside the remembered chain. */
static void another_signer_s_documents_are_refused(void **state)
{
	const struct tdx_collateral honest = in.endorsements.collateral;
	struct tdx_forge other;
	struct err e;

	tdx_forge_init(&other);
	in.endorsements.collateral.tcb_info = other.collateral.tcb_info;
	assert_refused(judge(&e), e, ERR_DENIED, "signature.tcb_info");
	in.endorsements.collateral = honest;
	in.endorsements.collateral.root_crl = other.collateral.root_crl;
	assert_refused(judge(&e), e, ERR_DENIED, "crl.root");
	in.endorsements.collateral = honest;
	assert_ok(judge(&e), e);
	tdx_forge_done(&other);
}

static struct tdx_quote parsed(const uint8_t *bytes, size_t len)
{
	struct tdx_quote q;
	struct err e;

	assert_ok(tdx_quote_parse(bytes, len, &q, &e), e);
	return q;
}

/* Into the quote that is judged. */
static void put(struct span place, struct span bytes)
{
	assert_int_equal(place.len, bytes.len);
	memcpy(quote + (place.bytes - quote), bytes.bytes, bytes.len);
}

/* The report vouches for one key. Another, by which the quote is signed, is nobody's. */
static void an_enclave_s_report_is_for_its_own_key(void **state)
{
	EVP_PKEY *honest = f.keys[FORGE_ATTESTATION];
	const struct tdx_quote ours = parsed(quote, in.quote.len);
	uint8_t other[FORGE_QUOTE_MAX];
	struct tdx_quote theirs;
	struct err e;

	f.keys[FORGE_ATTESTATION] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	assert_non_null(f.keys[FORGE_ATTESTATION]);
	theirs = parsed(other, tdx_forge_quote(&f, &f.good, other));
	EVP_PKEY_free(f.keys[FORGE_ATTESTATION]);
	f.keys[FORGE_ATTESTATION] = honest;
	put(ours.signature, theirs.signature);
	put(ours.key, theirs.key);
	assert_refused(judge(&e), e, ERR_DENIED, "signature.qe_report_data");
	assert_int_equal(computed, SAME_MACHINE);
}

static void a_changed_enclave_is_not_the_remembered_one(void **state)
{
	const struct tdx_quote ours = parsed(quote, in.quote.len);
	uint8_t *svn = quote + (ours.qe_report_bytes.bytes - quote) + ISVSVN_AT;
	struct err e;

	(*svn)++;
	assert_refused(judge(&e), e, ERR_DENIED, "signature.qe_report");
	(*svn)--;
	assert_ok(judge(&e), e);
	assert_int_equal(computed, SAME_MACHINE);
}

/* The report that one machine's PCK signed, beside the certificate of another. */
static void an_enclave_s_report_is_of_its_own_machine(void **state)
{
	EVP_PKEY *honest = f.keys[FORGE_PCK];
	char *first = f.pck_chain;
	uint8_t before[FORGE_QUOTE_MAX];
	const size_t len = in.quote.len;
	struct tdx_quote ours, theirs;
	struct err e;

	memcpy(before, quote, len);
	ours = parsed(before, len);
	f.keys[FORGE_PCK] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	assert_non_null(f.keys[FORGE_PCK]);
	f.pck_chain = chain_of_another_machine();
	tdx_forge_input(&f, quote, tdx_forge_quote(&f, &f.good, quote), &f.good.body, &policy, &in);
	in.endorsements.signatures = signatures;
	assert_ok(judge(&e), e);
	theirs = parsed(quote, in.quote.len);
	put(theirs.qe_report_bytes, ours.qe_report_bytes);
	put(theirs.qe_signature, ours.qe_signature);
	assert_refused(judge(&e), e, ERR_DENIED, "signature.qe_report");
	EVP_PKEY_free(f.keys[FORGE_PCK]);
	free(f.pck_chain);
	f.keys[FORGE_PCK] = honest;
	f.pck_chain = first;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fleet_s_collateral_is_verified_once),
		TEST(its_times_are_compared_each_time),
		TEST(who_trusts_intel_alone_refuses_it),
		TEST(a_changed_document_is_not_the_remembered_one),
		TEST(another_signer_s_documents_are_refused),
		TEST(an_enclave_s_report_is_for_its_own_key),
		TEST(a_changed_enclave_is_not_the_remembered_one),
		TEST(an_enclave_s_report_is_of_its_own_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
