/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/challenge.h"

#include "common/crypto/digest.h"

#include <string.h>

static bool is_outstanding(const struct challenge *slot, uint64_t now_ms)
{
	return slot->live && now_ms - slot->made_ms <= CHALLENGE_LIFE_MS;
}

static bool is_of(const struct challenge *slot, const struct rpc_source *source)
{
	return memcmp(&slot->source, source, sizeof(*source)) == 0;
}

static size_t count_of(const struct challenges *c, const struct rpc_source *source)
{
	size_t count = 0;

	for (size_t i = 0; i < CHALLENGES_MAX; i++)
		count += is_of(&c->slots[i], source);
	return count;
}

/* One that nobody waits for. Where all are outstanding the oldest of a source that has more than its share, of the
 * caller's own before all, else the oldest. */
static struct challenge *place_for(struct challenges *c, const struct rpc_source *source,
				   uint64_t now_ms)
{
	const bool has_share = count_of(c, source) >= CHALLENGES_OF_ONE;
	struct challenge *oldest = NULL, *greedy = NULL;

	for (size_t i = 0; i < CHALLENGES_MAX; i++) {
		struct challenge *slot = &c->slots[i];

		if (!is_outstanding(slot, now_ms))
			return slot;
		if (!oldest || slot->number < oldest->number)
			oldest = slot;
		if (greedy && slot->number > greedy->number)
			continue;
		if (has_share ? is_of(slot, source)
			      : count_of(c, &slot->source) > CHALLENGES_OF_ONE)
			greedy = slot;
	}
	return greedy ? greedy : oldest;
}

int challenge_make(struct challenges *c, const struct rpc_source *source, uint64_t now_ms,
		   uint8_t value[PROOF_SESSION_LEN], struct err *e)
{
	struct challenge *slot = place_for(c, source, now_ms);
	int failed = random_bytes(value, PROOF_SESSION_LEN, e);

	if (failed)
		return failed;
	*slot = (struct challenge){
		.made_ms = now_ms, .number = c->made++, .live = true, .source = *source
	};
	memcpy(slot->value, value, PROOF_SESSION_LEN);
	return 0;
}

int challenge_use(struct challenges *c, uint64_t now_ms, const uint8_t value[PROOF_SESSION_LEN],
		  struct err *e)
{
	for (size_t i = 0; i < CHALLENGES_MAX; i++) {
		struct challenge *slot = &c->slots[i];

		if (!slot->live || !bytes_equal(slot->value, value, PROOF_SESSION_LEN))
			continue;
		const bool is_good = is_outstanding(slot, now_ms);

		slot->live = false;
		if (!is_good)
			break;
		return 0;
	}
	return err_set(e, ERR_DENIED,
		       "%s: not one of this agent's, or used or expired; ask Status for a new one",
		       PROOF_CHALLENGE_KEY);
}
