/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/library/library_call.h"

#define AT(number, member) { number, offsetof(struct verify_input, member) }

static const struct {
	enum cocos_endorsement number;
	size_t at;
} places[] = {
	AT(COCOS_SNP_VCEK, snp.vek),
	AT(COCOS_SNP_ASK, snp.intermediate),
	AT(COCOS_SNP_ARK, snp.ark),
	AT(COCOS_SNP_ROOT, snp.trusted_root),
	AT(COCOS_TDX_TCB_INFO, tdx.endorsements.collateral.tcb_info),
	AT(COCOS_TDX_TCB_INFO_CHAIN, tdx.endorsements.collateral.tcb_info_chain),
	AT(COCOS_TDX_QE_IDENTITY, tdx.endorsements.collateral.qe_identity),
	AT(COCOS_TDX_QE_IDENTITY_CHAIN, tdx.endorsements.collateral.qe_identity_chain),
	AT(COCOS_TDX_PCK_CRL, tdx.endorsements.collateral.pck_crl),
	AT(COCOS_TDX_PCK_CRL_CHAIN, tdx.endorsements.collateral.pck_crl_chain),
	AT(COCOS_TDX_ROOT_CRL, tdx.endorsements.collateral.root_crl),
	AT(COCOS_TDX_ROOT, tdx.endorsements.trusted_root),
	AT(COCOS_TPM_AK, tpm.binding.named),
	AT(COCOS_TPM_AK_ROOT, tpm.binding.root),
};

static int endorse(struct library_call *c, const struct verify_input *in)
{
	int rc = cocos_endorsements_new(&c->endorsements, &c->error);

	for (size_t i = 0; i < ARRAY_LEN(places) && rc == 0; i++) {
		const struct span *s = (const struct span *)((const char *)in + places[i].at);

		if (s->len)
			rc = cocos_endorsements_add(c->endorsements, places[i].number, s->bytes,
						    s->len, &c->error);
	}
	return rc;
}

static int set(struct library_call *c, enum cocos_input input, const void *bytes, size_t len)
{
	return len ? cocos_request_set(c->request, input, bytes, len, &c->error) : 0;
}

static int bind(struct library_call *c, const struct verify_build *b)
{
	static const uint8_t exporter[BINDING_EXPORTER_LEN] = {
		0xe0
	}; /* of verify_build_begin() */
	const struct verify_binding *bound = &b->in.binding;
	int rc = 0;

	if (bound->channel)
		return cocos_request_channel(c->request, "SHA384", exporter, b->spki, b->spki_len,
					     &c->error);
	if (bound->report_data)
		rc = set(c, COCOS_REPORT_DATA, bound->report_data, BINDING_REPORT_DATA_LEN);
	if (rc == 0 && bound->nonce)
		rc = set(c, COCOS_TEE_NONCE, bound->nonce->tee, bound->nonce->tee_len);
	if (rc == 0 && bound->nonce)
		rc = set(c, COCOS_VTPM_NONCE, bound->nonce->vtpm, bound->nonce->vtpm_len);
	return rc ? rc : set(c, COCOS_EXTRA_DATA, bound->tpm_nonce.bytes, bound->tpm_nonce.len);
}

int library_call_make(struct library_call *c, const struct verify_build *b, enum cocos_mode mode)
{
	int rc;

	memset(c, 0, sizeof(*c));
	c->policy.policy = b->policy;
	rc = cocos_request_new(mode, &c->request, &c->error);
	if (rc == 0)
		rc = set(c, COCOS_EVIDENCE, b->in.evidence.bytes, b->in.evidence.len);
	if (rc == 0 && b->in.manifest_count)
		rc = set(c, COCOS_MANIFEST_DIGEST, b->manifest[0], SHA3_256_LEN);
	if (rc == 0)
		rc = cocos_request_at(c->request, b->in.at, b->in.skew, &c->error);
	if (rc == 0)
		rc = bind(c, b);
	return rc ? rc : endorse(c, &b->in);
}

void library_call_done(struct library_call *c)
{
	cocos_request_free(c->request);
	cocos_endorsements_free(c->endorsements);
}

struct cocos_verdict *library_call_judge(struct library_call *c)
{
	const struct cocos_policy *policy = c->without_policy ? NULL : &c->policy;
	struct cocos_verdict *v;

	if (cocos_verify(c->request, c->endorsements, policy, &v, &c->error) != 0)
		fail_msg("%s", c->error.text);
	return v;
}
