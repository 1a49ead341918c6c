/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that come another way than over gRPC: who serves, sees and answers them. */
#include "common/rpc/call_local.h"
#include "common/rpc/observer.h"
#include "google/protobuf/empty.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "tests/unit.h"

#include <string.h>

enum { KEPT = 7 };

struct room {
	uv_loop_t loop;
	struct rpc_server *server;
	int given;
	struct rpc_call *kept;
	/* What the observer sees, and refuses. */
	unsigned admitted, ended;
	bool refuses, was_admitted, well;
	uint64_t number;
	char peer[64], key[16];
	/* What the caller is told. */
	unsigned answers, ended_before;
	int64_t seconds;
	struct err error;
};

static void on_double(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Google__Protobuf__Timestamp *asked = (const Google__Protobuf__Timestamp *)message;
	Google__Protobuf__Timestamp answer = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct room *room = rpc_call_service(call);

	assert_ptr_equal(rpc_call_given(call), &room->given);
	assert_true(rpc_call_is_open(call) && rpc_call_is_tls(call));
	assert_int_equal(rpc_call_source(call).bytes[0], '4');
	assert_null(rpc_metadata_text(rpc_call_metadata(call), "authorization", 0));
	answer.seconds = 2 * asked->seconds;
	rpc_call_reply(call, &answer.base);
	assert_false(rpc_call_is_open(call));
	/* Later ones do nothing. */
	rpc_call_finish(call, &(struct err){ ERR_INTERNAL, "again" });
	rpc_call_reply(call, &answer.base);
	assert_null(rpc_call_given(call));
}

static void on_keep(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct room *room = rpc_call_service(call);

	room->kept = rpc_call_ref(call);
}

static void on_forget(struct rpc_call *call, const ProtobufCMessage *message)
{
}

static void on_send(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	assert_int_equal(rpc_call_send(call, message, &e), -ERR_UNIMPLEMENTED);
	rpc_call_finish(call, &e);
}

#define METHOD(name, kind_, message_)                                   \
	{                                                               \
		.method = { "/room.Service/" name, kind_,               \
			    &google__protobuf__timestamp__descriptor,   \
			    &google__protobuf__timestamp__descriptor }, \
		.message = message_,                                    \
	}
static const struct rpc_handler handlers[] = {
	METHOD("Double", RPC_UNARY, on_double),       METHOD("Keep", RPC_UNARY, on_keep),
	METHOD("Forget", RPC_UNARY, on_forget),       METHOD("Send", RPC_UNARY, on_send),
	METHOD("Stream", RPC_SERVER_STREAM, on_send),
};
static const struct rpc_service service = { .name = "room.Service",
					    .handlers = handlers,
					    .count = ARRAY_LEN(handlers) };

static int admit(void *data, struct rpc_call *call, const ProtobufCMessage *message, struct err *e)
{
	struct room *room = data;

	room->admitted++;
	return room->refuses ? err_set(e, ERR_DENIED, "not you") : 0;
}

static void ended(void *data, const struct rpc_call *call, bool was_admitted, const struct err *e)
{
	struct room *room = data;
	const struct rpc_identity who = rpc_call_identity(call);

	room->ended++;
	room->was_admitted = was_admitted;
	room->well = !e;
	room->number = rpc_call_number(call);
	snprintf(room->peer, sizeof(room->peer), "%s", rpc_call_peer(call));
	snprintf(room->key, sizeof(room->key), "%s", who.key ? who.key : "");
	assert_true(who.has_uid && who.uid == 1000 && strcmp(who.subject, "CN=anna") == 0);
	assert_ptr_equal(rpc_call_given(call), &room->given); /* still */
}

static const struct rpc_observer observer = { .admit = admit, .ended = ended };

static void answered(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	struct room *room = data;

	room->answers++;
	room->error = e ? *e : (struct err){ ERR_OK, "" };
	room->seconds = answer ? ((const Google__Protobuf__Timestamp *)answer)->seconds : 0;
	room->ended_before = room->ended;
}

static int open_room(void **state)
{
	struct room *room = calloc(1, sizeof(*room));
	struct err e;

	assert_non_null(room);
	uv_loop_init(&room->loop);
	assert_ok(rpc_server_new(&room->loop, NULL, &room->server, &e), e);
	assert_ok(rpc_server_add(room->server, &service, room, &e), e);
	rpc_server_observe(room->server, &observer, room);
	*state = room;
	return 0;
}

static int close_room(void **state)
{
	struct room *room = *state;

	rpc_server_free(room->server);
	uv_run(&room->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&room->loop), 0);
	free(room);
	return 0;
}

