/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/evidence/evidence_turns.h"

#include <string.h>

static int find(const struct evidence_turns *turns, const struct rpc_source *source)
{
	for (int i = 0; i < EVIDENCE_TURNS_KNOWN; i++)
		if (turns->known[i].next &&
		    memcmp(&turns->known[i].source, source, sizeof(*source)) == 0)
			return i;
	return -1;
}

uint64_t evidence_turns_of(const struct evidence_turns *turns, const struct rpc_source *source,
			   uint64_t behind)
{
	int at = find(turns, source);
	uint64_t turn = turns->now > behind ? turns->now : behind;

	return at >= 0 && turns->known[at].next > turn ? turns->known[at].next : turn;
}

void evidence_turns_served(struct evidence_turns *turns, const struct rpc_source *source,
			   uint64_t turn)
{
	int at = find(turns, source);

	if (at < 0) {
		at = (int)turns->oldest;
		turns->oldest = (turns->oldest + 1) % EVIDENCE_TURNS_KNOWN;
		turns->known[at].source = *source;
	}
	turns->known[at].next = turn + 1;
	if (turn > turns->now)
		turns->now = turn;
}
