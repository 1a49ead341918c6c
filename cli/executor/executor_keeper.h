/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_keeper.h — the process that keeps a program, after the fork (executor_run.h).
 */
#pragma once

#include "cli/executor/executor_run.h"

struct executor_report {
	enum executor_end end;
	int status;
};

/* Runs the program with `output` as its standard output, and writes one executor_report when nothing of it is left. When `parent` is
 * gone that is at once. */
_Noreturn void executor_keep(const struct executor_program *program, pid_t parent, int output,
			     int report);
