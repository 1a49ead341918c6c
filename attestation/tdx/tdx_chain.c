/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_chain.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_LEN = 64, COUNT_MAX = 3 };

/* SHA-256 of the SubjectPublicKeyInfo of "Intel SGX Root CA", serial 22650cd65a9d3489f383b49552bf50
 * 1b392706ac, valid 2018 to 2049. Its pre-production twin has the same name and another key. */
static const uint8_t intel_root_key[SHA256_LEN] = {
	0xa0, 0xaf, 0x03, 0x12, 0x89, 0xf5, 0xd5, 0xd4, 0x13, 0x2f, 0x91,
	0x86, 0x06, 0x8a, 0x7f, 0xc1, 0x36, 0x28, 0x63, 0x3b, 0xa2, 0x35,
	0x77, 0x74, 0x72, 0xe2, 0x9b, 0x6b, 0x6c, 0x67, 0xa4, 0x9e,
};

/* Common names, by Intel's PCK Certificate and CRL Profile Specification. */
static const char *const pck_names[] = { "Intel SGX PCK Certificate", NULL };
static const char *const ca_names[] = { "Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA",
					NULL };
static const char *const signing_names[] = { "Intel SGX TCB Signing", NULL };
static const char *const root_names[] = { "Intel SGX Root CA", NULL };

struct kind {
	enum check_id chain_check, time_check;
	bool leaf_is_ca;
	size_t count;
	const char *const *names[COUNT_MAX];
};

/* clang-format off */
static const struct kind kinds[TDX_CHAIN_COUNT] = {
	[TDX_CHAIN_PCK]         = { CHECK_CHAIN_PCK,         CHECK_TIME_PCK,
				    false, 3, { pck_names, ca_names, root_names } },
	[TDX_CHAIN_CRL_ISSUER]  = { CHECK_CHAIN_CRL_ISSUER,  CHECK_TIME_CRL_ISSUER,
				    true,  2, { ca_names, root_names } },
	[TDX_CHAIN_TCB_INFO]    = { CHECK_CHAIN_TCB_INFO,    CHECK_TIME_TCB_INFO_ISSUER,
				    false, 2, { signing_names, root_names } },
	[TDX_CHAIN_QE_IDENTITY] = { CHECK_CHAIN_QE_IDENTITY, CHECK_TIME_QE_IDENTITY_ISSUER,
				    false, 2, { signing_names, root_names } },
};
/* clang-format on */

static bool is_trusted(const struct x509 *root, const struct tdx_chains *chains)
{
	const uint8_t *key = chains->own_root ? chains->own_root->key_digest : intel_root_key;

	return memcmp(root->key_digest, key, SHA256_LEN) == 0;
}

static int name_check(const struct x509 *cert, const char *const *names, struct err *e)
{
	char name[NAME_MAX_LEN];

	if (x509_common_name(cert->subject, name, sizeof(name), e) < 0)
		return err_code(e);
	for (size_t i = 0; names[i]; i++)
		if (strcmp(name, names[i]) == 0)
			return 0;
	return err_set(e, ERR_DENIED, "a certificate named '%s', wanted '%s'", name, names[0]);
}

static int leaf_check(const struct x509 *leaf, const struct kind *k, struct err *e)
{
	if ((leaf->has_constraints && leaf->is_ca) != k->leaf_is_ca)
		return err_set(e, ERR_DENIED, "the leaf is %sa CA", k->leaf_is_ca ? "not " : "");
	if (!k->leaf_is_ca && leaf->has_usage && !(leaf->usage & X509_USE_DIGITAL_SIGNATURE))
		return err_set(e, ERR_DENIED, "the leaf's key is not for signatures");
	return 0;
}

static bool same_cert(const struct x509 *a, const struct x509 *b)
{
	return a->len == b->len && memcmp(a->der, b->der, a->len) == 0;
}

