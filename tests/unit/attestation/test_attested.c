/* SPDX-License-Identifier: Apache-2.0 */
/* Both halves of attested TLS against each other, and each against a peer that breaks the rules. */
#include "tests/unit.h"

#include "agent.pb-c.h"
#include "agent/service.h"
#include "attestation/attested_reattest.h"
#include "attestation/attested_session.h"
#include "common/rpc/sync.h"
#include "tests/attested/kit.h"
#include "tests/interop/methods.h"

#include <stdio.h>

static const struct rpc_method empty_call = TEST_EMPTY_CALL;
static const struct rpc_method reattest = { "/agent.AgentService/Reattest", RPC_BIDI,
					    &agent__reattest_request__descriptor,
					    &agent__reattest_response__descriptor };

static struct kit_identity identity, other;

struct room {
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

static void on_empty(struct rpc_call *call, const ProtobufCMessage *message)
{
	Grpc__Testing__Empty answer = GRPC__TESTING__EMPTY__INIT;
	struct room *room = rpc_call_service(call);

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
	{ .method = { "/agent.AgentService/Reattest", RPC_BIDI,
		      &agent__reattest_request__descriptor, &agent__reattest_response__descriptor },
	  .message = service_reattest_message,
	  .half_close = service_reattest_half_close,
	  .closed = service_reattest_closed },
};
static const struct rpc_service agent_service = { .name = "agent.AgentService",
						  .handlers = agent_handlers,
						  .count = 1 };

struct setup {
	const struct rpc_prologue *server, *client; /* NULL: the real ones */
	bool plain;
	const uint8_t *first_context;
	const struct kit_identity *tls; /* NULL: `identity` */
};

static void listen_in(struct room *room, const struct setup *setup)
{
	const struct attested_server_config config = { .key = identity.key,
						       .leaf_der = identity.leaf,
						       .leaf_len = identity.leaf_len,
						       .source = kit_source_of(&room->source) };
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	struct rpc_listen listen = { .address = "127.0.0.1:0" };
	unsigned port;
	struct err e;

	assert_ok(kit_server_tls(setup->tls ? setup->tls : &identity, NULL, &tls, &e), e);
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

static void room_open(struct room *room, const struct setup *setup)
{
	const struct attested_client_config config = { .loop = &room->loop,
						       .first_context = setup->first_context,
						       .appraise = kit_appraise,
						       .data = &room->judge };
	const struct rpc_tls_config tls_config = { .only_tls13 = true,
						   .judged_by_prologue = !setup->plain,
						   .ca = setup->plain ? identity.cert_pem : NULL,
						   .name = setup->plain ? "agent" : NULL };
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	struct rpc_channel_config channel = { .target = room->target };
	struct err e;

	assert_int_equal(uv_loop_init(&room->loop), 0);
	room->source.loop = &room->loop;
	room->source.identity = &identity;
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

/* Whatever is left behind fails the test. */
static void room_close(struct room *room)
{
	rpc_channel_free(room->channel);
	rpc_server_free(room->server);
	attested_server_free(room->attested);
	attested_client_free(room->client);
	uv_run(&room->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&room->loop), 0);
}

static int call(struct room *room, struct err *e)
{
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
	ProtobufCMessage *response = NULL;
	int failed = rpc_sync_unary(room->channel, &empty_call, NULL, &request.base, &response, e);

	if (!failed)
		protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

/* The client refuses with these words, and the server has not heard a byte of HTTP/2. */
static void must_refuse(struct room *room, enum err_code code, const char *words)
{
	struct err e;

	assert_refused(call(room, &e), e, code, words);
	assert_int_equal(room->served, 0);
	assert_int_equal(room->bytes_behind, 0);
}

static void evidence_comes_before_the_first_call(void **state)
{
	struct room room = { .served = 0 };
	struct err e;

	room_open(&room, &(struct setup){ .server = NULL });
	assert_ok(call(&room, &e), e);
	assert_ok(call(&room, &e), e);
	assert_int_equal(room.served, 2);
	assert_int_equal(room.judge.asked, 1);
	assert_int_equal(room.source.asked, 1);
	room_close(&room);
}

static void a_judge_that_refuses_ends_it(void **state)
{
	struct room room = { .judge = { .refuses = true } };

	room_open(&room, &(struct setup){ .server = NULL });
	must_refuse(&room, ERR_DENIED, "attested TLS: this judge refuses everything");
	assert_int_equal(room.judge.asked, 1);
	/* Tried anew, refused anew. */
	must_refuse(&room, ERR_DENIED, "refuses everything");
	assert_int_equal(room.judge.asked, 2);
	room_close(&room);
}

static void evidence_of_another_session_is_refused(void **state)
{
	struct room room = { .source = { .mode = KIT_OTHER_SESSION } };

	room_open(&room, &(struct setup){ .server = NULL });
	must_refuse(&room, ERR_DENIED, "report_data");
	room_close(&room);
}

static void without_evidence_there_is_no_connection(void **state)
{
	static const enum kit_mode modes[] = { KIT_FAILS, KIT_FAILS_AT_ONCE, KIT_TOO_LONG };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct room room = { .source = { .mode = modes[i] } };

		room_open(&room, &(struct setup){ .server = NULL });
		must_refuse(&room, ERR_UNAVAILABLE, "");
		assert_int_equal(room.source.asked, 1);
		assert_int_equal(room.judge.asked, 0);
		room_close(&room);
	}
}

static void a_client_that_leaves_gives_its_place_back(void **state)
{
	struct room room = { .source = { .mode = KIT_NEVER } };
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
	struct rpc_sync *sync;
	struct err e;

	room_open(&room, &(struct setup){ .server = NULL });
	assert_ok(rpc_sync_open(room.channel, &empty_call, NULL, &sync, &e), e);
	assert_ok(rpc_sync_send(sync, &request.base, &e), e);
	while (!room.source.asked)
		uv_run(&room.loop, UV_RUN_ONCE);
	rpc_sync_free(sync);
	rpc_channel_free(TAKE_PTR(room.channel));
	while (!room.source.cancelled)
		uv_run(&room.loop, UV_RUN_ONCE);
	assert_int_equal(room.source.answered, 0);
	rpc_server_free(room.server);
	attested_server_free(room.attested);
	attested_client_free(room.client);
	uv_run(&room.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&room.loop), 0);
}

/* ---- Reattest ---- */

static void evidence_can_be_had_again(void **state)
{
	struct room room = { .served = 0 };
	struct err e;

	room_open(&room, &(struct setup){ .server = NULL });
	assert_refused(attested_reattest(room.channel, room.client, 0, &e), e, ERR_PRECONDITION,
		       "no attested connection");
	assert_ok(call(&room, &e), e);
	for (unsigned i = 2; i < 5; i++) {
		assert_ok(attested_reattest(room.channel, room.client, 0, &e), e);
		assert_int_equal(room.judge.asked, i);
		assert_int_equal(room.source.asked, i);
	}
	room.judge.refuses = true;
	assert_refused(attested_reattest(room.channel, room.client, 0, &e), e, ERR_DENIED,
		       "refuses everything");
	room.judge.refuses = false;
	room.source.mode = KIT_OTHER_SESSION;
	assert_refused(attested_reattest(room.channel, room.client, 0, &e), e, ERR_DENIED,
		       "another session");
	room.source.mode = KIT_FAILS;
	assert_refused(attested_reattest(room.channel, room.client, 0, &e), e, ERR_UNAVAILABLE,
		       "the device refuses");
	room.source.mode = KIT_FAILS_AT_ONCE;
	assert_refused(attested_reattest(room.channel, room.client, 0, &e), e, ERR_EXHAUSTED,
		       "too many wait");
	room_close(&room);
}

static void reattest_waits_no_longer_than_told(void **state)
{
	struct room room = { .served = 0 };
	struct err e;

	room_open(&room, &(struct setup){ .server = NULL });
	assert_ok(call(&room, &e), e);
	room.source.mode = KIT_NEVER;
	assert_refused(attested_reattest(room.channel, room.client, 50, &e), e, ERR_DEADLINE, "");
	while (!room.source.cancelled)
		uv_run(&room.loop, UV_RUN_ONCE);
	/* The place is free again. */
	room.source.mode = KIT_GOOD;
	assert_ok(attested_reattest(room.channel, room.client, 0, &e), e);
	room_close(&room);
}

static void ask_raw(struct room *room, const uint8_t *bytes, size_t len, struct err *e)
{
	Agent__ReattestRequest request = { .base = PROTOBUF_C_MESSAGE_INIT(
						   &agent__reattest_request__descriptor),
					   .request = { len, (uint8_t *)bytes } };
	ProtobufCMessage *response = NULL;
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;

	e->code = ERR_OK;
	if (rpc_sync_open(room->channel, &reattest, NULL, &sync, e) == 0 &&
	    rpc_sync_send(sync, &request.base, e) == 0 && rpc_sync_finish(sync, &response, e) == 0)
		protobuf_c_message_free_unpacked(response, NULL);
}

static size_t make_request(uint8_t context, uint8_t out[EA_REQUEST_MAX])
{
	CLEANUP_WRITER struct writer w = writer_up_to(EA_REQUEST_MAX);
	uint8_t bytes[EA_CONTEXT_LEN];

	memset(bytes, context, sizeof(bytes));
	ea_request_write(bytes, &w);
	memcpy(out, w.bytes, w.len);
	return w.len;
}

static void a_context_serves_once_on_a_connection(void **state)
{
	uint8_t first[EA_CONTEXT_LEN], request[EA_REQUEST_MAX];
	struct room room = { .served = 0 };
	struct err e;
	size_t len;

	memset(first, 'c', sizeof(first));
	room_open(&room, &(struct setup){ .first_context = first });
	assert_ok(call(&room, &e), e);
	/* That of the prologue. */
	len = make_request('c', request);
	ask_raw(&room, request, len, &e);
	assert_int_equal(e.code, ERR_DENIED);
	assert_non_null(strstr(e.text, "used before"));
	/* One of Reattest. */
	len = make_request('d', request);
	ask_raw(&room, request, len, &e);
	assert_int_equal(e.code, ERR_OK);
	ask_raw(&room, request, len, &e);
	assert_int_equal(e.code, ERR_DENIED);
	/* What is no request at all. */
	ask_raw(&room, request, len - 1, &e);
	assert_int_equal(e.code, ERR_INVALID);
	ask_raw(&room, request, 0, &e);
	assert_int_equal(e.code, ERR_INVALID);
	assert_int_equal(room.source.asked, 2);
	room_close(&room);
}

static void a_connection_asks_so_often_and_no_more(void **state)
{
	struct room room = { .served = 0 };
	uint8_t request[EA_REQUEST_MAX];
	struct err e;

	room_open(&room, &(struct setup){ .server = NULL });
	assert_ok(call(&room, &e), e);
	for (unsigned i = 1; i < ATTESTED_CONTEXTS_MAX; i++) {
		size_t len = make_request(0, request);

		request[5] = (uint8_t)i;
		request[6] = (uint8_t)(i >> 8);
		ask_raw(&room, request, len, &e);
		assert_int_equal(e.code, ERR_OK);
	}
	ask_raw(&room, request, make_request(0xff, request), &e);
	assert_int_equal(e.code, ERR_EXHAUSTED);
	assert_int_equal(room.source.asked, ATTESTED_CONTEXTS_MAX);
	room_close(&room);
}

static void reattest_needs_an_attested_connection(void **state)
{
	struct room room = { .served = 0 };
	uint8_t request[EA_REQUEST_MAX];
	struct err e;

	room_open(&room, &(struct setup){ .plain = true });
	ask_raw(&room, request, make_request(1, request), &e);
	assert_int_equal(e.code, ERR_PRECONDITION);
	assert_non_null(strstr(e.text, "not attested"));
	assert_refused(attested_reattest(room.channel, room.client, 0, &e), e, ERR_PRECONDITION,
		       "no attested connection");
	room_close(&room);
}

/* ---- a client that breaks the rules ---- */

static void fake_client_start(struct rpc_prologue_run *run, void *data)
{
	struct room *room = data;
	struct err e;

	rpc_prologue_set_user(run, room);
	assert_ok(rpc_prologue_send(run, room->script, room->script_len, &e), e);
}

static size_t fake_client_bytes(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	struct room *room = rpc_prologue_user(run);

	room->bytes_behind += len;
	return len;
}

static void fake_closed(struct rpc_prologue_run *run)
{
	struct room *room = rpc_prologue_user(run);

	room->closed++;
}

static const struct rpc_prologue fake_client = { .input_max = 32 << 20,
						 .start = fake_client_start,
						 .bytes = fake_client_bytes,
						 .closed = fake_closed };

/* The server says nothing to that, asks nobody for evidence and hangs up. */
static void server_hangs_up(const uint8_t *script, size_t len, enum kit_mode mode, unsigned asked)
{
	struct room room = { .script = script, .script_len = len, .source = { .mode = mode } };
	struct err e;

	room_open(&room, &(struct setup){ .client = &fake_client });
	assert_int_equal(call(&room, &e), -ERR_UNAVAILABLE);
	assert_int_equal(room.bytes_behind, 0);
	assert_int_equal(room.source.asked, asked);
	assert_int_equal(room.source.cancelled, asked);
	assert_int_equal(room.closed, 1);
	room_close(&room);
}

static void clients_that_break_the_rules_are_cut_off(void **state)
{
	static const uint8_t http2[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	static const uint8_t large[] = { 1, 0, 0, 0x10, 0x01 }, empty[] = { 1, 0, 0, 0, 0 };
	static const uint8_t answer[] = { 2, 0, 0, 0, 1, 0 };
	uint8_t frame[3 * EA_REQUEST_MAX], twice[6 * EA_REQUEST_MAX];
	size_t len = make_request('x', frame + EA_FRAME_HEAD);

	server_hangs_up(http2, sizeof(http2) - 1, KIT_GOOD, 0);
	server_hangs_up(large, sizeof(large), KIT_GOOD, 0);
	server_hangs_up(empty, sizeof(empty), KIT_GOOD, 0);
	server_hangs_up(answer, sizeof(answer), KIT_GOOD, 0);

	ea_frame_head(EA_FRAME_REQUEST, len, frame);
	len += EA_FRAME_HEAD;
	/* Two requests; HTTP/2 that does not wait; a byte. */
	memcpy(twice, frame, len);
	memcpy(twice + len, frame, len);
	server_hangs_up(twice, 2 * len, KIT_GOOD, 0);
	memcpy(twice + len, http2, sizeof(http2));
	server_hangs_up(twice, len + sizeof(http2) - 1, KIT_GOOD, 0);
	server_hangs_up(twice, len + 1, KIT_GOOD, 0);
	/* A request that is none. */
	frame[EA_FRAME_HEAD] ^= 1;
	server_hangs_up(frame, len, KIT_GOOD, 0);
	frame[EA_FRAME_HEAD] ^= 1;
	/* Exactly the limit, which is no request either, and nothing hangs. */
	memset(twice, 0, sizeof(twice));
	ea_frame_head(EA_FRAME_REQUEST, EA_REQUEST_MAX, twice);
	server_hangs_up(twice, EA_FRAME_HEAD + EA_REQUEST_MAX, KIT_GOOD, 0);
}

static void talks_on(uv_timer_t *timer)
{
	struct room *room = timer->data;

	if (!room->source.asked)
		return;
	/* Evidence is being made: now the client says more. */
	struct rpc_prologue_run *run = (struct rpc_prologue_run *)room->tail;
	struct err e;

	assert_ok(rpc_prologue_send(run, "P", 1, &e), e);
	uv_timer_stop(timer);
}

static void keep_run(struct rpc_prologue_run *run, void *data)
{
	struct room *room = data;

	fake_client_start(run, data);
	room->tail = (uint8_t *)rpc_prologue_ref(run);
}

static const struct rpc_prologue talking_client = {
	.input_max = 1 << 20, .start = keep_run, .bytes = fake_client_bytes, .closed = fake_closed
};

static void a_client_waits_for_the_answer(void **state)
{
	uint8_t frame[EA_FRAME_HEAD + EA_REQUEST_MAX];
	struct room room = { .script = frame, .source = { .mode = KIT_NEVER } };
	uv_timer_t timer;
	struct err e;

	room.script_len = EA_FRAME_HEAD + make_request('x', frame + EA_FRAME_HEAD);
	ea_frame_head(EA_FRAME_REQUEST, room.script_len - EA_FRAME_HEAD, frame);
	room_open(&room, &(struct setup){ .client = &talking_client });
	uv_timer_init(&room.loop, &timer);
	timer.data = &room;
	uv_timer_start(&timer, talks_on, 1, 1);
	assert_int_equal(call(&room, &e), -ERR_UNAVAILABLE);
	assert_int_equal(room.source.cancelled, 1);
	assert_int_equal(room.bytes_behind, 0);
	uv_close((uv_handle_t *)&timer, NULL);
	rpc_prologue_unref((struct rpc_prologue_run *)room.tail);
	room_close(&room);
}

/* ---- a server that breaks the rules ---- */

static void fake_server_start(struct rpc_prologue_run *run, void *data)
{
	rpc_prologue_set_user(run, data);
}

/* Answers like a server of ours would, but for what the test changes. */
static void fake_answer(struct room *room, struct rpc_prologue_run *run)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct authenticator_input input = { .request = room->request + EA_FRAME_HEAD,
					     .request_len = room->request_len - EA_FRAME_HEAD };
	const struct kit_identity *id = room->signs;
	struct authenticator_session session;
	char token[256], hex[2 * BINDING_REPORT_DATA_LEN + 1];
	struct ea_request request;
	struct binding binding;
	struct err e;

	assert_ok(ea_request_parse(input.request, input.request_len, &request, &e), e);
	assert_ok(attested_session_read(rpc_prologue_tls(run), request.context, &session, &e), e);
	assert_ok(binding_channel(session.hash, id->spki, id->spki_len, session.exporter, NULL, &binding, &e),
		  e);
	for (size_t i = 0; i < sizeof(binding.report_data); i++)
		snprintf(hex + 2 * i, 3, "%02x", binding.report_data[i]);
	snprintf(token, sizeof(token), "%s%s", KIT_TOKEN_PREFIX, hex);
	input.leaf_der = id->leaf;
	input.leaf_len = id->leaf_len;
	input.key = id->key;
	input.spki = id->spki;
	input.spki_len = id->spki_len;
	input.evidence = (uint8_t *)token;
	input.evidence_len = strlen(token);
	writer_zeros(&w, EA_FRAME_HEAD);
	assert_ok(authenticator_write(&session, &input, &w, &e), e);
	ea_frame_head(EA_FRAME_AUTHENTICATOR, w.len - EA_FRAME_HEAD, w.bytes);
	writer_bytes(&w, room->tail, room->tail_len);
	assert_ok(rpc_prologue_send(run, w.bytes, w.len - room->cut, &e), e);
}

static size_t fake_server_bytes(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	struct room *room = rpc_prologue_user(run);
	size_t wanted;
	struct err e;

	if (room->request_len) {
		room->bytes_behind += len;
		return len;
	}
	if (len < EA_FRAME_HEAD)
		return 0;
	assert_ok(ea_frame_parse_head(bytes, EA_FRAME_REQUEST, &wanted, &e), e);
	wanted += EA_FRAME_HEAD;
	if (len < wanted)
		return 0;
	assert_int_equal(len, wanted); /* nothing behind the request */
	memcpy(room->request, bytes, wanted);
	room->request_len = wanted;
	if (room->signs)
		fake_answer(room, run);
	else
		assert_ok(rpc_prologue_send(run, room->script, room->script_len, &e), e);
	if (room->cut) {
		err_set(&e, ERR_UNAVAILABLE, "the fake hangs up");
		rpc_prologue_refuse(run, &e);
	}
	return wanted;
}

static const struct rpc_prologue fake_server = { .input_max = 1 << 20,
						 .start = fake_server_start,
						 .bytes = fake_server_bytes,
						 .closed = fake_closed };

static void client_refuses(const uint8_t *script, size_t len, enum err_code code, const char *words)
{
	struct room room = { .script = script, .script_len = len };

	room_open(&room, &(struct setup){ .server = &fake_server });
	must_refuse(&room, code, words);
	assert_int_equal(room.judge.asked, 0);
	room_close(&room);
	assert_int_equal(room.bytes_behind, 0);
}

static void servers_that_break_the_rules_are_refused(void **state)
{
	static const uint8_t settings[] = { 0, 0, 0, 4, 0, 0, 0, 0, 0 };
	static const uint8_t empty[] = { 2, 0, 0, 0, 0 }, large[] = { 2, 1, 0, 0, 1 };
	static const uint8_t request[] = { 1, 0, 0, 0, 1, 0 },
			     rubbish[] = { 2, 0, 0, 0, 3, 1, 2, 3 };

	client_refuses(settings, sizeof(settings), ERR_INVALID, "type 0 where 2 is due");
	client_refuses(empty, sizeof(empty), ERR_INVALID, "0 bytes announced");
	client_refuses(large, sizeof(large), ERR_INVALID, "16777217 bytes announced");
	client_refuses(request, sizeof(request), ERR_INVALID, "type 1 where 2 is due");
	client_refuses(rubbish, sizeof(rubbish), ERR_INVALID, "authenticator:");
}

static void a_server_may_go_on_with_http2_and_nothing_else(void **state)
{
	static const uint8_t second[] = { 2, 0, 0, 0, 1, 0 }, ack[] = { 0, 0, 0, 4, 1, 0, 0, 0, 0 };
	static const struct {
		const uint8_t *bytes;
		size_t len;
	} tails[] = { { second, sizeof(second) }, { second, 1 }, { ack, sizeof(ack) } };

	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		struct room room = { .signs = &identity,
				     .tail = (uint8_t *)tails[i].bytes,
				     .tail_len = tails[i].len };

		room_open(&room, &(struct setup){ .server = &fake_server });
		must_refuse(&room, ERR_INVALID, "behind the authenticator");
		room_close(&room);
		assert_int_equal(room.bytes_behind, 0);
	}
}

