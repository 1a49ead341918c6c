/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/challenge.h"

#include "common/crypto/digest.h"

#include <string.h>

int challenge_make(struct challenges *c, uint64_t now_ms, uint8_t value[PROOF_SESSION_LEN],
		   struct err *e)
{
	struct challenge *slot = &c->slots[c->next];
	int failed = random_bytes(value, PROOF_SESSION_LEN, e);

	if (failed)
		return failed;
	memcpy(slot->value, value, PROOF_SESSION_LEN);
	slot->made_ms = now_ms;
	slot->live = true;
	c->next = (c->next + 1) % CHALLENGES_MAX;
	return 0;
}

int challenge_use(struct challenges *c, uint64_t now_ms, const uint8_t value[PROOF_SESSION_LEN],
		  struct err *e)
{
	for (size_t i = 0; i < CHALLENGES_MAX; i++) {
		struct challenge *slot = &c->slots[i];

		if (!slot->live || !bytes_equal(slot->value, value, PROOF_SESSION_LEN))
			continue;
		slot->live = false;
		if (now_ms - slot->made_ms > CHALLENGE_LIFE_MS)
			break;
		return 0;
	}
	return err_set(e, ERR_DENIED,
		       "%s: not one of this agent's, or used or expired; ask Status for a new one",
		       PROOF_CHALLENGE_KEY);
}
