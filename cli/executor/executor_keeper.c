/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN_MAX = 4096 /* bytes of numbers at once */ };

/* ---- the program ---- */

static void take_descriptors(int output)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
		_exit(126);
	/* Whatever else is open here is not for it; what says why it can't start stays until it does. */
	if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		_exit(126);
}

static _Noreturn void become(const struct executor_program *program, pid_t keeper, int output,
			     int why)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t none;
	int reason;

	sigemptyset(&none);
	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Without a keeper nobody would see its time, nor that it is to stop. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != keeper)
		_exit(126);
	(void)setsid();
	(void)setrlimit(RLIMIT_CORE, &no_core); /* what it was given is in it */
	take_descriptors(output);
	if (program->call) {
		(void)close_range(STDERR_FILENO + 1, ~0U, 0);
		_exit(program->call(program->data));
	}
	if (chdir(program->folder) == 0)
		execve(program->path, (char *const *)(uintptr_t)program->arguments,
		       (char *const *)(uintptr_t)program->environment);
	reason = errno;
	(void)!write(why, &reason, sizeof(reason));
	_exit(127);
}

/* 0, or why it can't start. */
static int start(const struct executor_program *program, int output, pid_t *pid)
{
	const pid_t own = getpid();
	int why[2], reason = 0;

	*pid = -1;
	if (pipe2(why, O_CLOEXEC) < 0)
		return errno;
	*pid = fork();
	if (*pid == 0)
		become(program, own, output, why[1]);
	if (*pid < 0)
		reason = errno;
	close(why[1]);
	if (*pid > 0 && read(why[0], &reason, sizeof(reason)) != sizeof(reason))
		reason = 0;
	close(why[0]);
	return reason;
}

/* ---- its end ---- */

/* Those that are ours: the program, and what lost its parent. What the kernel lists here may not be all of them while they
 * come and go (proc(5)); who calls asks until there are none. */
static void kill_children(void)
{
	char text[CHILDREN_MAX], path[64] = "/proc/thread-self/children";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	pid_t pid = 0;

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < got; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			pid = pid * 10 + (text[i] - '0');
			continue;
		}
		if (pid > 0)
			kill(pid, SIGKILL);
		pid = 0;
	}
}

/* Until nothing is left: each one that is killed may leave its own children to us. */
static void end_all(pid_t pid)
{
	const struct timespec moment = { .tv_nsec = 2000000 };

	for (;;) {
		pid_t got;

		kill(-pid, SIGKILL);
		kill_children();
		do
			got = waitpid(-1, NULL, WNOHANG);
		while (got > 0);
		if (got < 0 && errno == ECHILD)
			return;
		nanosleep(&moment, NULL);
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* True: `pid` has ended. */
static bool reap(pid_t pid, int *status)
{
	bool is_over = false;
	int of_one;
	pid_t got;

	while ((got = waitpid(-1, &of_one, WNOHANG)) > 0)
		if (got == pid) {
			*status = of_one;
			is_over = true;
		}
	return is_over;
}

static struct executor_report watch(pid_t pid, uint64_t seconds, const sigset_t *told)
{
	const int64_t until = now_ms() + (int64_t)seconds * 1000;
	struct executor_report report = { .end = EXECUTOR_EXITED };

	while (!reap(pid, &report.status)) {
		int64_t left = until - now_ms();
		struct timespec limit = { .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
		int number;

		if (left <= 0) {
			report.end = EXECUTOR_TIME;
			break;
		}
		number = sigtimedwait(told, NULL, &limit);
		if (number == SIGTERM) {
			report.end = EXECUTOR_STOPPED;
			break;
		}
	}
	return report;
}

_Noreturn void executor_keep(const struct executor_program *program, pid_t parent, int output,
			     int report)
{
	struct executor_report said = { .end = EXECUTOR_NO_START };
	pid_t pid = -1;
	sigset_t told;

	/* Before anything can be sent: what comes is seen by watch(). Ctrl-C of a terminal is for our parent, who tells us. */
	sigemptyset(&told);
	sigaddset(&told, SIGTERM);
	sigaddset(&told, SIGCHLD);
	(void)setpgid(0, 0);
	(void)sigprocmask(SIG_BLOCK, &told, NULL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0) {
		said.status = errno;
	} else if (getppid() == parent) {
		said.status = start(program, output, &pid);
		if (!said.status)
			said = watch(pid, program->seconds, &told);
		if (pid > 0)
			end_all(pid);
	}
	close(output);
	(void)!write(report, &said, sizeof(said));
	_exit(0);
}