static void an_authenticator_by_another_key_is_refused(void **state)
{
	struct room room = { .signs = &other };

	room_open(&room, &(struct setup){ .server = &fake_server });
	must_refuse(&room, ERR_DENIED, "not that of the TLS certificate");
	assert_int_equal(room.judge.asked, 0);
	room_close(&room);
}

static void an_authenticator_is_whole_or_none(void **state)
{
	/* Cut anywhere, and then the server hangs up. */
	for (size_t cut = 1; cut < 900; cut += 53) {
		struct room room = { .signs = &identity, .cut = cut };

		room_open(&room, &(struct setup){ .server = &fake_server });
		must_refuse(&room, ERR_UNAVAILABLE, "");
		assert_int_equal(room.judge.asked, 0);
		room_close(&room);
	}
}

static void contexts_are_fresh(void **state)
{
	uint8_t seen[3][EA_CONTEXT_LEN], first[EA_CONTEXT_LEN];
	static const uint8_t rubbish[] = { 2, 0, 0, 0, 1, 0 };
	struct room room = { .script = rubbish, .script_len = sizeof(rubbish) };
	struct ea_request request;
	struct err e;

	memset(first, 7, sizeof(first));
	room_open(&room, &(struct setup){ .server = &fake_server, .first_context = first });
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		room.request_len = 0;
		must_refuse(&room, ERR_INVALID, "");
		assert_ok(ea_request_parse(room.request + EA_FRAME_HEAD,
					   room.request_len - EA_FRAME_HEAD, &request, &e),
			  e);
		memcpy(seen[i], request.context, EA_CONTEXT_LEN);
	}
	assert_memory_equal(seen[0], first, EA_CONTEXT_LEN);
	assert_memory_not_equal(seen[1], first, EA_CONTEXT_LEN);
	assert_memory_not_equal(seen[1], seen[2], EA_CONTEXT_LEN);
	room_close(&room);
}

