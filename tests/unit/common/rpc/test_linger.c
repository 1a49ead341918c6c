/* SPDX-License-Identifier: Apache-2.0 */
/* The last moments of a socket: what its peer still sends, and how it ends. */
#include "common/rpc/linger.h"
#include "tests/unit.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS = 16 };

/* In the place of libc's: a byte at a time, so that few of them are many pieces. */
ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
	static ssize_t (*real)(int, void *, size_t, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "recv");
	return real(fd, bytes, len ? 1 : 0, flags);
}

struct world {
	uv_loop_t loop;
	int ours, peer;
};

static void begin(struct world *w)
{
	int fds[2];

	assert_int_equal(uv_loop_init(&w->loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	w->ours = fds[0];
	w->peer = fds[1];
}

static void send_some(int fd, size_t len)
{
	char bytes[512] = { 0 };

	assert_true(len <= sizeof(bytes));
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

/* As often as what was sent can need, and no more: its time is over much later. */
static void run_some_turns(struct world *w)
{
	for (int i = 0; i < TURNS; i++)
		uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void expect_gone(struct world *w)
{
	assert_int_equal(uv_loop_alive(&w->loop), 0);
	assert_int_equal(fcntl(w->ours, F_GETFD), -1);
	assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void it_ends_with_its_peer(void **state)
{
	struct world w;

	begin(&w);
	linger_start(&w.loop, w.ours);
	send_some(w.peer, 400);
	run_some_turns(&w);
	assert_int_equal(uv_loop_alive(&w.loop), 1);
	close(w.peer);
	run_some_turns(&w);
	expect_gone(&w);
}

/* The peer leaves with something unread: an error, which is behind what it had sent. */
static void an_error_behind_many_bytes_ends_it(void **state)
{
	static const size_t sizes[] = { 0, 1, 63, 64, 65, 400 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct world w;

		begin(&w);
		send_some(w.ours, 1);
		linger_start(&w.loop, w.ours);
		if (sizes[i])
			send_some(w.peer, sizes[i]);
		close(w.peer);
		run_some_turns(&w);
		expect_gone(&w);
	}
}

static void a_peer_that_stays_is_waited_for_no_longer(void **state)
{
	struct world w;

	begin(&w);
	linger_start(&w.loop, w.ours);
	assert_int_equal(uv_run(&w.loop, UV_RUN_DEFAULT), 0);
	expect_gone(&w);
	close(w.peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_with_its_peer),
		cmocka_unit_test(an_error_behind_many_bytes_ends_it),
		cmocka_unit_test(a_peer_that_stays_is_waited_for_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
