/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_program.h — how a node's program is called: PATH FUNCTION, in the node's folder, with an environment of its own.
 */
#pragma once

#include "cli/executor/executor_folder.h"
#include "cli/executor/executor_run.h"

enum { EXECUTOR_ENVIRONMENT_MAX = 16 };

struct executor_call {
	struct executor_program program; /* of the others */
	const char *arguments[3];
	char *environment[EXECUTOR_ENVIRONMENT_MAX];
	size_t count;
};

/* PATH, LANG and TZ are ours; HOME and TMPDIR the folder; WORKFLOW_ID, WORKFLOW_NODE, WORKFLOW_FUNCTION and
 * WORKFLOW_ATTEMPT of the node. Nothing else: tokens and addresses of this process are not for it. */
int executor_call_make(const struct executor_node *node, const struct executor_folder *folder,
		       struct executor_call *call, struct err *e) MUST_CHECK;
void executor_call_done(struct executor_call *call);
#define CLEANUP_EXECUTOR_CALL __attribute__((cleanup(executor_call_done)))

/* How it ended, in words for the submitter, who is told nothing of what the program said. NULL: well. */
const char *executor_end_words(enum executor_end end, int status, char *text, size_t size);
