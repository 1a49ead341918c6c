/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_words.h — for fuzz_agent_calls: how a call to an agent is made, and the metadata that follows from
 * it.
 */
#pragma once

#include "tests/fuzz/agent_world.h"
#include "tests/fuzz/grpc_peer.h"

extern const char *const agent_paths[METHODS];

/* A call as it was made, to judge its answer by. */
struct made {
	bool is_used, is_judged, is_ended; /* ended: nothing more is said */
	bool is_raw;                       /* it said bytes of the input */
	enum method method;
	uint8_t how;
	enum extra extra;
	size_t asset;                    /* of an upload; of Result the consumer */
	enum state state;                /* of the agent then */
	bool fetched;                    /* by that consumer already */
	struct computation *computation; /* to compare, not to use */
	uint64_t at;                     /* so many bytes of the asset are with the agent, */
	bool exact;                      /* and none that are not its */
	unsigned requirements, messages;
};

struct words {
	struct grpc_word words[GRPC_PEER_WORDS];
	char texts[GRPC_PEER_WORDS][256];
	size_t count;
};

/* Of the computation; 0 is the algorithm. NULL: it has no such one. */
struct asset *agent_asset(struct computation *c, size_t asset);

/* What it sends as requirements. */
struct span agent_requirements(const struct made *m);

/* What this call's metadata says, signed for the agent's computation. */
void agent_words_put(struct agent *agent, struct words *w, const struct made *m);
