/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/forge/tdx_forge.h"
#include "tests/unit/attestation/verify/verify_kind.h"

static struct tdx_forge forge;
static char *chains[2]; /* of the first platform, of another */
static uint8_t mrtds[2][TDX_MR_LEN], configs[2][TDX_MR_LEN], rtmrs[2][TDX_MR_LEN],
	owners[2][TDX_MR_LEN], owner_configs[2][TDX_MR_LEN];

static void setup(void)
{
	tdx_forge_init(&forge);
	chains[0] = forge.pck_chain;
	chains[1] = tdx_forge_other_platform(&forge);
	for (size_t i = 0; i < 2; i++) {
		memset(mrtds[i], (int)(0xa0 + 0x10 * i), TDX_MR_LEN);
		memset(configs[i], (int)(0xa2 + 0x10 * i), TDX_MR_LEN);
		memset(owners[i], (int)(0xa3 + 0x10 * i), TDX_MR_LEN);
		memset(owner_configs[i], (int)(0xa4 + 0x10 * i), TDX_MR_LEN);
		memset(rtmrs[i], (int)(0xb3 + 0x10 * i), TDX_MR_LEN);
	}
}

static void teardown(void)
{
	forge.pck_chain = chains[0];
	free(chains[1]);
	tdx_forge_done(&forge);
}

static void policy(struct policy *p)
{
	p->has_tdx = true;
	tdx_forge_policy(&forge.good.body, &p->tdx);
	p->tdx.mrtd = (struct value_set){ mrtds[0], 2 };
	p->tdx.mrconfigid = (struct value_set){ configs[0], 2 };
	p->tdx.mrowner = (struct value_set){ owners[0], 2 };
	p->tdx.mrownerconfig = (struct value_set){ owner_configs[0], 2 };
	p->tdx.rtmr[3] = (struct value_set){ rtmrs[0], 2 };
}

static void endorse(struct verify_input *in)
{
	struct tdx_input tdx;

	tdx_forge_input(&forge, NULL, 0, &forge.good.body, NULL, &tdx);
	in->tdx.endorsements = tdx.endorsements;
}

static void evidence(const struct binding *b, enum verify_twist twist, struct writer *out)
{
	static uint8_t bytes[FORGE_QUOTE_MAX];
	struct forge_quote q = forge.good;

	memcpy(q.body.reportdata, b->report_data, sizeof(q.body.reportdata));
	if (twist == TWIST_MEASUREMENT)
		memcpy(q.body.mrtd, mrtds[1], TDX_MR_LEN);
	if (twist == TWIST_CONFIG)
		memcpy(q.body.mrconfigid, configs[1], TDX_MR_LEN);
	if (twist == TWIST_OWNER)
		memcpy(q.body.mrowner, owners[1], TDX_MR_LEN);
	if (twist == TWIST_OWNER_CONFIG)
		memcpy(q.body.mrownerconfig, owner_configs[1], TDX_MR_LEN);
	if (twist == TWIST_REGISTERS)
		memcpy(q.body.rtmr[3], rtmrs[1], TDX_MR_LEN);
	forge.pck_chain = chains[twist == TWIST_CHIP];
	*out = writer_up_to(FORGE_QUOTE_MAX);
	writer_bytes(out, bytes, tdx_forge_quote(&forge, &q, bytes));
	forge.pck_chain = chains[0];
}

const struct verify_kind verify_kind_tdx = {
	.mode = EVIDENCE_TDX,
	.at = FORGE_AT,
	.setup = setup,
	.teardown = teardown,
	.policy = policy,
	.endorse = endorse,
	.evidence = evidence,
	.bound = "policy.reportdata",
	.same = (const struct verify_same[]){ { TWIST_MEASUREMENT, "run.same_measurement" },
					      { TWIST_REGISTERS, "run.same_rtmrs" },
					      { TWIST_CONFIG, "run.same_mrconfigid" },
					      { TWIST_OWNER, "run.same_mrowner" },
					      { TWIST_OWNER_CONFIG, "run.same_mrownerconfig" },
					      { TWIST_CHIP, "run.same_platform" },
					      { .check = NULL } },
	.agrees = true,
};
