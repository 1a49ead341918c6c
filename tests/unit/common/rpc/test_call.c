/* SPDX-License-Identifier: Apache-2.0 */
/* Whole calls over loopback: what handlers and callers are promised. */
#include "common/rpc/job.h"
#include "common/rpc/sync.h"
#include "tests/unit/common/rpc/pair.h"

#include <unistd.h>

enum { CHUNK = 100000 };

static const struct rpc_method output_call = TEST_STREAMING_OUTPUT_CALL;
static const struct rpc_method empty_call = TEST_EMPTY_CALL;

static void messages_arrive_and_the_call_ends_once(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *stream;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	stream = pair_call(&p, &pair_input_call, 0);
	for (int i = 0; i < 50; i++)
		pair_send(stream, CHUNK);
	rpc_stream_half_close(stream);
	pair_until(&p, p.closed);
	pair_until(&p, p.server_closed);
	assert_int_equal(p.status.code, ERR_OK);
	assert_int_equal(p.got, 50);
	assert_int_equal(p.half_closed, 1);
	assert_int_equal(p.messages, 1);
	assert_int_equal(p.headers, 1);
	pair_close(&p);
	assert_int_equal(p.closed, 1);
	assert_int_equal(p.server_closed, 1);
}

static void on_message_pause(struct rpc_call *call, const ProtobufCMessage *message)
{
	pair_on_message(call, message);
	rpc_call_pause(call);
}

static const struct rpc_handler slow[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = pair_on_start,
	  .message = on_message_pause,
	  .half_close = pair_on_half_close_reply,
	  .closed = pair_on_closed },
};
static const struct rpc_service slow_service = { .name = TEST_SERVICE,
						 .handlers = slow,
						 .count = 1 };

static void spin(struct pair *p, unsigned turns)
{
	for (unsigned i = 0; i < turns; i++)
		uv_run(&p->loop, UV_RUN_NOWAIT);
}

static void a_paused_call_stops_the_sender(void **state)
{
	const struct rpc_limits limits = rpc_limits_default();
	struct pair p = { 0 };
	struct rpc_stream *stream;
	size_t stuck;

	pair_open(&p, &(struct pair_setup){ .service = &slow_service });
	stream = pair_call(&p, &pair_input_call, 0);
	for (int i = 0; i < 100; i++)
		pair_send(stream, CHUNK);
	rpc_stream_half_close(stream);
	pair_until(&p, p.got == 1);
	spin(&p, 2000);
	assert_int_equal(p.got, 1);
	stuck = rpc_stream_queued(stream);
	/* What went out is the message that was taken, and a window. */
	assert_in_range(100 * CHUNK - stuck, limits.window - CHUNK, limits.window + 2 * CHUNK);
	spin(&p, 500);
	assert_int_equal(rpc_stream_queued(stream), stuck);
	for (unsigned i = 2; i <= 100; i++) {
		rpc_call_resume(p.call);
		pair_until(&p, p.got == i);
		assert_int_equal(p.half_closed, 0);
	}
	rpc_call_resume(p.call);
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_OK);
	pair_close(&p);
}

/* Neither less than half a window nor more than one waits for a handler that pauses. */
static void a_window_is_given_back_with_each_message(void **state)
{
	const struct rpc_limits limits = rpc_limits_default();
	struct pair p = { 0 };
	struct rpc_stream *stream;

	pair_open(&p, &(struct pair_setup){ .service = &slow_service });
	stream = pair_call(&p, &pair_input_call, 0);
	for (int i = 0; i < 100; i++)
		pair_send(stream, CHUNK);
	pair_until(&p, p.got == 1);
	for (unsigned i = 2; i <= 20; i++) {
		rpc_call_resume(p.call);
		pair_until(&p, p.got == i);
		spin(&p, 500);
		assert_int_equal(p.got, i);
		assert_in_range(100 * CHUNK - rpc_stream_queued(stream) - i * CHUNK,
				limits.window / 2, limits.window + 2 * CHUNK);
	}
	pair_close(&p);
}

static void on_message_answer(struct rpc_call *call, const ProtobufCMessage *message)
{
	Grpc__Testing__StreamingOutputCallResponse answer =
		GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
	Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
	CLEANUP(free) uint8_t *body = calloc(1, CHUNK);
	struct err e;

	pair_on_message(call, message);
	payload.body.data = body;
	payload.body.len = CHUNK;
	answer.payload = &payload;
	for (int i = 0; i < 100; i++)
		assert_ok(rpc_call_send(call, &answer.base, &e), e);
}

