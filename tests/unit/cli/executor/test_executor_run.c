/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_program.h"
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

enum { MAX = 1 << 20, LONG_S = 600 };

struct ended {
	enum executor_end end;
	int status;
	size_t len;
	char text[64]; /* its beginning */
};

static void start(const char *script, size_t max, uint64_t seconds, struct executor_run *run)
{
	const char *arguments[] = { "/bin/sh", "-c", script, NULL };
	const char *environment[] = { "PATH=/usr/bin:/bin", NULL };
	const struct executor_program program = { .path = script ? "/bin/sh" : "/nothing/here",
						  .folder = "/tmp",
						  .arguments = arguments,
						  .environment = environment,
						  .seconds = seconds,
						  .output_max = max };
	struct err e;

	assert_ok(executor_run_start(&program, run, &e), e);
}

static struct ended finish(struct executor_run *run)
{
	struct ended ended = { .len = 0 };
	struct err e;
	int got;

	do
		got = executor_run_wait(run, 1000, NULL, &ended.end, &ended.status, &e);
	while (got == 0);
	assert_int_equal(got, 1);
	ended.len = run->len;
	memcpy(ended.text, run->bytes, run->len < 63 ? run->len : 63);
	executor_run_done(run);
	/* Nothing is left to wait for. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return ended;
}

static struct ended run_it(const char *script, size_t max, uint64_t seconds)
{
	struct executor_run run;

	start(script, max, seconds, &run);
	return finish(&run);
}

static void its_output_and_status_are_told(void **state)
{
	struct ended ended = run_it("printf hello; exit 3", MAX, LONG_S);

	assert_int_equal(ended.end, EXECUTOR_EXITED);
	assert_int_equal(WEXITSTATUS(ended.status), 3);
	assert_string_equal(ended.text, "hello");
	ended = run_it("kill -9 $$", MAX, LONG_S);
	assert_int_equal(ended.end, EXECUTOR_EXITED);
	assert_true(WIFSIGNALED(ended.status) && WTERMSIG(ended.status) == SIGKILL);
	ended = run_it(NULL, MAX, LONG_S);
	assert_int_equal(ended.end, EXECUTOR_NO_START);
	assert_int_equal(ended.status, ENOENT);
}

static void an_output_of_the_limit_is_whole_and_one_more_is_too_large(void **state)
{
	struct ended ended = run_it("head -c 100000 /dev/zero", 100000, LONG_S);

	assert_int_equal(ended.end, EXECUTOR_EXITED);
	assert_int_equal(ended.len, 100000);
	ended = run_it("head -c 100001 /dev/zero", 100000, LONG_S);
	assert_int_equal(ended.end, EXECUTOR_LARGE);
	ended = run_it("yes", 10, LONG_S);
	assert_int_equal(ended.end, EXECUTOR_LARGE);
	ended = run_it(":", 0, LONG_S);
	assert_int_equal(ended.end, EXECUTOR_EXITED);
	assert_int_equal(ended.len, 0);
}

static void what_it_leaves_behind_ends_with_it(void **state)
{
	/* In sessions of their own, their parents gone, with its standard output: run_it() would wait for it. */
	struct ended ended = run_it("setsid sh -c 'setsid sleep 3600 & setsid sh -c \"sleep 3600 & "
				    "sleep 3600\" &' & printf done",
				    MAX, LONG_S);

	assert_int_equal(ended.end, EXECUTOR_EXITED);
	assert_int_equal(ended.status, 0);
	assert_string_equal(ended.text, "done");
}

static void its_time_ends_it(void **state)
{
	struct ended ended =
		run_it("trap '' TERM HUP INT; sleep 3600 & setsid sleep 3600 & wait", MAX, 1);

	assert_int_equal(ended.end, EXECUTOR_TIME);
}

static void who_is_told_to_stop_stops(void **state)
{
	struct executor_run run;
	enum executor_end end;
	struct err e;
	int status;

	start("trap '' TERM; printf begun; while :; do sleep 3600; done", MAX, LONG_S, &run);
	while (!run.len)
		assert_int_equal(executor_run_wait(&run, 1000, NULL, &end, &status, &e), 0);
	executor_run_stop(&run);
	assert_int_equal(finish(&run).end, EXECUTOR_STOPPED);
}

