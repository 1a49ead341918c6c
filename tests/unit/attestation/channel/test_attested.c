/* SPDX-License-Identifier: Apache-2.0 */
/* Both halves of attested TLS against each other. */
#include "agent.pb-c.h"
#include "agent_paths.h"
#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "common/rpc/sync.h"
#include "tests/interop/methods.h"
#include "tests/unit/attestation/channel/attested_room.h"

static const struct rpc_method reattest = { PROTO_AGENT_REATTEST, RPC_BIDI,
					    &agent__reattest_request__descriptor,
					    &agent__reattest_response__descriptor };

static void evidence_comes_before_the_first_call(void **state)
{
	struct attested_room room = { .served = 0 };
	struct err e;

	attested_room_open(&room, &(struct attested_setup){ .server = NULL });
	assert_ok(attested_room_call(&room, &e), e);
	assert_ok(attested_room_call(&room, &e), e);
	assert_int_equal(room.served, 2);
	assert_int_equal(room.judge.asked, 1);
	assert_int_equal(room.source.asked, 1);
	attested_room_close(&room);
}

static void a_judge_that_refuses_ends_it(void **state)
{
	struct attested_room room = { .judge = { .refuses = true } };

	attested_room_open(&room, &(struct attested_setup){ .server = NULL });
	attested_room_refuses(&room, ERR_DENIED, "attested TLS: this judge refuses everything");
	assert_int_equal(room.judge.asked, 1);
	/* Tried anew, refused anew. */
	attested_room_refuses(&room, ERR_DENIED, "refuses everything");
	assert_int_equal(room.judge.asked, 2);
	attested_room_close(&room);
}

static void evidence_of_another_session_is_refused(void **state)
{
	struct attested_room room = { .source = { .mode = KIT_OTHER_SESSION } };

	attested_room_open(&room, &(struct attested_setup){ .server = NULL });
	attested_room_refuses(&room, ERR_DENIED, "report_data");
	attested_room_close(&room);
}

static void without_evidence_there_is_no_connection(void **state)
{
	static const enum kit_mode modes[] = { KIT_FAILS, KIT_FAILS_AT_ONCE, KIT_TOO_LONG };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct attested_room room = { .source = { .mode = modes[i] } };

		attested_room_open(&room, &(struct attested_setup){ .server = NULL });
		attested_room_refuses(&room, ERR_UNAVAILABLE, "");
		assert_int_equal(room.source.asked, 1);
		assert_int_equal(room.judge.asked, 0);
		attested_room_close(&room);
	}
}

static void a_client_that_leaves_gives_its_place_back(void **state)
{
	struct attested_room room = { .source = { .mode = KIT_NEVER } };
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
	struct rpc_sync *sync;
	struct err e;

	attested_room_open(&room, &(struct attested_setup){ .server = NULL });
	assert_ok(rpc_sync_open(room.channel, &attested_room_empty_call, NULL, &sync, &e), e);
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
	struct attested_room room = { .served = 0 };
	struct err e;

	attested_room_open(&room, &(struct attested_setup){ .server = NULL });
	assert_refused(attested_reattest(room.channel, room.client, 0, &e), e, ERR_PRECONDITION,
		       "no attested connection");
	assert_ok(attested_room_call(&room, &e), e);
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
	attested_room_close(&room);
}

static void reattest_waits_no_longer_than_told(void **state)
{
	struct attested_room room = { .served = 0 };
	struct err e;

	attested_room_open(&room, &(struct attested_setup){ .server = NULL });
	assert_ok(attested_room_call(&room, &e), e);
	room.source.mode = KIT_NEVER;
	assert_refused(attested_reattest(room.channel, room.client, 50, &e), e, ERR_DEADLINE, "");
	while (!room.source.cancelled)
		uv_run(&room.loop, UV_RUN_ONCE);
	/* The place is free again. */
	room.source.mode = KIT_GOOD;
	assert_ok(attested_reattest(room.channel, room.client, 0, &e), e);
	attested_room_close(&room);
}

static void ask_raw(struct attested_room *room, const uint8_t *bytes, size_t len, struct err *e)
{
	Agent__ReattestRequest request = { .base = PROTOBUF_C_MESSAGE_INIT(
						   &agent__reattest_request__descriptor),
					   .request = { len, (uint8_t *)bytes } };
	ProtobufCMessage *response = NULL;
	/* Of a call that nobody refuses, and nobody answers. */
	const struct rpc_stream_options options = { .timeout_ms = 60000 };
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;

	e->code = ERR_OK;
	if (rpc_sync_open(room->channel, &reattest, &options, &sync, e) == 0 &&
	    rpc_sync_send(sync, &request.base, e) == 0 && rpc_sync_finish(sync, &response, e) == 0)
		protobuf_c_message_free_unpacked(response, NULL);
}

