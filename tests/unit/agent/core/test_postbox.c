/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/postbox.h"
#include "tests/unit.h"

#include <stdio.h>

static void put_log(struct postbox *o, const char *text)
{
	postbox_log(o, "c", "INFO", text, strlen(text));
}

static void next_is_log(struct postbox *o, const char *text)
{
	const Cvms__ClientStreamMessage *m = postbox_next(o);

	assert_non_null(m);
	assert_int_equal(m->message_case, CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_LOG);
	assert_string_equal(m->agent_log->message, text);
	postbox_handed(o);
}

static void what_was_not_confirmed_comes_again_in_order(void **state)
{
	struct postbox o = { 0 };
	uint64_t mark;

	put_log(&o, "1");
	put_log(&o, "2");
	next_is_log(&o, "1");
	postbox_confirm(&o, postbox_mark(&o));
	next_is_log(&o, "2");
	assert_null(postbox_next(&o));
	put_log(&o, "3");
	postbox_rewind(&o);
	assert_int_equal(postbox_mark(&o), 0);
	next_is_log(&o, "2");
	mark = postbox_mark(&o);
	next_is_log(&o, "3");
	postbox_confirm(&o, mark);
	assert_int_equal(o.count, 1);
	postbox_confirm(&o, postbox_mark(&o));
	postbox_rewind(&o);
	assert_null(postbox_next(&o));
	assert_int_equal(o.count, 0);
	assert_int_equal(o.bytes, 0);
	postbox_done(&o);
}

static void every_message_carries_what_it_was_given(void **state)
{
	struct postbox o = { 0 };
	const Cvms__ClientStreamMessage *m;

	postbox_event(&o, (struct postbox_subject){ "id", 7 }, "Running", "Starting", "{\"a\":1}");
	m = postbox_next(&o);
	assert_string_equal(m->agent_event->event_type, "Running");
	assert_string_equal(m->agent_event->status, "Starting");
	assert_string_equal(m->agent_event->originator, "agent");
	assert_string_equal(m->agent_event->computation_id, "id");
	assert_int_equal(m->agent_event->details.len, 7);
	assert_int_equal(m->agent_event->attempt, 7);
	assert_true(m->agent_event->timestamp->seconds > 0);
	postbox_handed(&o);
	postbox_run_response(&o, (struct postbox_subject){ "id", 8 }, "why", "notice");
	m = postbox_next(&o);
	assert_string_equal(m->run_res->error, "why");
	assert_string_equal(m->run_res->notice, "notice");
	assert_int_equal(m->run_res->attempt, 8);
	postbox_handed(&o);
	postbox_stop_response(&o, "id", "done");
	m = postbox_next(&o);
	assert_string_equal(m->stop_computation_res->message, "done");
	postbox_handed(&o);
	postbox_state_response(&o, "q", "Idle");
	m = postbox_next(&o);
	assert_string_equal(m->agent_state_res->state, "Idle");
	postbox_done(&o);
}

static void logs_give_way_and_events_stay(void **state)
{
	struct postbox o = { 0 };
	const Cvms__ClientStreamMessage *m;
	size_t events = 0, logs = 0, notices = 0;

	postbox_event(&o, (struct postbox_subject){ "id", 7 }, "Running", "Starting", NULL);
	for (int i = 0; i < 2 * POSTBOX_MESSAGES_MAX; i++)
		put_log(&o, "line");
	postbox_event(&o, (struct postbox_subject){ "id", 7 }, "Running", "Completed", NULL);
	assert_true(o.count <= POSTBOX_MESSAGES_MAX);
	assert_true(o.bytes <= POSTBOX_BYTES_MAX);
	for (; (m = postbox_next(&o)); postbox_handed(&o), postbox_confirm(&o, postbox_mark(&o))) {
		if (m->message_case == CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_EVENT)
			events++;
		else if (strstr(m->agent_log->message, "messages were dropped"))
			notices++;
		else
			logs++;
	}
	assert_int_equal(events, 2);
	assert_int_equal(notices, 1);
	assert_true(logs > 0 && logs < POSTBOX_MESSAGES_MAX);
	postbox_done(&o);
}

static void bytes_are_limited_even_under_way(void **state)
{
	struct postbox o = { 0 };
	CLEANUP(free) char *text = calloc(1, POSTBOX_MESSAGE_MAX + 2);

	memset(text, 't', POSTBOX_MESSAGE_MAX + 1);
	for (int i = 0; i < 100; i++) {
		put_log(&o, text);
		if (postbox_next(&o)) {
			assert_int_equal(strlen(postbox_next(&o)->agent_log->message),
					 POSTBOX_MESSAGE_MAX);
			postbox_handed(&o);
		}
		assert_true(o.bytes <= POSTBOX_BYTES_MAX);
	}
	postbox_done(&o);
}

static void texts_travel_as_utf8(void **state)
{
	struct postbox o = { 0 };

	postbox_log(&o, "c", "INFO", "caf\xc3", 4);
	postbox_log(&o, "c", "INFO", "a\xff\x62", 3);
	next_is_log(&o, "caf");
	next_is_log(&o, "a?b");
	postbox_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_confirmed_comes_again_in_order),
		cmocka_unit_test(every_message_carries_what_it_was_given),
		cmocka_unit_test(logs_give_way_and_events_stay),
		cmocka_unit_test(bytes_are_limited_even_under_way),
		cmocka_unit_test(texts_travel_as_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
