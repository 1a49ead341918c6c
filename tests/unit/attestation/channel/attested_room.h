/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested_room.h — a server and a client of attested TLS on one loop, or a fake in the place of
 * either that breaks the rules.
 */
#pragma once

#include "attestation/channel/attested_reattest.h"
#include "tests/attested/kit.h"
#include "tests/unit.h"

/* The server's, and one that is not; made and freed around the group of tests. */
extern struct kit_identity attested_identity, attested_other;
int attested_identities_make(void **state);
int attested_identities_free(void **state);

struct attested_room {
	uv_loop_t loop;
	struct rpc_server *server;
	struct rpc_channel *channel;
	struct kit_source source;
	struct kit_judge judge;
	struct attested_server *attested;
	struct attested_client *client;
	char target[64];
	unsigned served;

	/* For peers that break the rules. */
	const uint8_t *script; /* what a fake sends */
	size_t script_len;
	const struct kit_identity *signs; /* a fake server's authenticator */
	uint8_t *tail;                    /* what it puts behind that */
	size_t tail_len, cut;
	uint8_t request[EA_REQUEST_MAX + EA_FRAME_HEAD];
	size_t request_len;
	size_t bytes_behind; /* that came to a fake after the one request */
	unsigned closed;
};

struct attested_setup {
	const struct rpc_prologue *server, *client; /* NULL: the real ones */
	bool plain;
	const uint8_t *first_context;
	const struct kit_identity *tls; /* NULL: attested_identity */
};

/* `room` is zero but for what a fake is to do. */
void attested_room_open(struct attested_room *room, const struct attested_setup *setup);
/* Whatever is left behind fails the test. */
void attested_room_close(struct attested_room *room);

/* A unary call, which connects if need be: attested_room_empty_call. */
extern const struct rpc_method attested_room_empty_call;
int attested_room_call(struct attested_room *room, struct err *e);
/* The client refuses with these words, and the server has not heard a byte of HTTP/2. */
void attested_room_refuses(struct attested_room *room, enum err_code code, const char *words);

/* An authenticator request whose context is that byte throughout; its length. */
size_t attested_room_request(uint8_t context, uint8_t out[EA_REQUEST_MAX]);
