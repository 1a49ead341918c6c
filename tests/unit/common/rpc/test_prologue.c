/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: what is said before HTTP/2. */
#include "common/rpc/job.h"
#include "common/rpc/prologue_run.h"
#include "tests/unit/common/rpc/tls_pair.h"

/* A prologue: the client sends "hello", the server answers after a while "welcome", done. */
struct greeting {
	struct pair *pair;
	struct rpc_prologue_run *run;
	bool passes;
};

static unsigned greetings_closed;

static void greet_work(void *data)
{
	usleep(1000);
}

static void greet_done(void *data)
{
	struct greeting *greeting = data;
	struct err e;

	if (rpc_prologue_is_open(greeting->run)) {
		if (greeting->passes) {
			assert_ok(rpc_prologue_send(greeting->run, "welcome", 7, &e), e);
			rpc_prologue_pass(greeting->run);
		} else {
			err_set(&e, ERR_DENIED, "not welcome");
			rpc_prologue_refuse(greeting->run, &e);
		}
	} else {
		assert_int_equal(rpc_prologue_send(greeting->run, "x", 1, &e), -ERR_UNAVAILABLE);
		rpc_prologue_pass(greeting->run);
	}
	rpc_prologue_unref(greeting->run);
	free(greeting);
}

static void server_greets(struct rpc_prologue_run *run, void *data)
{
	assert_non_null(rpc_prologue_tls(run));
	assert_true(SSL_is_server(rpc_prologue_tls(run)));
	rpc_prologue_set_user(run, data);
}

static size_t server_hears(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	struct greeting *greeting;
	struct pair *p = rpc_prologue_user(run);
	struct err e;

	if (len < 5)
		return 0;
	greeting = calloc(1, sizeof(*greeting));
	greeting->run = rpc_prologue_ref(run);
	greeting->passes = memcmp(bytes, "hello", 5) == 0;
	rpc_prologue_hold(run, true);
	assert_ok(rpc_job_start(&p->loop, greet_work, greet_done, greeting, &e), e);
	return 5;
}

/* One that waits for a hundred bytes, and refuses them; and how many there were at once. */
static size_t most_heard;

static size_t server_waits(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	struct err e;

	most_heard = len;
	err_set(&e, ERR_DENIED, "not welcome");
	if (len >= 100)
		rpc_prologue_refuse(run, &e);
	return 0;
}

static size_t server_hears_unless_held(struct rpc_prologue_run *run, const uint8_t *bytes,
				       size_t len)
{
	assert_false(prologue_run_is_held(run));
	return server_hears(run, bytes, len);
}

static void client_greets(struct rpc_prologue_run *run, void *data)
{
	struct pair *p = data;
	const char *word = p->user ? p->user : "hello";
	struct err e;

	/* In two pieces: the other side has to put them together. */
	assert_ok(rpc_prologue_send(run, word, 2, &e), e);
	assert_ok(rpc_prologue_send(run, word + 2, strlen(word) - 2, &e), e);
}

static size_t client_hears(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	if (len < 7)
		return 0;
	assert_memory_equal(bytes, "welcome", 7);
	rpc_prologue_pass(run);
	return 7; /* what is behind is the server's HTTP/2 */
}

static void greeting_closed(struct rpc_prologue_run *run)
{
	assert_false(rpc_prologue_is_open(run));
	greetings_closed++;
}

static const struct rpc_prologue server_prologue = {
	.input_max = 100, .start = server_greets, .bytes = server_hears, .closed = greeting_closed
};
static const struct rpc_prologue waiting_prologue = {
	.input_max = 100, .start = server_greets, .bytes = server_waits, .closed = greeting_closed
};
static const struct rpc_prologue held_prologue = { .input_max = 100,
						   .start = server_greets,
						   .bytes = server_hears_unless_held,
						   .closed = greeting_closed };
static const struct rpc_prologue client_prologue = {
	.input_max = 65536, .start = client_greets, .bytes = client_hears, .closed = greeting_closed
};

