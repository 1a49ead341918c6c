/* SPDX-License-Identifier: Apache-2.0 */
/* One document by GET from a service that is hostile: every answer ends, small, and by its reason. */
#include "attestation/endorse/endorse_document.h"
#include "attestation/endorse/endorsements.h"
#include "common/base/clock.h"
#include "tests/unit/folder.h"
#include "tests/unit/hostile_http.h"

#include <pthread.h>
#include <stdio.h>

enum { MAX = 1000, SOON_MS = 700, LATE_MS = 60000 };

static struct hostile_http server, other;
static struct endorse_http *http;
static atomic_bool stopped;

/*
 * What is answered next. The head is kept here: a client that has seen enough leaves, and its test
 * with it, while the server still sends.
 */
static struct {
	pthread_mutex_t lock;
	struct hostile_answer answer;
	char head[2 * MAX];
} script = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void answer_with(struct hostile_answer answer)
{
	size_t len = answer.len ? answer.len : strlen(answer.head);

	assert_true(len < sizeof(script.head));
	pthread_mutex_lock(&script.lock);
	memcpy(script.head, answer.head, len);
	script.head[len] = '\0';
	answer.head = script.head;
	script.answer = answer;
	pthread_mutex_unlock(&script.lock);
}

static struct hostile_answer by_script(void *data, const char *request)
{
	pthread_mutex_lock(&script.lock);
	struct hostile_answer answer = script.answer;
	pthread_mutex_unlock(&script.lock);
	return answer;
}

/* Calls that were given up may still arrive: what counts calls begins with a server of its own. */
static void begin_anew(void)
{
	hostile_http_stop(&server);
	hostile_http_start(&server);
}

static int setup(void **state)
{
	struct err e;

	server.answer = other.answer = by_script;
	hostile_http_start(&server);
	hostile_http_start(&other);
	return endorse_http_new(NULL, &stopped, &http, &e);
}

static int teardown(void **state)
{
	endorse_http_free(http);
	hostile_http_stop(&server);
	hostile_http_stop(&other);
	return 0;
}

static int get(int64_t ms, struct endorse_answer *answer, struct err *e)
{
	char url[128];

	snprintf(url, sizeof(url), "%s/document", server.url);
	return endorse_http_get(http, &(struct endorse_request){ .url = url, .max = MAX },
				clock_ms(CLOCK_MONOTONIC) + ms, answer, e);
}

