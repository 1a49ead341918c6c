/* SPDX-License-Identifier: Apache-2.0 */
/* executor_give.c — an output on its way into a CVM. */
#include "cli/base/text.h"
#include "cli/executor/executor.h"
#include "common/base/clock.h"
#include "common/base/encode.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { ASK_MS = 10000 };

/* ---- in the process of its own ---- */

static int hand_over(const struct executor *x, const struct executor_node *node,
		     const struct executor_input *input, struct err *e)
{
	struct node_agent agent CLEANUP_NODE_AGENT = { .policy = -1, .manifest = -1 };
	CLEANUP(close) int data = -1;
	CLEANUP(close) int key = -1;
	char data_path[NODE_AGENT_PATH_MAX], key_path[NODE_AGENT_PATH_MAX], limit[32];
	const char *const operands[] = { data_path, key_path, NULL };
	const struct workflow_node *after;
	size_t place = 0;

	after = workflow_cvm_after(&node->order.spec, node->place.node, &place);
	if (!after)
		return err_set(e, ERR_INTERNAL, "no node in a CVM depends on it");
	/* The second time it is what is left, for the command's own waiting. */
	if (executor_cvm_limit(&node->order, limit, e) < 0 ||
	    node_agent_open(&node->order, after, x->send, x->cli, &agent, e) < 0 ||
	    cli_give(&agent.cli, "wait", limit, e) < 0 ||
	    cli_give(&agent.cli, "grace", limit, e) < 0 ||
	    /* The submitter has signed that it may be tried again: as the same computation, and nothing else. */
	    (after->retries && cli_give(&agent.cli, "keep", "retry", e) < 0) ||
	    node_agent_find(&agent, input->digest, place, e) < 0 ||
	    executor_cvm_limit(&node->order, limit, e) < 0 ||
	    node_agent_file(input->bytes, input->len, &data, data_path, e) < 0 ||
	    executor_cvm_key(&x->rules.key, &key, key_path, e) < 0)
		return err_code(e);
	agent.cli.operands = operands;
	agent.cli.operand_count = 2;
	agent.cli.out = stderr;
	return x->send->run(&agent.cli, e) == CLI_OK ? 0 : err_code(e);
}

static _Noreturn void give(const struct executor *x, const struct executor_node *node,
			   const struct executor_input *input, const char *what, pid_t parent)
{
	sigset_t none;
	struct err e = { .code = ERR_OK };

	for (int i = 1; i < NSIG; i++)
		(void)signal(i, i == SIGPIPE ? SIG_IGN : SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(EXIT_FAILURE);
	/* The connections and the state's lock are the executor's. */
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	if (hand_over(x, node, input, &e) == 0) {
		fprintf(stderr, "%s: handed over\n", what);
		_exit(EXIT_SUCCESS);
	}
	fprintf(stderr, "%s: not handed over: %s\n", what, text_plain(e.text).text);
	_exit(EXIT_FAILURE);
}

/* ---- in the executor ---- */

static struct executor_gift *free_gift(struct executor *x)
{
	for (size_t i = 0; i < ARRAY_LEN(x->gifts); i++)
		if (!x->gifts[i].pid)
			return &x->gifts[i];
	return NULL;
}

bool executor_give_room(const struct executor *x)
{
	return free_gift((struct executor *)(uintptr_t)x) != NULL;
}

int executor_give(struct executor *x, const struct executor_node *node,
		  const struct executor_input *input, struct err *e)
{
	struct executor_gift *gift = free_gift(x);
	const pid_t own = getpid();
	char id[WORKFLOW_COMPUTATION_ID_LEN];
	size_t place;

	if (!gift)
		return err_set(e, ERR_EXHAUSTED, "%d outputs wait for CVMs", EXECUTOR_GIFTS_MAX);
	workflow_manifest_id(&node->order, node->node, id);
	snprintf(gift->what, sizeof(gift->what), "workflow %.16s node %s for the CVM of %s", id,
		 node->node->name,
		 workflow_cvm_after(&node->order.spec, node->place.node, &place)->name);
	hex_encode(node->order.id, sizeof(node->order.id), gift->workflow);
	gift->is_cancelled = false;
	gift->pid = fork();
	if (gift->pid == 0)
		give(x, node, input, gift->what, own);
	if (gift->pid > 0)
		return 0;
	gift->pid = 0;
	return err_errno(e, "fork");
}

size_t executor_give_reap(struct executor *x, bool *failed)
{
	size_t left = 0;

	for (size_t i = 0; i < ARRAY_LEN(x->gifts); i++) {
		struct executor_gift *gift = &x->gifts[i];
		int status = 0;
		pid_t ended = gift->pid ? waitpid(gift->pid, &status, WNOHANG) : 0;

		/* -1: somebody has it that those who end are not waited for (SIGCHLD ignored), and nobody knows. */
		if (ended) {
			gift->pid = 0;
			*failed = *failed || ended < 0 || status != 0;
		}
		left += gift->pid != 0;
	}
	return left;
}

/* Its word alone: whoever lies so keeps an output from its CVM, as who shows it no node does, and gets nothing by that. */
static void cancel(struct executor *x, const char *workflow)
{
	for (size_t i = 0; i < ARRAY_LEN(x->gifts); i++) {
		struct executor_gift *gift = &x->gifts[i];

		if (!gift->pid || gift->is_cancelled || strcmp(gift->workflow, workflow) != 0)
			continue;
		fprintf(stderr, "%s: the service says that the workflow was cancelled\n",
			gift->what);
		gift->is_cancelled = true;
		kill(gift->pid, SIGTERM);
	}
}

/* False: it does not answer now. */
static bool ask(struct executor *x, const char *workflow)
{
	Workflows__WorkflowRequest request = WORKFLOWS__WORKFLOW_REQUEST__INIT;
	ProtobufCMessage *response;
	struct err e;

	request.id = (char *)(uintptr_t)workflow;
	if (executor_ask(x, &workflow_get, &request.base, &response, &e) < 0) {
		x->cli->hint[0] = '\0';
		return x->client.loop != NULL;
	}
	if (strcmp(((const Workflows__Workflow *)response)->state, "Cancelled") == 0)
		cancel(x, workflow);
	protobuf_c_message_free_unpacked(response, NULL);
	return true;
}

/* Several may be of one workflow. */
static bool is_asked(const struct executor *x, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (x->gifts[k].pid && strcmp(x->gifts[k].workflow, x->gifts[i].workflow) == 0)
			return true;
	return false;
}

void executor_give_ask(struct executor *x)
{
	const int64_t now = clock_ms(CLOCK_MONOTONIC);

	if (!x->number || (x->gifts_asked && now - x->gifts_asked < ASK_MS))
		return;
	x->gifts_asked = now;
	for (size_t i = 0; i < ARRAY_LEN(x->gifts); i++)
		if (x->gifts[i].pid && !x->gifts[i].is_cancelled && !is_asked(x, i) &&
		    !ask(x, x->gifts[i].workflow))
			return;
}
