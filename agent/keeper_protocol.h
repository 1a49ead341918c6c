/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_protocol.h — the packets between agent and keeper. Integers are big-endian.
 *
 * Request: number(4) type(1) content. Answer: the same number(4), code(1) as in err.h, content, or
 * the error's text when the code is not 0. One packet each; the keeper answers in order.
 */
#pragma once

#include "agent/keeper.h"

enum keeper_request {
	KEEPER_CHECK = 1,            /* → measured(1) */
	KEEPER_MEASURE_BOOT = 2,     /* digests → measured(1) */
	KEEPER_MEASURE_CONFIG = 3,   /* the same */
	KEEPER_MEASURE_MANIFEST = 4, /* the same */
	KEEPER_LOG = 5, /* → per entry: pcr(1) event(1) sha256_bank(32) sha384_bank(48) */
};

enum {
	KEEPER_HEAD_LEN = 5,
	KEEPER_DIGESTS_LEN = 32 + 48, /* SHA3-256, SHA3-384 */
	KEEPER_ENTRY_LEN = 2 + KEEPER_DIGESTS_LEN,
	KEEPER_REQUEST_MAX = KEEPER_HEAD_LEN + KEEPER_DIGESTS_LEN,
	KEEPER_ANSWER_MAX = KEEPER_HEAD_LEN + KEEPER_EVENTS_MAX * KEEPER_ENTRY_LEN,
};
