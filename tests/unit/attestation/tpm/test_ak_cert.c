/* SPDX-License-Identifier: Apache-2.0 */
/* A key's certificate to a named root, by a hierarchy of our own. */
#include "attestation/tpm/ak_cert.h"
#include "common/crypto/key.h"
#include "tests/unit.h"
#include "tests/unit/attestation/tpm/ak_chain.h"

static struct ak_chain chain, other;
static char *ca_pem, *root_pem, *other_root_pem; /* the first: intermediate and root */

static struct span text_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static struct span der_of(size_t i)
{
	return ak_chain_der(&chain, i);
}

static int setup(void **state)
{
	ak_chain_make(&chain);
	ak_chain_make(&other);
	ca_pem = ak_chain_pem(&chain, AK_CHAIN_CA, 2);
	root_pem = ak_chain_pem(&chain, AK_CHAIN_ROOT, 1);
	other_root_pem = ak_chain_pem(&other, AK_CHAIN_ROOT, 1);
	return 0;
}

static int teardown(void **state)
{
	free(ca_pem);
	free(root_pem);
	free(other_root_pem);
	ak_chain_done(&chain);
	ak_chain_done(&other);
	return 0;
}

static int verify(const struct ak_cert_input *in, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	int rc = ak_cert_verify(in, &key, e);

	if (rc == 0) {
		assert_true(ak_cert_same_key(key, chain.keys[AK_CHAIN_LEAF]));
		assert_false(ak_cert_same_key(key, chain.keys[AK_CHAIN_CA]));
	}
	return rc;
}

static void a_path_in_either_form_holds(void **state)
{
	struct span der = der_of(1), pem = text_of(ca_pem);
	struct ak_cert_input in = { der_of(0), &der, 1, der_of(2), FORGE_AT, false };
	struct err e;

	assert_ok(verify(&in, &e), e);
	/* PEM with intermediate and root; the root there is not what makes it trusted. */
	in.intermediates = &pem;
	in.root = text_of(root_pem);
	assert_ok(verify(&in, &e), e);
	in.root = text_of(other_root_pem);
	assert_int_equal(verify(&in, &e), -ERR_DENIED);
}

static void what_is_missing_or_too_much_is_refused(void **state)
{
	struct span many[17];
	struct ak_cert_input in = { der_of(0), NULL, 0, der_of(2), FORGE_AT, false };
	struct err e;

	assert_refused(verify(&in, &e), e, ERR_DENIED, "no issuer");
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = der_of(1);
	in.intermediates = many;
	in.intermediate_count = 16;
	assert_ok(verify(&in, &e), e);
	in.intermediate_count = 17;
	assert_refused(verify(&in, &e), e, ERR_INVALID, "more than 16");
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = text_of(ca_pem);
	assert_refused(verify(&in, &e), e, ERR_INVALID, "more than 16");
	many[0] = text_of("-----BEGIN");
	assert_int_equal(verify(&in, &e), -ERR_INVALID);
	many[0] = text_of("no certificate");
	assert_int_equal(verify(&in, &e), -ERR_INVALID);
	in.intermediate_count = 0;
	in.cert = text_of("no certificate");
	assert_refused(verify(&in, &e), e, ERR_INVALID, "AK certificate");
	in.cert = der_of(0);
	in.root = text_of("no certificate");
	assert_refused(verify(&in, &e), e, ERR_INVALID, "the root that you named");
}

static void times_and_kinds_count(void **state)
{
	enum { YEAR = 365 * 86400 };
	struct span der = der_of(1);
	struct ak_cert_input in = { der_of(0), &der, 1, der_of(2), FORGE_AT + YEAR, false };
	struct err e;

	assert_ok(verify(&in, &e), e);
	in.at++;
	assert_int_equal(verify(&in, &e), -ERR_DENIED);
	in.at = FORGE_AT - YEAR - 1;
	assert_int_equal(verify(&in, &e), -ERR_DENIED);
	/* The intermediate is nobody's AK. */
	in.at = FORGE_AT;
	in.cert = der_of(1);
	assert_refused(verify(&in, &e), e, ERR_DENIED, "CA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_in_either_form_holds),
		cmocka_unit_test(what_is_missing_or_too_much_is_refused),
		cmocka_unit_test(times_and_kinds_count),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
