/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_crl.h"

#include <string.h>

static const char section[] = "PCK certificate profile 2";

static bool step(struct verdict *v, const char *name, int rc, const struct err *e)
{
	if (rc < 0)
		return verdict_err(v, name, section, e);
	return verdict_check(v, name, section, true, NULL, NULL);
}

static int crl_load(const struct tdx_chains *chains, struct span bytes, const struct x509 *issuer,
		    struct x509_crl **crl, struct err *e)
{
	if (x509_crl_load(bytes.bytes, bytes.len, crl, e) < 0)
		return err_code(e);
	return x509_crl_verify(
		*crl, issuer, X509_P256_SHA256,
		x509_moment(chains->at, chains->skew, (*crl)->this_update, (*crl)->next_update), e);
}

/* The PCK's own intermediate, by its key, has to be the one that the CRL comes with. */
static int pck_crl_load(const struct tdx_chains *chains, struct span bytes, struct x509_crl **crl,
			struct err *e)
{
	const struct x509 *issuer = chains->chain[TDX_CHAIN_CRL_ISSUER].certs[0];
	const struct x509 *intermediate = chains->chain[TDX_CHAIN_PCK].certs[1];

	if (memcmp(issuer->key_digest, intermediate->key_digest, SHA256_LEN) != 0)
		return err_set(e, ERR_DENIED, "the CRL is of another CA than the PCK's");
	return crl_load(chains, bytes, issuer, crl, e);
}

bool tdx_crl_check_platform(struct tdx_chains *chains, const struct tdx_collateral *collateral,
			    struct verdict *v)
{
	const struct x509_chain *pck = &chains->chain[TDX_CHAIN_PCK];
	CLEANUP(x509_crl_free) struct x509_crl *pck_crl = NULL;
	struct err e;

	if (!step(v, "crl.root",
		  crl_load(chains, collateral->root_crl, pck->certs[2], &chains->root_crl, &e),
		  &e) ||
	    !step(v, "crl.pck", pck_crl_load(chains, collateral->pck_crl, &pck_crl, &e), &e))
		return false;

	bool intermediate = step(v, "crl.intermediate",
				 x509_crl_check(chains->root_crl, pck->certs[1], &e), &e);
	bool issuer = step(
		v, "crl.crl_issuer",
		x509_crl_check(chains->root_crl, chains->chain[TDX_CHAIN_CRL_ISSUER].certs[0], &e),
		&e);
	bool leaf = step(v, "crl.leaf", x509_crl_check(pck_crl, pck->certs[0], &e), &e);

	return intermediate && issuer && leaf;
}

bool tdx_crl_check_signer(struct tdx_chains *chains, enum tdx_chain_kind kind, const char *name,
			  struct verdict *v)
{
	struct err e;

	return step(v, name, x509_crl_check(chains->root_crl, chains->chain[kind].certs[0], &e),
		    &e);
}