static void refused(int64_t ms, enum err_code code, const char *words)
{
	struct endorse_answer answer;
	struct err e;

	assert_refused(get(ms, &answer, &e), e, code, words);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define KB "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

static void a_good_answer_is_taken(void **state)
{
	struct endorse_answer answer;
	struct err e;

	answer_with((struct hostile_answer){ .head = OK "Content-Length: 4\r\n\r\ngood" });
	assert_ok(get(LATE_MS, &answer, &e), e);
	assert_int_equal(answer.len, 4);
	assert_memory_equal(answer.body, "good", 4);
	endorse_answer_done(&answer);
}

static void bodies_without_an_end_are_cut_at_the_limit(void **state)
{
	static const struct hostile_answer bodies[] = {
		{ .head = OK "\r\n", .then = THEN_REPEAT, .more = KB },
		{ .head = OK "Content-Length: 999999999999999\r\n\r\n",
		  .then = THEN_REPEAT,
		  .more = KB },
		{ .head = OK "Transfer-Encoding: chunked\r\n\r\n",
		  .then = THEN_REPEAT,
		  .more = "8\r\nkkkkkkkk\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		answer_with(bodies[i]);
		refused(LATE_MS, ERR_EXHAUSTED, "larger than such a document");
	}
}

static void a_body_may_be_as_long_as_the_limit(void **state)
{
	struct endorse_answer answer;
	char head[MAX + 200];
	struct err e;

	for (int over = 0; over <= 1; over++) {
		int len = snprintf(head, sizeof(head), OK "Content-Length: %d\r\n\r\n%0*d",
				   MAX + over, MAX + over, 0);

		answer_with((struct hostile_answer){ .head = head, .len = (size_t)len });
		if (over) {
			refused(LATE_MS, ERR_EXHAUSTED, "larger than such a document");
			continue;
		}
		assert_ok(get(LATE_MS, &answer, &e), e);
		assert_int_equal(answer.len, MAX);
		endorse_answer_done(&answer);
	}
}

static void heads_without_an_end_are_cut_at_the_limit(void **state)
{
	static const struct hostile_answer heads[] = {
		{ .head = OK, .then = THEN_REPEAT, .more = "X-A: " KB "\r\n" },
		{ .head = "HTTP/1.1 103 Early Hints\r\n\r\n",
		  .then = THEN_REPEAT,
		  .more = "HTTP/1.1 103 Early Hints\r\nX-A: " KB "\r\n\r\n" },
		{ .head = OK "Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n",
		  .then = THEN_REPEAT,
		  .more = "X-A: " KB "\r\n" },
		{ .head = OK "X-A: ", .then = THEN_REPEAT, .more = KB },
	};

	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct endorse_answer answer;
		struct err e;

		answer_with(heads[i]);
		assert_true(get(LATE_MS, &answer, &e) < 0);
		if (!err_is(err_code(&e), ERR_EXHAUSTED) && !err_is(err_code(&e), ERR_UNAVAILABLE))
			fail_msg("%s", e.text);
	}
}

/* Each would go on for ever: that it ends is the deadline's doing. */
static void what_never_ends_has_a_deadline(void **state)
{
	static const struct hostile_answer slow[] = {
		{ .head = "", .len = 0, .then = THEN_HOLD },
		{ .head = OK, .then = THEN_HOLD },
		{ .head = OK "Content-Length: 900\r\n\r\n", .then = THEN_HOLD },
		{ .head = OK "Content-Length: 900\r\n\r\n", .then = THEN_DRIP, .more = "x" },
		{ .head = "H", .then = THEN_DRIP, .more = "x" },
		{ .head = OK "Transfer-Encoding: chunked\r\n\r\n",
		  .then = THEN_DRIP,
		  .more = "1\r\nx\r\n" },
		{ .head = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		struct endorse_answer answer;
		struct err e;

		answer_with(slow[i]);
		assert_true(get(SOON_MS, &answer, &e) < 0);
		if (!err_is(err_code(&e), ERR_DEADLINE) && !err_is(err_code(&e), ERR_UNAVAILABLE))
			fail_msg("%s", e.text);
	}
}

static void no_redirect_is_followed(void **state)
{
	static const unsigned statuses[] = { 300, 301, 302, 303, 307, 308 };
	const char *places[] = { "/document",          "/elsewhere",         other.url,
				 "https://127.0.0.1/", "file:///etc/passwd", "ftp://127.0.0.1/x" };
	char head[256], words[16];

	begin_anew();
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		for (size_t k = 0; k < ARRAY_LEN(places); k++) {
			unsigned asked = atomic_load(&server.asked);

			snprintf(head, sizeof(head),
				 "HTTP/1.1 %u Go\r\nLocation: %s\r\nRefresh: 0; url=%s\r\n"
				 "Content-Length: 0\r\n\r\n",
				 statuses[i], places[k], places[k]);
			snprintf(words, sizeof(words), "status %u", statuses[i]);
			answer_with((struct hostile_answer){ .head = head });
			refused(LATE_MS, ERR_UNAVAILABLE, words);
			assert_int_equal(atomic_load(&server.asked), asked + 1);
		}
	assert_int_equal(atomic_load(&other.asked), 0);
}

/* 1 MiB of zeros as gzip makes it of them, in 1,060 bytes: the start does. */
static void nothing_is_unpacked(void **state)
{
	static const uint8_t packed[] = { 0x1f, 0x8b, 0x08, 0,    0, 0, 0, 0,    0x02, 0x03,
					  0xed, 0xc1, 0x01, 0x01, 0, 0, 0, 0x80, 0x90, 0xfe };
	static const char *const codings[] = { "Content-Encoding: gzip\r\n",
					       "Content-Encoding: deflate, gzip, br\r\n" };
	char head[256];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(codings); i++) {
		struct endorse_answer answer;
		int len = snprintf(head, sizeof(head), OK "%sContent-Length: %zu\r\n\r\n",
				   codings[i], sizeof(packed));

		memcpy(head + len, packed, sizeof(packed));
		answer_with((struct hostile_answer){ .head = head,
						     .len = (size_t)len + sizeof(packed) });
		assert_ok(get(LATE_MS, &answer, &e), e);
		assert_int_equal(answer.len, sizeof(packed));
		assert_memory_equal(answer.body, packed, sizeof(packed));
		endorse_answer_done(&answer);
	}
}

static void what_is_no_http_is_no_answer(void **state)
{
	static const char *const answers[] = { "just bytes", "\r\n\r\n", "SSH-2.0-x\r\n",
					       "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx" };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct endorse_answer answer;
		struct err e;

		answer_with((struct hostile_answer){ .head = answers[i] });
		assert_true(get(SOON_MS, &answer, &e) < 0);
	}
}

