/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/tpm/tpm_forge.h"
#include "tests/unit/attestation/verify/verify_kind.h"

static struct forge_tpm forge;
static struct forge_tpm_parts named; /* whose AK the relying party knows */

static void setup(void)
{
	tpm_forge_init(&forge);
	tpm_forge_parts(&forge, &named);
}

static void teardown(void)
{
	tpm_forge_parts_done(&named);
	tpm_forge_done(&forge);
}

static void policy(struct policy *p)
{
	p->has_tpm = true;
	p->tpm.pcrs[0] =
		(struct tpm_policy_pcr){ DIGEST_SHA256, 4, { forge.pcrs.banks[0].values[4], 1 } };
	p->tpm.count = 1;
}

void verify_kind_vtpm_by_16(struct policy *p)
{
	p->tpm.pcrs[0].index = 16;
	p->tpm.pcrs[0].values.values = forge.pcrs.banks[0].values[16];
}

static void endorse(struct verify_input *in)
{
	in->tpm.binding.named = tpm_forge_span(&named.ak_public);
}

static void evidence(const struct binding *b, enum verify_twist twist, struct writer *out)
{
	struct forge_tpm f = forge;
	struct forge_tpm_parts p;

	memcpy(f.nonce, b->tpm_nonce, sizeof(f.nonce));
	f.reset_count += twist == TWIST_BOOT;
	tpm_forge_parts(&f, &p);
	*out = writer_up_to(p.message.len);
	writer_bytes(out, p.message.bytes, p.message.len);
	tpm_forge_parts_done(&p);
}

const struct verify_kind verify_kind_vtpm = {
	.mode = EVIDENCE_VTPM,
	.at = INT64_C(1781481600),
	.setup = setup,
	.teardown = teardown,
	.policy = policy,
	.endorse = endorse,
	.evidence = evidence,
	.bound = "quote.nonce",
	.same = (const struct verify_same[]){ { TWIST_BOOT, "run.same_boot" }, { .check = NULL } },
};