static const struct rpc_handler answers[] = {
	{ .method = TEST_STREAMING_OUTPUT_CALL,
	  .start = pair_on_start,
	  .message = on_message_answer,
	  .closed = pair_on_closed },
};
static const struct rpc_service answers_service = { .name = TEST_SERVICE,
						    .handlers = answers,
						    .count = 1 };

static void on_bytes_pause(struct rpc_stream *stream, uint8_t *bytes, size_t len)
{
	pair_events.bytes(stream, bytes, len);
	rpc_stream_pause(stream);
}

static void a_reader_that_pauses_gives_its_window_back_too(void **state)
{
	const struct rpc_stream_events events = { .bytes = on_bytes_pause,
						  .closed = pair_events.closed };
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
	struct rpc_limits limits = rpc_limits_default();
	struct rpc_stream *stream;
	struct pair p = { 0 };
	const struct rpc_stream_options options = { .user = &p };
	struct err e;

	limits.window_bulk = limits.window;
	pair_open(&p,
		  &(struct pair_setup){ .service = &answers_service, .client_limits = &limits });
	assert_ok(rpc_stream_open(p.channel, &output_call, &events, &options, &stream, &e), e);
	assert_ok(rpc_stream_send(stream, &request.base, &e), e);
	pair_until(&p, p.messages == 1);
	for (unsigned i = 2; i <= 20; i++) {
		rpc_stream_resume(stream);
		pair_until(&p, p.messages == i);
		spin(&p, 500);
		assert_int_equal(p.messages, i);
		assert_in_range(100 * CHUNK - rpc_call_queued(p.call) - i * CHUNK,
				limits.window / 2, limits.window + 2 * CHUNK);
	}
	pair_close(&p);
}

static void on_start_bulk(struct rpc_call *call)
{
	pair_on_start(call);
	rpc_call_bulk(call);
	rpc_call_pause(call);
}

static const struct rpc_handler bulk[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = on_start_bulk,
	  .message = pair_on_message,
	  .half_close = pair_on_half_close_reply,
	  .closed = pair_on_closed },
};
static const struct rpc_service bulk_service = { .name = TEST_SERVICE,
						 .handlers = bulk,
						 .count = 1 };

static void bulk_widens_the_window(void **state)
{
	const struct rpc_limits limits = rpc_limits_default();
	struct pair p = { 0 };
	struct rpc_stream *stream;

	pair_open(&p, &(struct pair_setup){ .service = &bulk_service });
	stream = pair_call(&p, &pair_input_call, 0);
	for (int i = 0; i < 100; i++)
		pair_send(stream, CHUNK);
	pair_until(&p, rpc_stream_queued(stream) <= 100 * CHUNK - limits.window_bulk + 2000);
	spin(&p, 500);
	/* What came before the window was widened counts anew. */
	assert_in_range(100 * CHUNK - rpc_stream_queued(stream), limits.window_bulk - CHUNK,
			limits.window_bulk + limits.window);
	assert_int_equal(p.got, 0);
	rpc_call_resume(p.call);
	rpc_stream_half_close(stream);
	pair_until(&p, p.closed);
	assert_int_equal(p.got, 100);
	pair_close(&p);
}

static void on_message_refuse(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	pair_on_message(call, message);
	err_set(&e, ERR_DENIED, "not yours: 100%% \xe2\x98\xba");
	rpc_call_finish(call, &e);
}

static const struct rpc_handler refusing[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = pair_on_start,
	  .message = on_message_refuse,
	  .half_close = pair_on_half_close,
	  .closed = pair_on_closed },
};
static const struct rpc_service refusing_service = { .name = TEST_SERVICE,
						     .handlers = refusing,
						     .count = 1 };

static void a_server_may_refuse_in_the_middle(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *stream;
	struct err e;

	pair_open(&p, &(struct pair_setup){ .service = &refusing_service });
	stream = rpc_stream_ref(pair_call(&p, &pair_input_call, 0));
	for (int i = 0; i < 100; i++)
		pair_send(stream, CHUNK);
	pair_until(&p, p.closed && p.server_closed);
	assert_int_equal(p.status.code, ERR_DENIED);
	assert_string_equal(p.status.text, "not yours: 100% \xe2\x98\xba");
	assert_int_equal(p.got, 1);
	assert_int_equal(p.half_closed, 0);
	assert_refused(
		rpc_stream_send(stream, &(Grpc__Testing__Empty)GRPC__TESTING__EMPTY__INIT.base, &e),
		e, ERR_CANCELLED, "over");
	rpc_stream_unref(stream);
	/* The connection goes on. */
	p.closed = 0;
	pair_send(pair_call(&p, &pair_input_call, 0), 1);
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_DENIED);
	pair_close(&p);
}