static void an_identity_is_p256_with_its_certificate(void **state)
{
	struct attested_server_config config = { .key = other.key,
						 .leaf_der = identity.leaf,
						 .leaf_len = identity.leaf_len };
	struct attested_server *server = NULL;
	EVP_PKEY *p384 = EVP_EC_gen("P-384");
	struct err e;

	assert_refused(attested_server_new(&config, &server, &e), e, ERR_INVALID,
		       "not a certificate of");
	config.key = identity.key;
	config.leaf_len--;
	assert_refused(attested_server_new(&config, &server, &e), e, ERR_INVALID,
		       "not a certificate of");
	config.key = p384;
	assert_refused(attested_server_new(&config, &server, &e), e, ERR_INVALID, "P-256");
	EVP_PKEY_free(p384);
}

static void frames_are_taken_whole(void **state)
{
	const struct ea_frame_want want = { EA_FRAME_REQUEST, EA_REQUEST_MAX };
	uint8_t bytes[EA_FRAME_HEAD + EA_REQUEST_MAX + 2] = { 0 };
	struct reader payload;
	size_t used;
	struct err e;

	ea_frame_head(EA_FRAME_REQUEST, EA_REQUEST_MAX, bytes);
	for (size_t len = 0; len < EA_FRAME_HEAD + EA_REQUEST_MAX; len++) {
		assert_ok(ea_frame_take(bytes, len, &want, &payload, &used, &e), e);
		assert_int_equal(used, 0);
	}
	assert_ok(ea_frame_take(bytes, sizeof(bytes), &want, &payload, &used, &e), e);
	assert_int_equal(used, EA_FRAME_HEAD + EA_REQUEST_MAX);
	assert_int_equal(reader_left(&payload), EA_REQUEST_MAX);
	ea_frame_head(EA_FRAME_REQUEST, EA_REQUEST_MAX + 1, bytes);
	assert_refused(ea_frame_take(bytes, EA_FRAME_HEAD, &want, &payload, &used, &e), e,
		       ERR_INVALID, "1 to 4096");
	bytes[0] = EA_FRAME_AUTHENTICATOR;
	assert_refused(ea_frame_take(bytes, 1, &want, &payload, &used, &e), e, ERR_INVALID,
		       "type 2 where 1 is due");
}

