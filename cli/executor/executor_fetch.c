/* SPDX-License-Identifier: Apache-2.0 */
/* executor_fetch.c — what a CVM has computed, on its way to who runs the next node. */
#include "cli/base/text.h"
#include "cli/executor/executor.h"
#include "common/base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* The command's own limits and refusals: no file of ours gives way to what comes. */
static int fetch(const struct executor_fetch *f, const struct workflow_node *from,
		 const char *key_path, struct err *e)
{
	struct node_agent agent CLEANUP_NODE_AGENT = { .policy = -1, .manifest = -1 };
	CLEANUP(free) char *archive = NULL, *into = NULL;
	const char *const operands[] = { key_path, NULL };
	char limit[32];

	if (text_format(&archive, e, "%s/results/%s.zip", f->folder->path, from->name) < 0 ||
	    text_format(&into, e, "%s/inputs/%s", f->folder->path, from->name) < 0 ||
	    executor_cvm_limit(&f->node->order, limit, e) < 0 ||
	    node_agent_open(&f->node->order, from, f->x->fetch, f->x->cli, &agent, e) < 0)
		return err_code(e);
	if (cli_give(&agent.cli, "wait", limit, e) < 0 ||
	    cli_give(&agent.cli, "grace", limit, e) < 0 ||
	    cli_give(&agent.cli, "filename", archive, e) < 0 ||
	    cli_give(&agent.cli, "output", into, e) < 0 || node_agent_find(&agent, NULL, 0, e) < 0)
		return err_code(e);
	agent.cli.operands = operands;
	agent.cli.operand_count = 1;
	agent.cli.out = stderr;
	return f->x->fetch->run(&agent.cli, e) == CLI_OK ? 0 : err_code(e);
}

static int fetch_all(const struct executor_fetch *f, const struct workflow_node **at, struct err *e)
{
	const struct workflow_spec *spec = &f->node->order.spec;
	CLEANUP(free) char *results = NULL;
	CLEANUP(close) int key = -1;
	char key_path[NODE_AGENT_PATH_MAX];

	if (text_format(&results, e, "%s/results", f->folder->path) < 0)
		return err_code(e);
	if (mkdir(results, 0700) < 0)
		return err_errno(e, "folder '%s'", results);
	if (executor_cvm_key(&f->x->rules.key, &key, key_path, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < f->node->node->dependencies_count; i++) {
		*at = &spec->nodes[f->node->node->dependencies[i]];
		if (workflow_cvm_is(*at) && fetch(f, *at, key_path, e) < 0)
			return err_code(e);
	}
	return 0;
}

int executor_fetch_run(void *data)
{
	const struct executor_fetch *f = data;
	const struct workflow_node *at = f->node->node;
	struct err e = { .code = ERR_OK };

	if (fetch_all(f, &at, &e) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "node %s: results of %s are not fetched: %s\n", f->node->node->name,
		at->name, text_plain(e.text).text);
	return EXIT_FAILURE;
}
