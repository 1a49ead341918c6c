/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested_ends.h — both ends of one TLS 1.3 session, for fuzz targets of attested TLS: the agent's identity, and what an
 * honest agent says in it.
 */
#pragma once

#include "tests/attested/kit.h"

enum { ENDS_TOKEN_MAX = 256 };

struct attested_ends {
	struct kit_identity identity;
	SSL *server, *client;
};
extern struct attested_ends ends;

/* Once, for the life of the program. */
void attested_ends_open(void);
/* Evidence over that exporter. */
void attested_ends_token(enum digest_kind hash, const uint8_t exporter[BINDING_EXPORTER_LEN],
			 char token[ENDS_TOKEN_MAX]);
/* Of this identity's, to a request of that context. */
void attested_ends_answer(const struct kit_identity *identity,
			  const uint8_t context[EA_CONTEXT_LEN], struct writer *w);
