/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/tpm/tpm_room.h"

#include "tests/answers.h"

struct forge_tpm tpm_room_good;
struct verdict tpm_room_verdict;
struct tpm_policy tpm_room_policy;

int tpm_room_enter(void **state)
{
	tpm_forge_init(&tpm_room_good);
	return 0;
}

int tpm_room_leave(void **state)
{
	tpm_forge_done(&tpm_room_good);
	return 0;
}

void tpm_room_policy_make(void)
{
	static const unsigned pcrs[] = { 4, 8, 16 };

	memset(&tpm_room_policy, 0, sizeof(tpm_room_policy));
	for (size_t i = 0; i < ARRAY_LEN(pcrs); i++)
		tpm_room_policy.pcrs[tpm_room_policy.count++] = (struct tpm_policy_pcr){
			DIGEST_SHA256, pcrs[i], { tpm_room_good.pcrs.banks[0].values[pcrs[i]], 1 }
		};
}

int tpm_room_judge(const struct forge_tpm *f, struct err *e)
{
	struct forge_tpm_parts p;
	struct tpm_input in;

	tpm_forge_parts(f, &p);
	in = (struct tpm_input){ .nonce = { tpm_room_good.nonce, sizeof(tpm_room_good.nonce) },
				 .binding.named = tpm_forge_span(&p.ak_public),
				 .policy = &tpm_room_policy };
	tpm_forge_read(tpm_forge_span(&p.message), &in);
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);

	int rc = tpm_answer(&in, NULL, &tpm_room_verdict, e);

	tpm_forge_parts_done(&p);
	return rc;
}