static int make_identities(void **state)
{
	struct err e;

	return kit_identity_make(&identity, &e) < 0 || kit_identity_make(&other, &e) < 0;
}

static int free_identities(void **state)
{
	kit_identity_done(&identity);
	kit_identity_done(&other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evidence_comes_before_the_first_call),
		cmocka_unit_test(a_judge_that_refuses_ends_it),
		cmocka_unit_test(evidence_of_another_session_is_refused),
		cmocka_unit_test(without_evidence_there_is_no_connection),
		cmocka_unit_test(a_client_that_leaves_gives_its_place_back),
		cmocka_unit_test(evidence_can_be_had_again),
		cmocka_unit_test(reattest_waits_no_longer_than_told),
		cmocka_unit_test(a_context_serves_once_on_a_connection),
		cmocka_unit_test(a_connection_asks_so_often_and_no_more),
		cmocka_unit_test(reattest_needs_an_attested_connection),
		cmocka_unit_test(clients_that_break_the_rules_are_cut_off),
		cmocka_unit_test(a_client_waits_for_the_answer),
		cmocka_unit_test(servers_that_break_the_rules_are_refused),
		cmocka_unit_test(a_server_may_go_on_with_http2_and_nothing_else),
		cmocka_unit_test(an_authenticator_by_another_key_is_refused),
		cmocka_unit_test(an_authenticator_is_whole_or_none),
		cmocka_unit_test(contexts_are_fresh),
		cmocka_unit_test(an_identity_is_p256_with_its_certificate),
		cmocka_unit_test(frames_are_taken_whole),
	};

	return cmocka_run_group_tests(tests, make_identities, free_identities);
}
