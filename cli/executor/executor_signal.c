/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_signal.h"

#include "common/base/cleanup.h"

#include <string.h>

static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

static sigset_t ending, open_mask;
static volatile sig_atomic_t come, idle;

/* Only what a handler may call. */
static void on_signal(int number)
{
	static const char text[] = "stopped; no node was under way\n";

	come = number;
	if (!idle)
		return;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(128 + number);
}

void executor_signal_open(void)
{
	struct sigaction was, action = { .sa_handler = on_signal };

	/* Where it is ignored, which is inherited, nobody is told how a child ended. */
	(void)signal(SIGCHLD, SIG_DFL);
	sigemptyset(&ending);
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (sigaction(numbers[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN) {
			(void)sigaction(numbers[i], &action, NULL);
			sigaddset(&ending, numbers[i]);
		}
	(void)sigprocmask(SIG_BLOCK, &ending, &open_mask);
}

void executor_signal_idle(bool is_idle)
{
	/* The flag first: a signal that waits comes with the call. */
	if (is_idle)
		idle = true;
	(void)sigprocmask(is_idle ? SIG_UNBLOCK : SIG_BLOCK, &ending, NULL);
	idle = is_idle;
}

const sigset_t *executor_signal_mask(void)
{
	return &open_mask;
}

int executor_signal_come(void)
{
	return come;
}
