/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_crl.h"

#include "attestation/verdict/crl_age.h"

#include <string.h>

static int crl_load(const struct tdx_chains *chains, struct span bytes, const struct x509 *issuer,
		    struct x509_crl **crl, struct err *e)
{
	if (x509_crl_load(bytes.bytes, bytes.len, crl, e) < 0)
		return err_code(e);
	return x509_crl_verify_known(
		*crl, issuer, X509_P256_SHA256,
		x509_moment(chains->at, chains->skew, (*crl)->this_update, (*crl)->next_update),
		chains->signatures, e);
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
	const struct crl_age limit = { chains->crl_max_age, chains->at, chains->skew };
	struct err e;

	if (!verdict_step(
		    v, CHECK_CRL_ROOT,
		    crl_load(chains, collateral->root_crl, pck->certs[2], &chains->root_crl, &e),
		    &e) ||
	    !verdict_step(v, CHECK_CRL_PCK, pck_crl_load(chains, collateral->pck_crl, &pck_crl, &e),
			  &e))
		return false;

	bool young =
		crl_age_judge(&limit, chains->root_crl, chains->root_crl_asked, "the root's", v);

	young &= crl_age_judge(&limit, pck_crl, chains->pck_crl_asked, "the PCK's", v);

	bool intermediate = verdict_step(v, CHECK_CRL_INTERMEDIATE,
					 x509_crl_check(chains->root_crl, pck->certs[1], &e), &e);
	bool issuer = verdict_step(
		v, CHECK_CRL_CRL_ISSUER,
		x509_crl_check(chains->root_crl, chains->chain[TDX_CHAIN_CRL_ISSUER].certs[0], &e),
		&e);
	bool leaf = verdict_step(v, CHECK_CRL_LEAF, x509_crl_check(pck_crl, pck->certs[0], &e), &e);

	return young && intermediate && issuer && leaf;
}

bool tdx_crl_check_signer(struct tdx_chains *chains, enum tdx_chain_kind kind, enum check_id id,
			  struct verdict *v)
{
	struct err e;

	return verdict_step(v, id,
			    x509_crl_check(chains->root_crl, chains->chain[kind].certs[0], &e), &e);
}
