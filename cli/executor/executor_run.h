/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_run.h — one program, run in a folder of its own, with an end.
 *
 * A process between us and the program keeps it: it is the reaper of whatever the program leaves behind (setsid and double
 * forks included), kills all of it when the program ends, when its time is over and when we tell it to, and does so as well
 * when we are gone. What the program writes to standard output is its output, up to a limit; standard error is ours.
 */
#pragma once

#include "common/base/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum executor_end {
	EXECUTOR_EXITED,  /* `status` as of waitpid() */
	EXECUTOR_TIME,    /* its time was over */
	EXECUTOR_STOPPED, /* we told it to stop */
	EXECUTOR_LARGE,   /* it wrote more than the limit */
	EXECUTOR_NO_START /* `status` is the errno */
};

struct executor_run {
	pid_t keeper;       /* 0: none */
	int output, report; /* its ends of pipes that we read; -1 */
	uint8_t *bytes;     /* what it wrote so far */
	size_t len, max;
	bool is_large;
};

struct executor_program {
	/* Instead of a program, which `path` then names for people: called in a process of its own, which ends with what it
	 * gives and has none of our files but standard output and error. */
	int (*call)(void *data);
	void *data;

	const char *path, *folder;
	const char *const *arguments;   /* NULL-terminated, the path first */
	const char *const *environment; /* all of it */
	uint64_t seconds;
	size_t output_max;
};

/* Children of this process that are not its own may be waited for: a program that has others must not call this. */
int executor_run_start(const struct executor_program *program, struct executor_run *run,
		       struct err *e) MUST_CHECK;

/* Reads what it writes, for `ms` at most or until a signal that `mask` lets in. 1: it has ended, all that it left behind, too,
 * and `*end` and `*status` say how; 0: it goes on. */
int executor_run_wait(struct executor_run *run, int ms, const sigset_t *mask,
		      enum executor_end *end, int *status, struct err *e) MUST_CHECK;

/* Asks the keeper to end it; executor_run_wait() says when that is done. */
void executor_run_stop(struct executor_run *run);

/* Ends what still runs and waits for it; wipes the output. */
void executor_run_done(struct executor_run *run);
#define CLEANUP_EXECUTOR_RUN __attribute__((cleanup(executor_run_done)))