/* libcurl has a status for each of them. */
static void a_status_that_cannot_be_read_is_none(void **state)
{
	static const char *const lines[] = { "HTTP/b 200 OK", "HTTP/1.9 200 OK", "HTTP/22 200 OK",
					     "HTTP/1.1 200x" };
	char head[64];

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		snprintf(head, sizeof(head), "%s\r\nContent-Length: 4\r\n\r\ngood", lines[i]);
		answer_with((struct hostile_answer){ .head = head });
		refused(LATE_MS, ERR_UNAVAILABLE, "");
	}
}

static void *stop_when_asked(void *data)
{
	sem_wait(&server.arrived);
	atomic_store(&stopped, true);
	return NULL;
}

static void a_request_under_way_can_be_stopped(void **state)
{
	pthread_t thread;

	while (sem_trywait(&server.arrived) == 0)
		;
	answer_with((struct hostile_answer){ .head = OK, .then = THEN_HOLD });
	assert_int_equal(pthread_create(&thread, NULL, stop_when_asked, NULL), 0);
	refused(LATE_MS, ERR_UNAVAILABLE, "GET");
	pthread_join(thread, NULL);
	refused(LATE_MS, ERR_CANCELLED, "stopped");
	atomic_store(&stopped, false);
}

/* ---- what failed is remembered ---- */

static struct endorse_failures failures;

static void a_failure_is_remembered_for_its_time(void **state)
{
	static const struct {
		enum err_code code;
		int64_t seconds;
	} rows[] = { { ERR_NOT_FOUND, ENDORSE_UNKNOWN_SECONDS },
		     { ERR_UNAVAILABLE, ENDORSE_BROKEN_SECONDS },
		     { ERR_DENIED, ENDORSE_BROKEN_SECONDS } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t end = 5000 + rows[i].seconds * 1000;
		char url[32];
		struct err e, why;

		snprintf(url, sizeof(url), "https://host/%zu", i);
		assert_false(endorse_failures_find(&failures, url, 5000, &e));
		err_record(&why, rows[i].code, "it failed");
		endorse_failures_add(&failures, url, 5000, &why);
		assert_true(endorse_failures_find(&failures, url, 5000, &e));
		assert_int_equal(e.code, rows[i].code);
		assert_non_null(strstr(e.text, "it failed"));
		assert_true(endorse_failures_find(&failures, url, end - 1, &e));
		assert_non_null(strstr(e.text, "not asked again for 1 s"));
		assert_false(endorse_failures_find(&failures, url, end, &e));
		assert_false(endorse_failures_find(&failures, "https://host/", 5000, &e));
	}
}

