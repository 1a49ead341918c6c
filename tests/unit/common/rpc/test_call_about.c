/* SPDX-License-Identifier: Apache-2.0 */
/* What log lines are about while a call is at work, on both sides, and later. */
#include "common/base/log_about.h"
#include "common/rpc/trace.h"
#include "tests/unit/common/rpc/pair.h"

#define ID     "0af7651916cd43dd8448eb211c80319c"
#define PARENT "00-" ID "-b7ad6b7169203331-01"

static char at_start[LOG_ABOUT_MAX + 1], at_job[LOG_ABOUT_MAX + 1], at_close[LOG_ABOUT_MAX + 1],
	cvm_at_job[LOG_ABOUT_MAX + 1], in_pool[LOG_ABOUT_MAX + 1], at_client[LOG_ABOUT_MAX + 1];
static unsigned jobs;

static void note(char *to, enum log_about_field field)
{
	const struct log_about now = log_about_now();

	memcpy(to, now.text[field], LOG_ABOUT_MAX + 1);
}

static void work(void *data)
{
	note(in_pool, LOG_TRACE);
}

static void done(struct rpc_call *call, void *data)
{
	note(at_job, LOG_TRACE);
	note(cvm_at_job, LOG_CVM);
	jobs++;
	pair_reply(call);
}

static void on_start(struct rpc_call *call)
{
	pair_on_start(call);
	note(at_start, LOG_TRACE);
	rpc_call_is_about(call, LOG_CVM, "the-cvm");
}

static void on_half_close(struct rpc_call *call)
{
	struct err e;

	assert_ok(rpc_call_job(call, work, done, NULL, &e), e);
}

static void on_closed(struct rpc_call *call)
{
	note(at_close, LOG_TRACE);
	pair_on_closed(call);
}

static void on_client_closed(struct rpc_stream *stream, const struct err *status)
{
	note(at_client, LOG_TRACE);
	pair_events.closed(stream, status);
}

static void on_client_bytes(struct rpc_stream *stream, uint8_t *bytes, size_t len)
{
	pair_events.bytes(stream, bytes, len);
}

static const struct rpc_stream_events client_events = { .bytes = on_client_bytes,
							.closed = on_client_closed };
static const struct rpc_handler handlers[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = on_start,
	  .half_close = on_half_close,
	  .closed = on_closed },
};
static const struct rpc_service service = { .name = TEST_SERVICE,
					    .handlers = handlers,
					    .count = 1 };

static void call_with(struct pair *p, const char *const parents[2])
{
	struct rpc_metadata metadata = { 0 };
	const struct rpc_stream_options options = { .user = p, .metadata = &metadata };
	struct rpc_stream *stream;
	struct err e;

	for (size_t i = 0; i < 2 && parents[i]; i++)
		assert_ok(rpc_metadata_add(&metadata, TRACE_PARENT_KEY, parents[i], &e), e);
	p->closed = 0;
	assert_ok(rpc_stream_open(p->channel, &pair_input_call, &client_events, &options, &stream,
				  &e),
		  e);
	rpc_metadata_done(&metadata);
	rpc_stream_half_close(stream);
	pair_until(p, p->closed);
	assert_int_equal(p->status.code, ERR_OK);
}

static void assert_is_made(const char *id)
{
	assert_int_equal(strlen(id), TRACE_ID_LEN);
	assert_int_equal(strspn(id, "0123456789abcdef"), TRACE_ID_LEN);
}

static void a_caller_s_trace_stays_with_all_of_its_call(void **state)
{
	struct pair p = { 0 };

	pair_open(&p, &(struct pair_setup){ .service = &service });
	call_with(&p, (const char *const[2]){ PARENT });
	pair_close(&p);
	assert_string_equal(at_start, ID);
	assert_string_equal(in_pool, ID);
	assert_string_equal(at_job, ID);
	assert_string_equal(at_close, ID);
	assert_string_equal(cvm_at_job, "the-cvm");
	note(at_start, LOG_TRACE);
	assert_string_equal(at_start, ""); /* and with nothing else */
}

static void who_gives_none_or_no_good_one_gets_another(void **state)
{
	static const char *const said[][2] = {
		{ NULL },
		{ "00-" ID },
		{ PARENT, PARENT },
		{ "00-" ID "-0000000000000000-01" },
	};
	char before[LOG_ABOUT_MAX + 1] = ID;
	struct pair p = { 0 };

	pair_open(&p, &(struct pair_setup){ .service = &service });
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		call_with(&p, said[i]);
		assert_is_made(at_start);
		assert_string_equal(at_job, at_start);
		assert_string_not_equal(at_start, before);
		memcpy(before, at_start, sizeof(before));
	}
	pair_close(&p);
}

static void what_a_call_leads_to_has_its_trace(void **state)
{
	struct log_about about = { 0 };
	struct pair p = { 0 };

	pair_open(&p, &(struct pair_setup){ .service = &service });
	trace_begin(&about, PARENT);
	{
		LOG_ABOUT(&about);
		call_with(&p, (const char *const[2]){ NULL });
	}
	pair_close(&p);
	assert_string_equal(at_start, ID);
	assert_string_equal(at_client, ID);
}

/* Last: a program's trace stays. */
static void a_program_that_is_asked_by_nobody_has_one_trace(void **state)
{
	struct trace trace;
	struct pair p = { 0 };

	assert_string_equal(trace_parent_now().text, "");
	assert_is_made(trace_of_program());
	pair_open(&p, &(struct pair_setup){ .service = &service });
	for (unsigned i = 0; i < 2; i++) {
		call_with(&p, (const char *const[2]){ NULL });
		assert_string_equal(at_start, trace_of_program());
		assert_string_equal(at_client, "");
	}
	pair_close(&p);
	assert_true(trace_parse(trace_parent_now().text, &trace));
	assert_string_equal(trace.id, trace_of_program());
	assert_string_not_equal(trace_parent_now().text, trace_parent_now().text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_caller_s_trace_stays_with_all_of_its_call),
		cmocka_unit_test(who_gives_none_or_no_good_one_gets_another),
		cmocka_unit_test(what_a_call_leads_to_has_its_trace),
		cmocka_unit_test(a_program_that_is_asked_by_nobody_has_one_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