static void a_prologue_comes_before_http2(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(
		&(struct rpc_tls_config){ .judged_by_prologue = true, .only_tls13 = true });
	struct pair p = { 0 };

	greetings_closed = 0;
	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service,
					    .server_tls = server,
					    .client_tls = client,
					    .server_prologue = &server_prologue,
					    .client_prologue = &client_prologue });
	pair_call_once(&p);
	assert_non_null(rpc_channel_prologue(p.channel));
	pair_call_once(&p);
	assert_int_equal(greetings_closed, 0);
	pair_close(&p);
	assert_int_equal(greetings_closed, 2);
}

static void a_prologue_may_refuse(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });
	struct pair p = { .user = (char *)(uintptr_t)"other" };

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service,
					    .server_tls = server,
					    .client_tls = client,
					    .server_prologue = &server_prologue,
					    .client_prologue = &client_prologue });
	rpc_stream_half_close(pair_call(&p, &pair_input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	assert_int_equal(p.started, 0);
	pair_close(&p);
}

static void a_prologue_has_its_time_and_room(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });
	struct rpc_limits limits = rpc_limits_default();
	static char much[300];
	struct pair p = { .user = (char *)(uintptr_t)"he" }, q = { .user = much };
	struct pair_setup setup = { .service = &pair_upload_service,
				    .server_tls = server,
				    .client_tls = client,
				    .server_prologue = &server_prologue,
				    .client_prologue = &client_prologue,
				    .limits = &limits };

	limits.prologue_ms = 100;
	pair_open(&p, &setup);
	rpc_stream_half_close(pair_call(&p, &pair_input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	pair_close(&p);

	memset(much, 'x', sizeof(much) - 1);
	limits.prologue_ms = 60000;
	pair_open(&q, &setup);
	rpc_stream_half_close(pair_call(&q, &pair_input_call, 0));
	pair_until(&q, q.closed);
	assert_int_equal(q.status.code, ERR_UNAVAILABLE);
	pair_close(&q);
}

static void a_client_that_speaks_no_prologue_is_not_served(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });

	tls_pair_must_fail(&(struct pair_setup){ .service = &pair_upload_service,
						 .server_tls = server,
						 .client_tls = client,
						 .server_prologue = &server_prologue },
			   "");
}

/* Whatever it waits for. */
static void it_looks_at_no_more_than_its_limit(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });

	for (size_t len = 100; len <= 102; len++) {
		char words[128] = "";
		struct pair p = { .user = words };

		memset(words, 'x', len);
		most_heard = 0;
		pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service,
						    .server_tls = server,
						    .client_tls = client,
						    .server_prologue = &waiting_prologue,
						    .client_prologue = &client_prologue });
		rpc_stream_half_close(pair_call(&p, &pair_input_call, 0));
		pair_until(&p, p.closed);
		assert_int_equal(p.status.code, ERR_UNAVAILABLE);
		assert_true(most_heard <= 100);
		if (len == 100)
			assert_int_equal(most_heard, 100);
		pair_close(&p);
	}
}

/* While an answer is being found, what came behind the question waits. */
static void nothing_is_looked_at_while_it_is_held(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });
	struct pair p = { .user = (char *)(uintptr_t)"hellohellohello" };

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service,
					    .server_tls = server,
					    .client_tls = client,
					    .server_prologue = &held_prologue,
					    .client_prologue = &client_prologue });
	rpc_stream_half_close(pair_call(&p, &pair_input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE); /* the rest is no HTTP/2 */
	assert_int_equal(p.started, 0);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prologue_comes_before_http2),
		cmocka_unit_test(a_prologue_may_refuse),
		cmocka_unit_test(a_prologue_has_its_time_and_room),
		cmocka_unit_test(a_client_that_speaks_no_prologue_is_not_served),
		cmocka_unit_test(it_looks_at_no_more_than_its_limit),
		cmocka_unit_test(nothing_is_looked_at_while_it_is_held),
	};

	return cmocka_run_group_tests(tests, tls_pair_enter, tls_pair_leave);
}
