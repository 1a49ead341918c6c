/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_program.h"

#include "common/base/encode.h"
#include "common/base/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static int set(struct executor_call *call, const char *name, const char *value, struct err *e)
{
	char *line = NULL;

	if (!value)
		return 0;
	if (text_format(&line, e, "%s=%s", name, value) < 0)
		return err_code(e);
	call->environment[call->count++] = line;
	return 0;
}

static int set_all(struct executor_call *call, const struct executor_node *node, const char *folder,
		   struct err *e)
{
	char id[WORKFLOW_ID_TEXT_LEN + 1], attempt[16];
	const char *path = getenv("PATH");
	const struct {
		const char *name, *value;
	} rows[] = {
		{ "PATH", path ? path : "/usr/local/bin:/usr/bin:/bin" },
		{ "LANG", getenv("LANG") },
		{ "TZ", getenv("TZ") },
		{ "HOME", folder },
		{ "TMPDIR", folder },
		{ "WORKFLOW_ID", id },
		{ "WORKFLOW_NODE", node->node->name },
		{ "WORKFLOW_FUNCTION", node->node->function },
		{ "WORKFLOW_ATTEMPT", attempt },
	};

	_Static_assert(ARRAY_LEN(rows) < EXECUTOR_ENVIRONMENT_MAX, "with a NULL at its end");
	hex_encode(node->place.id, sizeof(node->place.id), id);
	snprintf(attempt, sizeof(attempt), "%u", node->place.attempt);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (set(call, rows[i].name, rows[i].value, e) < 0)
			return err_code(e);
	return 0;
}

int executor_call_make(const struct executor_node *node, const struct executor_folder *folder,
		       struct executor_call *call, struct err *e)
{
	if (set_all(call, node, folder->path, e) < 0)
		return err_code(e);
	call->arguments[0] = node->function->path;
	call->arguments[1] = node->function->name;
	call->program = (struct executor_program){
		.path = node->function->path,
		.folder = folder->path,
		.arguments = call->arguments,
		.environment = (const char *const *)call->environment,
		.seconds = node->seconds,
		.output_max = WORKFLOW_OUTPUT_MAX,
	};
	return 0;
}

void executor_call_done(struct executor_call *call)
{
	for (size_t i = 0; i < call->count; i++)
		free(call->environment[i]);
	*call = (struct executor_call){ .count = 0 };
}

const char *executor_end_words(enum executor_end end, int status, char *text, size_t size)
{
	switch (end) {
	case EXECUTOR_TIME:
		return "its time was over: it was killed";
	case EXECUTOR_STOPPED:
		return "its executor was stopped";
	case EXECUTOR_LARGE:
		return "its output is larger than 1 MiB";
	case EXECUTOR_NO_START:
		return "its program can't be started";
	case EXECUTOR_EXITED:
		break;
	}
	if (WIFSIGNALED(status))
		snprintf(text, size, "its program was ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(text, size, "its program ended with status %d", WEXITSTATUS(status));
	else
		return NULL;
	return text;
}