static void cancelling_is_seen_on_both_sides(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *stream;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	stream = pair_call(&p, &pair_input_call, 0);
	pair_until(&p, p.started);
	rpc_stream_cancel(stream);
	assert_int_equal(p.closed, 0); /* never from within */
	pair_until(&p, p.closed && p.server_closed);
	assert_int_equal(p.status.code, ERR_CANCELLED);
	pair_close(&p);
}

static void deadlines_end_calls_on_both_sides(void **state)
{
	struct pair p = { 0 };

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	pair_call(&p, &pair_input_call, 50);
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_DEADLINE);
	if (p.started)
		pair_until(&p, p.server_closed);
	pair_close(&p);
}

static void on_finish_half_close(struct rpc_call *call)
{
	pair_reply(call);
}

static const struct rpc_handler delivering[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = pair_on_start,
	  .half_close = on_finish_half_close,
	  .delivered = pair_on_delivered,
	  .closed = pair_on_closed },
};
static const struct rpc_service delivering_service = { .name = TEST_SERVICE,
						       .handlers = delivering,
						       .count = 1 };

static void delivery_is_told_before_the_end(void **state)
{
	struct pair p = { 0 };

	pair_open(&p, &(struct pair_setup){ .service = &delivering_service });
	rpc_stream_half_close(pair_call(&p, &pair_input_call, 0));
	pair_until(&p, p.delivered);
	assert_int_equal(p.server_closed, 1);
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_OK);
	pair_close(&p);
	assert_int_equal(p.delivered, 1);
	assert_int_equal(p.server_closed, 1);
}

static void a_lost_connection_delivers_nothing(void **state)
{
	struct pair p = { 0 };

	pair_open(&p, &(struct pair_setup){ .service = &delivering_service });
	pair_call(&p, &pair_input_call, 0);
	pair_until(&p, p.started);
	pair_reply(p.call); /* goes out, but the client is gone before its stack can answer */
	rpc_channel_free(p.channel);
	pair_until(&p, p.server_closed);
	assert_int_equal(p.delivered, 0);
	p.channel = NULL;
	pair_close(&p);
}

/* Work that outlives its call. */
struct work {
	unsigned did, done;
	bool was_open;
	int gate[2];
};

static void work_work(void *data)
{
	struct work *work = data;
	char byte;

	assert_int_equal(read(work->gate[0], &byte, 1), 1);
	work->did++;
}

static void work_done(struct rpc_call *call, void *data)
{
	Grpc__Testing__Empty answer = GRPC__TESTING__EMPTY__INIT;
	struct work *work = data;
	struct err e;

	work->done++;
	work->was_open = rpc_call_is_open(call);
	/* All of this is safe on a call that is over. */
	rpc_call_resume(call);
	rpc_call_bulk(call);
	if (!work->was_open) {
		assert_int_equal(rpc_call_send(call, &answer.base, &e), -ERR_CANCELLED);
		assert_int_equal(rpc_call_send_bytes(call, NULL, 1, malloc(1), 1, &e),
				 -ERR_CANCELLED);
		assert_int_equal(rpc_call_add_header(call, "x", "y", &e), -ERR_CANCELLED);
		assert_string_not_equal(rpc_call_peer(call), "");
	}
	rpc_call_finish(call, NULL);
}

static void on_start_job(struct rpc_call *call)
{
	struct pair *p = rpc_call_service(call);
	struct err e;

	pair_on_start(call);
	assert_ok(rpc_call_job(call, work_work, work_done, p->user, &e), e);
}

static const struct rpc_handler working[] = {
	{ .method = TEST_STREAMING_INPUT_CALL, .start = on_start_job, .closed = pair_on_closed },
};
static const struct rpc_service working_service = { .name = TEST_SERVICE,
						    .handlers = working,
						    .count = 1 };