static void the_oldest_of_too_many_failures_goes_first(void **state)
{
	struct err why, e;
	char url[32];

	endorse_failures_done(&failures); /* what the test before remembered */
	err_record(&why, ERR_NOT_FOUND, "none");
	for (int i = 0; i <= ENDORSE_FAILURES_MAX; i++) {
		snprintf(url, sizeof(url), "https://host/%d", i);
		endorse_failures_add(&failures, url, 0, &why);
		assert_int_equal(endorse_failures_find(&failures, "https://host/0", 1, &e),
				 i < ENDORSE_FAILURES_MAX);
	}
	assert_true(endorse_failures_find(&failures, "https://host/1", 1, &e));
	endorse_failures_done(&failures);
	assert_false(endorse_failures_find(&failures, "https://host/1", 1, &e));
}

static int wants_good(const void *data, const struct endorse_parts *parts, int64_t *dated,
		      struct err *e)
{
	*dated = 0;
	if (parts->body.len == 4 && memcmp(parts->body.bytes, "good", 4) == 0)
		return 0;
	return err_set(e, ERR_DENIED, "another's");
}

static int get_document(struct endorsements *n, const char *path, struct err *e)
{
	const struct endorse_document d = {
		.name = "the document", .file = path, .max = MAX, .check = wants_good
	};
	struct endorse_group group;
	struct endorse_parts parts;
	char url[128];

	endorse_begin(n);
	assert_ok(endorse_group_of(n, "test", &group, e), *e);
	snprintf(url, sizeof(url), "%s/%s", server.url, path);
	int failed = endorse_document_get(n, &group, &d, url, 0, &parts, e);
	endorse_group_done(&group);
	return failed;
}

/* Evidence that a document does not fit says nothing of the service, which has what others need. */
static void what_is_not_accepted_is_no_failure_of_the_services(void **state)
{
	CLEANUP(endorsements_free) struct endorsements *n = NULL;
	struct err e;

	begin_anew();
	assert_int_equal(folder_make(state), 0);
	assert_ok(endorsements_new(
			  &(struct endorsements_config){ .cache = test_folder, .deadline = 60 }, &n,
			  &e),
		  e);
	answer_with((struct hostile_answer){ .head = OK "Content-Length: 4\r\n\r\nevil" });
	assert_refused(get_document(n, "a", &e), e, ERR_DENIED, "is not accepted: another's");
	answer_with((struct hostile_answer){ .head = OK "Content-Length: 4\r\n\r\ngood" });
	assert_ok(get_document(n, "a", &e), e);

	answer_with((struct hostile_answer){
		.head = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" });
	assert_refused(get_document(n, "b", &e), e, ERR_NOT_FOUND, "404");
	answer_with((struct hostile_answer){ .head = OK "Content-Length: 4\r\n\r\ngood" });
	unsigned asked = atomic_load(&server.asked);
	assert_refused(get_document(n, "b", &e), e, ERR_NOT_FOUND, "not asked again");
	assert_int_equal(atomic_load(&server.asked), asked);
	assert_int_equal(folder_remove(state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_answer_is_taken),
		cmocka_unit_test(bodies_without_an_end_are_cut_at_the_limit),
		cmocka_unit_test(a_body_may_be_as_long_as_the_limit),
		cmocka_unit_test(heads_without_an_end_are_cut_at_the_limit),
		cmocka_unit_test(what_never_ends_has_a_deadline),
		cmocka_unit_test(no_redirect_is_followed),
		cmocka_unit_test(nothing_is_unpacked),
		cmocka_unit_test(what_is_no_http_is_no_answer),
		cmocka_unit_test(a_status_that_cannot_be_read_is_none),
		cmocka_unit_test(a_request_under_way_can_be_stopped),
		cmocka_unit_test(a_failure_is_remembered_for_its_time),
		cmocka_unit_test(what_is_not_accepted_is_no_failure_of_the_services),
		cmocka_unit_test(the_oldest_of_too_many_failures_goes_first),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