/* That very certificate under that very issuer was verified before. */
static bool link_is_known(const struct tdx_chains *chains, const struct x509 *cert,
			  const struct x509 *issuer)
{
	for (size_t k = 0; k < TDX_CHAIN_COUNT; k++) {
		const struct x509_chain *c = &chains->chain[k];

		for (size_t i = 0; chains->good[k] && i < c->count; i++) {
			size_t above = i + 1 < c->count ? i + 1 : i;

			if (same_cert(cert, c->certs[i]) && same_cert(issuer, c->certs[above]))
				return true;
		}
	}
	return false;
}

/* From the trusted root down: strangers have nothing remembered but PCK certificates of genuine
 * machines. */
static int links_check(const struct tdx_chains *chains, const struct x509_chain *chain,
		       const struct kind *k, struct err *e)
{
	for (size_t i = chain->count; i-- > 0;) {
		const struct x509 *cert = chain->certs[i];
		bool is_root = i + 1 == chain->count;
		const struct x509 *issuer = chain->certs[is_root ? i : i + 1];
		/* CAs between the issuer and the end of the path. */
		unsigned below = (unsigned)(is_root ? i - 1 : i) + (k->leaf_is_ca ? 1 : 0);

		if (name_check(cert, k->names[i], e) < 0 || x509_nothing_unjudged(cert, e) < 0)
			return err_wrap(e, "certificate %zu", i + 1);
		const struct x509_known known = { chains->signatures,
						  i == 0 && k == &kinds[TDX_CHAIN_PCK]
							  ? SIGNATURES_LEAVES
							  : SIGNATURES_AUTHORITIES };

		if (!link_is_known(chains, cert, issuer) &&
		    x509_verify_known(cert, issuer, X509_P256_SHA256, below, &known, e) < 0)
			return err_wrap(e, "certificate %zu", i + 1);
	}
	return leaf_check(chain->certs[0], k, e);
}

static int chain_verify(struct tdx_chains *chains, enum tdx_chain_kind kind, struct span pem,
			struct err *e)
{
	const struct kind *k = &kinds[kind];
	struct x509_chain *chain = &chains->chain[kind];

	/* Intel sends the same few certificates in every chain. */
	if (x509_chain_from_pem_known(pem.bytes, pem.len, chains->chain, TDX_CHAIN_COUNT, chain,
				      e) < 0)
		return err_code(e);
	if (chain->count != k->count)
		return err_set(e, ERR_DENIED, "%zu certificates, wanted %zu", chain->count,
			       k->count);
	if (!is_trusted(chain->certs[k->count - 1], chains))
		return err_set(e, ERR_DENIED, "the root's key is not that of %s",
			       chains->own_root ? "the root that you named" : "Intel SGX Root CA");
	return links_check(chains, chain, k, e);
}

static int chain_times(const struct tdx_chains *chains, const struct x509_chain *chain,
		       struct err *e)
{
	for (size_t i = 0; i < chain->count; i++) {
		const struct x509 *cert = chain->certs[i];
		int64_t at =
			x509_moment(chains->at, chains->skew, cert->not_before, cert->not_after);

		if (x509_valid_at(cert, at, e) < 0)
			return err_wrap(e, "certificate %zu", i + 1);
	}
	return 0;
}

bool tdx_chain_check(struct tdx_chains *chains, enum tdx_chain_kind kind, struct span pem,
		     struct verdict *v)
{
	const struct kind *k = &kinds[kind];
	const struct x509_chain *chain = &chains->chain[kind];
	struct err e;
	int failed = chain_verify(chains, kind, pem, &e);

	if (chain->count)
		verdict_root(v, chain->certs[chain->count - 1]);
	if (failed)
		return verdict_err(v, k->chain_check, &e);
	verdict_check(v, k->chain_check, true,
		      chains->own_root ? "to the root that you named" : "to Intel SGX Root CA",
		      NULL);
	if (chain_times(chains, chain, &e) < 0)
		return verdict_err(v, k->time_check, &e);
	chains->good[kind] = true;
	return verdict_check(v, k->time_check, true, "valid", NULL);
}

void tdx_chains_done(struct tdx_chains *chains)
{
	x509_free(chains->own_root);
	x509_crl_free(chains->root_crl);
	for (size_t i = 0; i < TDX_CHAIN_COUNT; i++)
		x509_chain_done(&chains->chain[i]);
}