/* In place of a program: 0 where of our files it has none but those three. */
static int look_at_files(void *data)
{
	const int *open_here = data;

	for (int fd = STDERR_FILENO + 1; fd < *open_here + 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 1;
	if (write(STDOUT_FILENO, "looked", 6) != 6)
		return 2;
	return 4;
}

static int sleep_on(void *data)
{
	return data ? 0 : pause(); /* no signal comes that it would see */
}

static struct ended call(int (*function)(void *), void *data, uint64_t seconds)
{
	const struct executor_program program = { .call = function,
						  .data = data,
						  .path = "a call",
						  .seconds = seconds,
						  .output_max = MAX };
	struct executor_run run;
	struct err e;

	assert_ok(executor_run_start(&program, &run, &e), e);
	return finish(&run);
}

static void a_call_ends_as_a_program_does(void **state)
{
	int open_here = dup(STDIN_FILENO);
	struct ended ended = call(look_at_files, &open_here, LONG_S);

	assert_int_equal(ended.end, EXECUTOR_EXITED);
	assert_true(WIFEXITED(ended.status));
	assert_int_equal(WEXITSTATUS(ended.status), 4);
	assert_string_equal(ended.text, "looked");
	ended = call(sleep_on, NULL, 1);
	assert_int_equal(ended.end, EXECUTOR_TIME);
	close(open_here);
}

static void who_is_done_with_it_ends_it(void **state)
{
	struct executor_run run;

	start("sleep 3600 & sleep 3600", MAX, LONG_S, &run);
	executor_run_done(&run);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(run.keeper, 0);
	executor_run_done(&run);
}

/* Whoever has its standard output open is gone. */
static void assert_ended(int output)
{
	struct pollfd fd = { .fd = output, .events = POLLIN };
	char rest[64];

	do
		assert_int_equal(poll(&fd, 1, 60000), 1);
	while (read(output, rest, sizeof(rest)) > 0);
}

static void a_keeper_that_is_killed_is_told(void **state)
{
	struct executor_run run;
	enum executor_end end;
	int status, got;
	struct err e;

	/* The program goes with it, whose time nobody would see. */
	start("printf begun; exec sleep 3600", MAX, LONG_S, &run);
	while (!run.len)
		assert_int_equal(executor_run_wait(&run, 1000, NULL, &end, &status, &e), 0);
	kill(run.keeper, SIGKILL);
	do
		got = executor_run_wait(&run, 1000, NULL, &end, &status, &e);
	while (got == 0);
	assert_refused(got, e, ERR_INTERNAL, "was killed");
	if (run.output >= 0)
		assert_ended(run.output);
	executor_run_done(&run);
}

static void ends_are_told_in_words(void **state)
{
	char text[64];

	assert_null(executor_end_words(EXECUTOR_EXITED, 0, text, sizeof(text)));
	assert_string_equal(executor_end_words(EXECUTOR_EXITED, 3 << 8, text, sizeof(text)),
			    "its program ended with status 3");
	assert_string_equal(executor_end_words(EXECUTOR_EXITED, SIGSEGV, text, sizeof(text)),
			    "its program was ended by signal 11");
	for (int end = EXECUTOR_TIME; end <= (int)EXECUTOR_NO_START; end++)
		assert_non_null(executor_end_words((enum executor_end)end, 0, text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_output_and_status_are_told),
		cmocka_unit_test(an_output_of_the_limit_is_whole_and_one_more_is_too_large),
		cmocka_unit_test(what_it_leaves_behind_ends_with_it),
		cmocka_unit_test(its_time_ends_it),
		cmocka_unit_test(who_is_told_to_stop_stops),
		cmocka_unit_test(a_call_ends_as_a_program_does),
		cmocka_unit_test(who_is_done_with_it_ends_it),
		cmocka_unit_test(a_keeper_that_is_killed_is_told),
		cmocka_unit_test(ends_are_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
