/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/channel/attested_room.h"

#include "agent.pb-c.h"
#include "agent/core/service.h"
#include "agent_paths.h"
#include "common/rpc/sync.h"
#include "tests/interop/methods.h"

#include <stdio.h>

const struct rpc_method attested_room_empty_call = TEST_EMPTY_CALL;

struct kit_identity attested_identity, attested_other;

static void on_empty(struct rpc_call *call, const ProtobufCMessage *message)
{
	Grpc__Testing__Empty answer = GRPC__TESTING__EMPTY__INIT;
	struct attested_room *room = rpc_call_service(call);

	room->served++;
	rpc_call_reply(call, &answer.base);
}

static const struct rpc_handler test_handlers[] = {
	{ .method = TEST_EMPTY_CALL, .message = on_empty },
};
static const struct rpc_service test_service = { .name = TEST_SERVICE,
						 .handlers = test_handlers,
						 .count = 1 };

static const struct rpc_handler agent_handlers[] = {
	{ .method = { PROTO_AGENT_REATTEST, RPC_BIDI, &agent__reattest_request__descriptor,
		      &agent__reattest_response__descriptor },
	  .message = service_reattest_message,
	  .half_close = service_reattest_half_close,
	  .closed = service_reattest_closed },
};
static const struct rpc_service agent_service = { .name = PROTO_AGENT_SERVICE,
						  .handlers = agent_handlers,
						  .count = 1 };

static void listen_in(struct attested_room *room, const struct attested_setup *setup)
{
	const struct attested_server_config config = { .key = attested_identity.key,
						       .leaf_der = attested_identity.leaf,
						       .leaf_len = attested_identity.leaf_len,
						       .source = kit_source_of(&room->source) };
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	struct rpc_listen listen = { .address = "127.0.0.1:0" };
	unsigned port;
	struct err e;

	assert_ok(kit_server_tls(setup->tls ? setup->tls : &attested_identity, NULL, &tls, &e), e);
	assert_ok(attested_server_new(&config, &room->attested, &e), e);
	assert_ok(rpc_server_new(&room->loop, NULL, &room->server, &e), e);
	assert_ok(rpc_server_add(room->server, &test_service, room, &e), e);
	assert_ok(rpc_server_add(room->server, &agent_service, room, &e), e);
	listen.tls = tls;
	if (!setup->plain) {
		listen.prologue = setup->server ? setup->server : &attested_server_prologue;
		listen.prologue_data = setup->server ? (void *)room : room->attested;
	}
	assert_ok(rpc_server_listen(room->server, &listen, &port, &e), e);
	snprintf(room->target, sizeof(room->target), "127.0.0.1:%u", port);
}

void attested_room_open(struct attested_room *room, const struct attested_setup *setup)
{
	const struct attested_client_config config = { .loop = &room->loop,
						       .first_context = setup->first_context,
						       .appraise = kit_appraise,
						       .data = &room->judge };
	const struct rpc_tls_config tls_config = { .only_tls13 = true,
						   .judged_by_prologue = !setup->plain,
						   .ca = setup->plain ? attested_identity.cert_pem
								      : NULL,
						   .name = setup->plain ? "agent" : NULL };
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	struct rpc_channel_config channel = { .target = room->target };
	struct err e;

	assert_int_equal(uv_loop_init(&room->loop), 0);
	room->source.loop = &room->loop;
	room->source.identity = &attested_identity;
	listen_in(room, setup);
	assert_ok(attested_client_new(&config, &room->client, &e), e);
	assert_ok(rpc_tls_new_client(&tls_config, &tls, &e), e);
	channel.tls = tls;
	if (!setup->plain) {
		channel.prologue = setup->client ? setup->client : &attested_client_prologue;
		channel.prologue_data = setup->client ? (void *)room : room->client;
	}
	assert_ok(rpc_channel_new(&room->loop, &channel, &room->channel, &e), e);
}

void attested_room_close(struct attested_room *room)
{
	rpc_channel_free(room->channel);
	rpc_server_free(room->server);
	attested_server_free(room->attested);
	attested_client_free(room->client);
	uv_run(&room->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&room->loop), 0);
}

int attested_room_call(struct attested_room *room, struct err *e)
{
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
	ProtobufCMessage *response = NULL;
	int failed = rpc_sync_unary(room->channel, &attested_room_empty_call, NULL, &request.base,
				    &response, e);

	if (!failed)
		protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

void attested_room_refuses(struct attested_room *room, enum err_code code, const char *words)
{
	struct err e;

	assert_refused(attested_room_call(room, &e), e, code, words);
	assert_int_equal(room->served, 0);
	assert_int_equal(room->bytes_behind, 0);
}

size_t attested_room_request(uint8_t context, uint8_t out[EA_REQUEST_MAX])
{
	CLEANUP_WRITER struct writer w = writer_up_to(EA_REQUEST_MAX);
	uint8_t bytes[EA_CONTEXT_LEN];

	memset(bytes, context, sizeof(bytes));
	ea_request_write(bytes, &w);
	memcpy(out, w.bytes, w.len);
	return w.len;
}

int attested_identities_make(void **state)
{
	struct err e;

	return kit_identity_make(&attested_identity, &e) < 0 ||
	       kit_identity_make(&attested_other, &e) < 0;
}

int attested_identities_free(void **state)
{
	kit_identity_done(&attested_identity);
	kit_identity_done(&attested_other);
	return 0;
}