static struct rpc_local local_of(struct room *room)
{
	return (struct rpc_local){
		.peer = "192.0.2.1:1",
		.source = { .bytes = "4" },
		.identity = { .has_uid = true, .uid = 1000, .subject = "CN=anna", .key = "ab" },
		.is_tls = true,
		.given = &room->given,
		.answered = answered,
		.data = room,
	};
}

static void ask(struct room *room, const char *path)
{
	Google__Protobuf__Timestamp message = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	const struct rpc_local local = local_of(room);

	message.seconds = 21;
	rpc_local_call(room->server, path, &message.base, &local);
}

static void the_handler_answers_once_and_the_observer_sees_it(void **state)
{
	struct room *room = *state;

	for (unsigned i = 1; i <= 2; i++) {
		ask(room, "/room.Service/Double");
		assert_int_equal(room->answers, i);
		assert_int_equal(room->seconds, 42);
		assert_int_equal(room->admitted, i);
		assert_int_equal(room->ended_before,
				 i); /* the log has it before the caller hears */
		assert_int_equal(room->number, i);
		assert_true(room->was_admitted && room->well);
		assert_string_equal(room->peer, "192.0.2.1:1");
		assert_string_equal(room->key, "ab");
	}
}

static void who_is_refused_never_reaches_the_handler(void **state)
{
	struct room *room = *state;
	const struct rpc_local local = local_of(room);

	room->refuses = true;
	ask(room, "/room.Service/Keep");
	assert_null(room->kept);
	assert_int_equal(room->answers, 1);
	assert_int_equal(room->error.code, ERR_DENIED);
	assert_false(room->was_admitted || room->well);
	/* Nor does one whom the caller himself refuses: of that the observer is not asked. */
	rpc_local_refuse(room->server, "/room.Service/Keep",
			 &(struct err){ ERR_DENIED, "not this form" }, &local);
	assert_null(room->kept);
	assert_int_equal(room->answers, 2);
	assert_string_equal(room->error.text, "not this form");
	assert_int_equal(room->admitted, 1);
	assert_false(room->was_admitted);
}

static void an_answer_may_come_later_or_never(void **state)
{
	Google__Protobuf__Timestamp answer = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct room *room = *state;

	ask(room, "/room.Service/Keep");
	assert_int_equal(room->answers, 0);
	answer.seconds = KEPT;
	rpc_call_reply(room->kept, &answer.base);
	assert_int_equal(room->seconds, KEPT);
	rpc_call_unref(room->kept);
	assert_int_equal(room->answers, 1);
	ask(room, "/room.Service/Forget");
	assert_int_equal(room->answers, 2);
	assert_int_equal(room->error.code, ERR_CANCELLED);
}

static void what_does_not_answer_at_once_is_refused(void **state)
{
	static const char *const paths[] = { "/room.Service/Stream", "/room.Service/None",
					     "/room.Other/Double", "", "/" };
	struct room *room = *state;
	const struct rpc_local local = local_of(room);

	ask(room, "/room.Service/Send");
	assert_int_equal(room->error.code, ERR_UNIMPLEMENTED);
	assert_int_equal(room->ended, 1);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		ask(room, paths[i]);
		assert_int_equal(room->error.code, ERR_UNIMPLEMENTED);
		rpc_local_refuse(room->server, paths[i], &(struct err){ ERR_DENIED, "x" }, &local);
		assert_int_equal(room->error.code, ERR_UNIMPLEMENTED);
	}
	assert_int_equal(room->answers, 1 + 2 * ARRAY_LEN(paths));
	assert_int_equal(room->ended, 1); /* nobody sees what is no call */
}

static void what_no_service_has_is_seen_too(void **state)
{
	static const struct rpc_handler deed = { .method = { .path = "/page/Do" } };
	struct room *room = *state;
	const struct rpc_local local = local_of(room);
	struct rpc_call *call;
	struct err e;

	call = rpc_local_begin(room->server, &deed, &local);
	assert_non_null(call);
	assert_ok(rpc_local_admit(call, NULL, &e), e);
	rpc_call_finish(call, NULL);
	rpc_call_unref(call);
	assert_true(room->was_admitted && room->well);
	assert_int_equal(room->answers, 1);
	room->refuses = true;
	call = rpc_local_begin(room->server, &deed, &local);
	assert_refused(rpc_local_admit(call, NULL, &e), e, ERR_DENIED, "not you");
	rpc_call_finish(call, &e);
	rpc_call_unref(call);
	assert_false(room->was_admitted || room->well);
	assert_int_equal(room->answers, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_room, close_room)
		TEST(the_handler_answers_once_and_the_observer_sees_it),
		TEST(who_is_refused_never_reaches_the_handler),
		TEST(an_answer_may_come_later_or_never),
		TEST(what_does_not_answer_at_once_is_refused),
		TEST(what_no_service_has_is_seen_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