static void a_job_may_outlive_its_call(void **state)
{
	struct pair p = { 0 };
	struct work work = { 0 };
	struct rpc_stream *stream;

	assert_int_equal(pipe(work.gate), 0);
	p.user = &work;
	pair_open(&p, &(struct pair_setup){ .service = &working_service });
	stream = pair_call(&p, &pair_input_call, 0);
	pair_until(&p, p.started);
	rpc_stream_cancel(stream);
	pair_until(&p, p.server_closed);
	assert_int_equal(work.done, 0);
	assert_int_equal(write(work.gate[1], "x", 1), 1);
	pair_until(&p, work.done);
	assert_false(work.was_open);
	pair_close(&p);
	close(work.gate[0]);
	close(work.gate[1]);
}

static void a_job_may_outlive_its_server(void **state)
{
	struct pair p = { 0 };
	struct work work = { 0 };

	assert_int_equal(pipe(work.gate), 0);
	p.user = &work;
	pair_open(&p, &(struct pair_setup){ .service = &working_service });
	pair_call(&p, &pair_input_call, 0);
	pair_until(&p, p.started);
	rpc_server_free(p.server);
	assert_int_equal(p.server_closed, 1);
	p.server = NULL;
	assert_int_equal(write(work.gate[1], "x", 1), 1);
	pair_until(&p, work.done && p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	pair_close(&p);
	close(work.gate[0]);
	close(work.gate[1]);
}

static void on_output(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct pair *p = rpc_call_service(call);
	struct err e;

	while (rpc_call_send_bytes(call, NULL, 1, calloc(1, CHUNK), CHUNK, &e) == 0)
		p->got++;
	assert_int_equal(e.code, ERR_EXHAUSTED);
	assert_false(rpc_call_is_open(call));
}

static const struct rpc_handler pushing[] = {
	{ .method = TEST_STREAMING_OUTPUT_CALL,
	  .start = pair_on_start,
	  .message = on_output,
	  .closed = pair_on_closed },
};
static const struct rpc_service pushing_service = { .name = TEST_SERVICE,
						    .handlers = pushing,
						    .count = 1 };

static void output_that_nobody_minds_is_limited(void **state)
{
	struct rpc_limits limits = rpc_limits_default();
	struct pair p = { 0 };
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
	struct rpc_stream *stream;
	struct err e;

	limits.queued_max = 10 * CHUNK + 1000;
	pair_open(&p, &(struct pair_setup){ .service = &pushing_service, .limits = &limits });
	stream = pair_call(&p, &output_call, 0);
	assert_ok(rpc_stream_send(stream, &request.base, &e), e);
	pair_until(&p, p.closed && p.server_closed);
	assert_int_equal(p.got, 10);
	assert_int_equal(p.status.code, ERR_EXHAUSTED);
	pair_close(&p);
}

static void an_unknown_method_has_no_handler(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *stream;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	stream = pair_call(&p, &empty_call, 0);
	pair_send(stream, 0);
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNIMPLEMENTED);
	assert_non_null(strstr(p.status.text, "no method"));
	assert_int_equal(p.started + p.server_closed, 0);
	pair_close(&p);
}

static void paused_answers_wait_for_their_reader(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *stream;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	stream = pair_call(&p, &pair_input_call, 0);
	rpc_stream_pause(stream);
	rpc_stream_half_close(stream);
	pair_until(&p, p.server_closed);
	spin(&p, 200);
	assert_int_equal(p.messages + p.closed, 0);
	rpc_stream_resume(stream);
	pair_until(&p, p.closed);
	assert_int_equal(p.messages, 1);
	assert_int_equal(p.status.code, ERR_OK);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_and_the_call_ends_once),
		cmocka_unit_test(a_paused_call_stops_the_sender),
		cmocka_unit_test(a_window_is_given_back_with_each_message),
		cmocka_unit_test(a_reader_that_pauses_gives_its_window_back_too),
		cmocka_unit_test(bulk_widens_the_window),
		cmocka_unit_test(a_server_may_refuse_in_the_middle),
		cmocka_unit_test(cancelling_is_seen_on_both_sides),
		cmocka_unit_test(deadlines_end_calls_on_both_sides),
		cmocka_unit_test(delivery_is_told_before_the_end),
		cmocka_unit_test(a_lost_connection_delivers_nothing),
		cmocka_unit_test(a_job_may_outlive_its_call),
		cmocka_unit_test(a_job_may_outlive_its_server),
		cmocka_unit_test(output_that_nobody_minds_is_limited),
		cmocka_unit_test(an_unknown_method_has_no_handler),
		cmocka_unit_test(paused_answers_wait_for_their_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
