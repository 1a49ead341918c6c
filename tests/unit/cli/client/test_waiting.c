/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes connections and hangs up is waited for, but not for ever. */
#include "cli/client/agent_client.h"
#include "cli/client/attested.h"
#include "cli/client/waiting.h"
#include "cli/cmd/commands.h"
#include "tests/unit.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* A server of the client's own loop that hangs up, and who looks at it. */
struct fixture {
	struct cli cli;
	struct client client;
	uv_tcp_t server;
	unsigned looks;
	unsigned good; /* the look that is answered; 0: none */
	bool ready;    /* that one is all */
};

/* Linked in place of libuv's: the pauses are left out, limits of connections are not. */
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_end, uint64_t ms, uint64_t again);
int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_end, uint64_t ms, uint64_t again);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_end, uint64_t ms, uint64_t again)
{
	return __real_uv_timer_start(timer, on_end, ms <= WAITING_POLL_MAX_MS ? 0 : ms, again);
}

static void on_closed(uv_handle_t *peer)
{
	free(peer);
}

static void on_peer(uv_stream_t *server, int status)
{
	uv_tcp_t *peer = malloc(sizeof(*peer));

	assert_non_null(peer);
	assert_int_equal(status, 0);
	assert_int_equal(uv_tcp_init(server->loop, peer), 0);
	assert_int_equal(uv_accept(server, (uv_stream_t *)peer), 0);
	uv_close((uv_handle_t *)peer, on_closed);
}

static int look(void *data, char why[WAITING_WHY_MAX], struct err *e)
{
	struct fixture *f = data;
	Agent__StatusResponse *status = NULL;

	if (++f->looks == f->good) {
		snprintf(why, WAITING_WHY_MAX, "busy");
		return f->ready;
	}
	assert_int_not_equal(agent_client_status(&f->client, &status, e), 0);
	return err_code(e);
}

static void run(struct fixture *f, int *result, struct err *e)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(address);
	char url[32];
	struct waiting w = {
		.client = &f->client, .until = "it is", .kept = "nothing", .look = look, .data = f
	};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(url, sizeof(url), "127.0.0.1:%d", ntohs(address.sin_port));
	cli_init(&f->cli, &cmd_status);
	assert_ok(cli_give(&f->cli, "wait", NULL, e), *e);
	assert_ok(cli_give(&f->cli, "grpc-url", url, e), *e);
	assert_ok(attested_open(&f->client, &f->cli, e), *e);
	assert_int_equal(uv_tcp_init(f->client.loop, &f->server), 0);
	assert_int_equal(uv_tcp_open(&f->server, fd), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&f->server, 8, on_peer), 0);
	uv_unref((uv_handle_t *)&f->server);
	*result = waiting_run(&w, e);
	uv_close((uv_handle_t *)&f->server, NULL);
	client_close(&f->client);
	cli_done(&f->cli);
}

static void who_always_hangs_up_is_the_end(void **state)
{
	struct fixture f = { .looks = 0 };
	struct err e;
	int result;

	run(&f, &result, &e);
	assert_refused(result, e, ERR_UNAVAILABLE, "64 times in a row: ");
	assert_int_equal(f.looks, WAITING_SAME_MAX);
	assert_non_null(strstr(f.cli.hint, "it hung up on gRPC without TLS"));
}

static void who_was_about_to_start_is_waited_for(void **state)
{
	struct fixture f = { .good = WAITING_SAME_MAX, .ready = true };
	struct err e;
	int result;

	run(&f, &result, &e);
	assert_int_equal(result, 0);
	assert_int_equal(f.looks, WAITING_SAME_MAX);
	assert_string_equal(f.cli.hint, "");
}

static void an_answer_begins_the_count_again(void **state)
{
	struct fixture f = { .good = 10, .ready = false };
	struct err e;
	int result;

	run(&f, &result, &e);
	assert_refused(result, e, ERR_UNAVAILABLE, "64 times in a row: ");
	assert_int_equal(f.looks, 10 + WAITING_SAME_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_always_hangs_up_is_the_end),
		cmocka_unit_test(who_was_about_to_start_is_waited_for),
		cmocka_unit_test(an_answer_begins_the_count_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
