/* SPDX-License-Identifier: Apache-2.0 */
/* Chains whose signatures are all right, of certificates that may not stand in their place. */
#include "tests/answers.h"
#include "tests/forge/tdx_forge.h"
#include "tests/unit.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

static struct tdx_forge forge;
static struct verdict verdict;
static uint8_t quote[FORGE_QUOTE_MAX];

static int setup(void **state)
{
	tdx_forge_init(&forge);
	return 0;
}

static int teardown(void **state)
{
	tdx_forge_done(&forge);
	return 0;
}

/* What a certificate says instead; its issuer signs it again. */
struct change {
	int nid; /* of an extension, or 0 */
	const char *value;
	EVP_PKEY *key; /* or NULL */
};

static X509 *changed(X509 *cert, const struct change *c, EVP_PKEY *issuer)
{
	int at = c->nid ? X509_get_ext_by_NID(cert, c->nid, -1) : -1;

	if (c->nid) {
		X509_EXTENSION *x = X509V3_EXT_nconf_nid(NULL, NULL, c->nid, c->value);

		assert_non_null(x);
		X509_EXTENSION_free(X509_delete_ext(cert, at));
		assert_int_equal(X509_add_ext(cert, x, -1), 1);
		X509_EXTENSION_free(x);
	}
	if (c->key)
		assert_int_equal(X509_set_pubkey(cert, c->key), 1);
	assert_true(X509_sign(cert, issuer, EVP_sha256()) > 0);
	return cert;
}

/* That chain, but for its first certificate; malloc'ed. */
static char *chain_with(const char *pem, const struct change *c, EVP_PKEY *issuer)
{
	BIO *from = BIO_new_mem_buf(pem, -1), *to = BIO_new(BIO_s_mem());
	X509 *cert = changed(PEM_read_bio_X509(from, NULL, NULL, NULL), c, issuer);
	char *text, *data;
	long len;

	do {
		assert_int_equal(PEM_write_bio_X509(to, cert), 1);
		X509_free(cert);
		cert = PEM_read_bio_X509(from, NULL, NULL, NULL);
	} while (cert);
	len = BIO_get_mem_data(to, &data);
	text = strndup(data, (size_t)len);
	BIO_free(from);
	BIO_free(to);
	return text;
}

static struct span text_span(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

/* Under that collateral, or the forge's own. */
static int judge(const struct tdx_collateral *collateral, struct err *e)
{
	struct tdx_policy policy;
	struct tdx_input in;
	size_t len = tdx_forge_quote(&forge, &forge.good, quote);

	tdx_forge_policy(&forge.good.body, &policy);
	tdx_forge_input(&forge, quote, len, &forge.good.body, &policy, &in);
	if (collateral)
		in.endorsements.collateral = *collateral;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	return tdx_answer(&in, NULL, &verdict, e);
}

enum place { PCK, TCB_INFO, QE_IDENTITY, CRL_ISSUER };

/* Judges with that chain in its place. */
static int judge_chain(enum place place, char *pem, struct err *e)
{
	struct tdx_collateral c = forge.collateral;
	char *kept = forge.pck_chain;
	int failed;

	if (place == PCK)
		forge.pck_chain = pem;
	else if (place == TCB_INFO)
		c.tcb_info_chain = text_span(pem);
	else if (place == QE_IDENTITY)
		c.qe_identity_chain = text_span(pem);
	else
		c.pck_crl_chain = text_span(pem);
	failed = judge(&c, e);
	forge.pck_chain = kept;
	return failed;
}

static void a_leaf_is_what_its_place_asks(void **state)
{
	static const char can_sign[] = "critical,digitalSignature",
			  can_not[] = "critical,keyAgreement";
	static const struct {
		enum place place;
		int nid;
		const char *value, *fault; /* fault NULL: the twin, which is taken */
	} rows[] = {
		{ PCK, NID_key_usage, can_sign, NULL },
		{ PCK, NID_key_usage, can_not, "chain.pck: the leaf's key is not for signatures" },
		{ PCK, NID_basic_constraints, "critical,CA:TRUE", "chain.pck: the leaf is a CA" },
		{ TCB_INFO, NID_key_usage, can_sign, NULL },
		{ TCB_INFO, NID_key_usage, can_not,
		  "chain.tcb_info: the leaf's key is not for signatures" },
		{ TCB_INFO, NID_basic_constraints, "critical,CA:TRUE",
		  "chain.tcb_info: the leaf is a CA" },
		{ QE_IDENTITY, NID_key_usage, can_sign, NULL },
		{ QE_IDENTITY, NID_key_usage, can_not,
		  "chain.qe_identity: the leaf's key is not for signatures" },
		{ QE_IDENTITY, NID_basic_constraints, "critical,CA:TRUE",
		  "chain.qe_identity: the leaf is a CA" },
		{ CRL_ISSUER, NID_key_usage, "critical,cRLSign", NULL },
		{ CRL_ISSUER, NID_key_usage, "critical,keyCertSign",
		  "crl.pck: the issuer may not sign CRLs" },
		{ CRL_ISSUER, NID_basic_constraints, "critical,CA:FALSE",
		  "chain.crl_issuer: the leaf is not a CA" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct change change = { rows[i].nid, rows[i].value, NULL };
		EVP_PKEY *issuer = forge.keys[rows[i].place == PCK ? FORGE_CA : FORGE_ROOT];
		CLEANUP(free)
		char *pem = chain_with(rows[i].place == PCK          ? forge.pck_chain
				       : rows[i].place == CRL_ISSUER ? forge.crl_chain
								     : forge.issuer_chain,
				       &change, issuer);

		if (rows[i].fault)
			assert_refused(judge_chain(rows[i].place, pem, &e), e, ERR_DENIED,
				       rows[i].fault);
		else
			assert_ok(judge_chain(rows[i].place, pem, &e), e);
	}
}

/* The root has certified two CAs of one name, and the list is of the one that did not sign the PCK's
 * certificate: it says nothing of that. */
static void a_list_of_another_ca_of_the_name_is_refused(void **state)
{
	struct tdx_collateral c = forge.collateral;
	const uint8_t *at = c.pck_crl.bytes;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)c.pck_crl.len);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *other = EVP_EC_gen("P-256");
	const struct change change = { .key = other };
	CLEANUP(free) char *pem = chain_with(forge.crl_chain, &change, forge.keys[FORGE_ROOT]);
	uint8_t *der = NULL;
	struct err e;

	assert_ok(judge(&c, &e), e);
	assert_non_null(crl);
	assert_true(X509_CRL_sign(crl, other, EVP_sha256()) > 0);
	int len = i2d_X509_CRL(crl, &der);
	assert_true(len > 0);
	c.pck_crl = (struct span){ der, (size_t)len };
	c.pck_crl_chain = text_span(pem);
	assert_refused(judge(&c, &e), e, ERR_DENIED, "of another CA than the PCK's");
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_is_what_its_place_asks),
		cmocka_unit_test(a_list_of_another_ca_of_the_name_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
