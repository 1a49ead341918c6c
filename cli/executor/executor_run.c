/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_run.h"

#include "cli/executor/executor_keeper.h"
#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

/* What the keeper reports fits into a pipe at once, so it is there whole or not at all. */
static int read_report(struct executor_run *run, enum executor_end *end, int *status, struct err *e)
{
	struct executor_report report;
	ssize_t got;

	do
		got = read(run->report, &report, sizeof(report));
	while (got < 0 && errno == EINTR);
	while (waitpid(run->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	run->keeper = 0;
	if (got != sizeof(report))
		return err_set(e, ERR_INTERNAL, "who keeps the program was killed");
	*end = run->is_large ? EXECUTOR_LARGE : report.end;
	*status = report.status;
	return 1;
}

/* What is there now. False: no more comes. */
static bool read_output(struct executor_run *run)
{
	uint8_t rest[4096];
	const size_t left = run->max - run->len;
	ssize_t got = left ? read(run->output, run->bytes + run->len, left)
			   : read(run->output, rest, sizeof(rest));

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (left)
		run->len += (size_t)got;
	else if (got > 0 && !run->is_large) {
		run->is_large = true;
		executor_run_stop(run);
	}
	return got > 0;
}

static int open_pipes(int output[2], int report[2], struct err *e)
{
	if (pipe2(output, O_CLOEXEC) < 0)
		return err_errno(e, "pipe");
	if (pipe2(report, O_CLOEXEC) == 0)
		return 0;
	err_errno(e, "pipe");
	close(output[0]);
	close(output[1]);
	return err_code(e);
}

int executor_run_start(const struct executor_program *program, struct executor_run *run,
		       struct err *e)
{
	CLEANUP(free) uint8_t *bytes = malloc(program->output_max + 1);
	int output[2], report[2];
	const pid_t own = getpid();
	pid_t keeper;

	if (!bytes)
		return err_nomem(e);
	if (open_pipes(output, report, e) < 0)
		return err_code(e);
	keeper = fork();
	if (keeper == 0)
		executor_keep(program, own, output[1], report[1]);
	if (keeper < 0)
		err_errno(e, "fork");
	close(output[1]);
	close(report[1]);
	if (keeper < 0) {
		close(output[0]);
		close(report[0]);
		return err_code(e);
	}
	(void)fcntl(output[0], F_SETFL, O_NONBLOCK);
	*run = (struct executor_run){ .keeper = keeper,
				      .output = output[0],
				      .report = report[0],
				      .bytes = TAKE_PTR(bytes),
				      .max = program->output_max };
	return 0;
}

int executor_run_wait(struct executor_run *run, int ms, const sigset_t *mask,
		      enum executor_end *end, int *status, struct err *e)
{
	struct pollfd fds[] = { { .fd = run->report, .events = POLLIN },
				{ .fd = run->output, .events = POLLIN } };
	const struct timespec limit = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	int ready = ppoll(fds, ARRAY_LEN(fds), &limit, mask);

	if (ready < 0 && errno != EINTR)
		return err_errno(e, "poll");
	if (ready <= 0)
		return 0;
	if (fds[1].revents && !read_output(run)) {
		close(run->output);
		run->output = -1;
	}
	if (!fds[0].revents)
		return 0;
	/* All that could write is gone; what it wrote may not be read yet. */
	while (run->output >= 0 && run->len < run->max + 1 && !run->is_large) {
		size_t before = run->len;

		if (!read_output(run) || (run->len == before && !run->is_large))
			break;
	}
	return read_report(run, end, status, e);
}

void executor_run_stop(struct executor_run *run)
{
	if (run->keeper)
		kill(run->keeper, SIGTERM);
}

void executor_run_done(struct executor_run *run)
{
	if (run->keeper) {
		executor_run_stop(run);
		while (waitpid(run->keeper, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (run->bytes) {
		cleanup_close(&run->output);
		cleanup_close(&run->report);
		explicit_bzero(run->bytes, run->len);
		free(run->bytes);
	}
	*run = (struct executor_run){ .output = -1, .report = -1 };
}
