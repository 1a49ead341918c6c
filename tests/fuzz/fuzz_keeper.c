/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's requests in any order, as an agent that was taken over might send them. Input:
 * type(1) length(2) content, repeated. The machine has no devices, so this reaches the order, the
 * parsing and the comparisons; evidence is never given.
 */
#include "agent/keeper/keeper_state.h"
#include "common/base/log.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) struct keeper_state *state = calloc(1, sizeof(*state));
	struct reader all = reader_over(bytes, len);

	log_set(LOG_LEVEL_ERROR);
	if (!state)
		return 0;
	state->development = true;
	keeper_state_init(state);
	while (reader_ok(&all) && reader_left(&all) >= 3) {
		CLEANUP_WRITER struct writer out = writer_up_to(KEEPER_CONTENT_MAX);
		uint8_t type = reader_u8(&all);
		uint16_t size = reader_be16(&all);
		struct reader in = reader_sub(&all, size);
		struct err e;

		if (!reader_ok(&all))
			break;
		int failed = keeper_dispatch(state, type, &in, &out, &e);
		bool evidence = type == KEEPER_RUN || type == KEEPER_CHANNEL ||
				type == KEEPER_NONCE || type == KEEPER_ACTIVATE;
		assert(failed || !evidence);
		assert(!state->identity_len || state->own_len);
	}
	return 0;
}