static void a_context_serves_once_on_a_connection(void **state)
{
	uint8_t first[EA_CONTEXT_LEN], request[EA_REQUEST_MAX];
	struct attested_room room = { .served = 0 };
	struct err e;
	size_t len;

	memset(first, 'c', sizeof(first));
	attested_room_open(&room, &(struct attested_setup){ .first_context = first });
	assert_ok(attested_room_call(&room, &e), e);
	/* That of the prologue. */
	len = attested_room_request('c', request);
	ask_raw(&room, request, len, &e);
	assert_int_equal(e.code, ERR_DENIED);
	assert_non_null(strstr(e.text, "used before"));
	/* One of Reattest. */
	len = attested_room_request('d', request);
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
	attested_room_close(&room);
}

static void a_connection_asks_so_often_and_no_more(void **state)
{
	struct attested_room room = { .served = 0 };
	uint8_t request[EA_REQUEST_MAX];
	struct err e;

	attested_room_open(&room, &(struct attested_setup){ .server = NULL });
	assert_ok(attested_room_call(&room, &e), e);
	for (unsigned i = 1; i < ATTESTED_CONTEXTS_MAX; i++) {
		size_t len = attested_room_request(0, request);

		request[5] = (uint8_t)i;
		request[6] = (uint8_t)(i >> 8);
		ask_raw(&room, request, len, &e);
		assert_int_equal(e.code, ERR_OK);
	}
	ask_raw(&room, request, attested_room_request(0xff, request), &e);
	assert_int_equal(e.code, ERR_EXHAUSTED);
	assert_int_equal(room.source.asked, ATTESTED_CONTEXTS_MAX);
	attested_room_close(&room);
}

/* By calls of their own, for one call waits for its answer. */
static void one_answer_is_made_at_a_time(void **state)
{
	struct attested_room room = { .served = 0 };
	uint8_t bytes[EA_REQUEST_MAX];
	const Agent__ReattestRequest request = {
		.base = PROTOBUF_C_MESSAGE_INIT(&agent__reattest_request__descriptor),
		.request = { attested_room_request('d', bytes), bytes }
	};
	uint8_t second[EA_REQUEST_MAX];
	struct rpc_sync *first = NULL;
	struct err e;

	attested_room_open(&room, &(struct attested_setup){ .server = NULL });
	assert_ok(attested_room_call(&room, &e), e);
	room.source.mode = KIT_NEVER;
	assert_ok(rpc_sync_open(room.channel, &reattest, NULL, &first, &e), e);
	assert_ok(rpc_sync_send(first, &request.base, &e), e);
	while (room.source.asked < 2)
		uv_run(&room.loop, UV_RUN_ONCE);
	ask_raw(&room, second, attested_room_request('e', second), &e);
	assert_int_equal(e.code, ERR_EXHAUSTED);
	assert_non_null(strstr(e.text, "being made"));
	assert_int_equal(room.source.asked, 2);
	assert_int_equal(room.source.cancelled, 0);
	rpc_sync_free(first);
	while (!room.source.cancelled)
		uv_run(&room.loop, UV_RUN_ONCE);
	/* Now it is the next one's turn. */
	room.source.mode = KIT_GOOD;
	assert_ok(attested_reattest(room.channel, room.client, 0, &e), e);
	attested_room_close(&room);
}

static void reattest_needs_an_attested_connection(void **state)
{
	struct attested_room room = { .served = 0 };
	uint8_t request[EA_REQUEST_MAX];
	struct err e;

	attested_room_open(&room, &(struct attested_setup){ .plain = true });
	ask_raw(&room, request, attested_room_request(1, request), &e);
	assert_int_equal(e.code, ERR_PRECONDITION);
	assert_non_null(strstr(e.text, "not attested"));
	assert_refused(attested_reattest(room.channel, room.client, 0, &e), e, ERR_PRECONDITION,
		       "no attested connection");
	attested_room_close(&room);
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
		cmocka_unit_test(one_answer_is_made_at_a_time),
		cmocka_unit_test(reattest_needs_an_attested_connection),
	};

	return cmocka_run_group_tests(tests, attested_identities_make, attested_identities_free);
}
