/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/interrupt.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = { SIGINT, SIGTERM };

/* The next text is written beside the one that a handler may be reading. */
static char texts[2][INTERRUPT_TEXT_MAX];
static _Atomic(const char *) current, doomed;
static atomic_bool held;

/* Only what a handler may call. */
static void on_signal(int number)
{
	static const char nearly[] =
		"\nnearly done, and it comes once: press Ctrl-C again to give it up\n";
	const char *text = atomic_load(&current), *path = atomic_load(&doomed);
	int was = errno;

	if (atomic_exchange(&held, false)) {
		(void)!write(STDERR_FILENO, nearly, sizeof(nearly) - 1);
		errno = was;
		return;
	}
	if (path)
		unlink(path);
	if (text)
		(void)!write(STDERR_FILENO, text, strlen(text));
	_exit(128 + number);
}

/* One that the caller has ignored (nohup, a job in the background) stays so. */
static void catch_signal(int number)
{
	struct sigaction was, action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigfillset(&action.sa_mask);
	if (sigaction(number, NULL, &was) == 0 && was.sa_handler == SIG_DFL)
		(void)sigaction(number, &action, NULL);
}

void interrupt_say(const char *fmt, ...)
{
	char *next = atomic_load(&current) == texts[0] ? texts[1] : texts[0];
	char said[INTERRUPT_TEXT_MAX - 16];
	va_list args;

	va_start(args, fmt);
	vsnprintf(said, sizeof(said), fmt, args);
	va_end(args);
	/* On a terminal there may be a bar. */
	snprintf(next, INTERRUPT_TEXT_MAX, "%s%s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", said);
	atomic_store(&current, next);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		catch_signal(signals[i]);
}

void interrupt_remove(const char *path)
{
	atomic_store(&doomed, path);
}

void interrupt_hold(void)
{
	atomic_store(&held, true);
}

void interrupt_clear(void)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct sigaction was;

		if (sigaction(signals[i], NULL, &was) == 0 && was.sa_handler == on_signal)
			(void)signal(signals[i], SIG_DFL);
	}
	atomic_store(&current, NULL);
	atomic_store(&doomed, NULL);
	atomic_store(&held, false);
}
