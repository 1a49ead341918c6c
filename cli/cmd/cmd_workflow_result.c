/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_workflow_result.c — fetches what a node in a CVM has computed, from the agent there. */
#include "cli/base/text.h"
#include "cli/client/node_agent.h"
#include "cli/client/waiting.h"
#include "cli/client/workflow_client.h"
#include "cli/cmd/commands.h"
#include "cli/evidence/evidence_options.h"
#include "common/base/log.h"

#include <string.h>

enum { ASK_MS = 5000 }; /* beside what the agent is asked */

/* By its name, or the only one in a CVM whose results are the submitter's: others are for who runs the node behind them. */
static int find_node(const struct workflow_order *order, const char *name,
		     const struct workflow_node **node, struct err *e)
{
	const struct workflow_node *others = NULL;
	size_t found = 0;

	for (size_t i = 0; i < order->spec.count; i++) {
		const struct workflow_node *n = &order->spec.nodes[i];

		if (!workflow_cvm_is(n) || (name && strcmp(n->name, name) != 0))
			continue;
		if (!n->is_end) {
			others = n;
			continue;
		}
		*node = n;
		found++;
	}
	if (found == 1)
		return 0;
	if (!found && others)
		return err_set(e, ERR_INVALID,
			       "what node %s computes is for the executor of the node that depends "
			       "on it: the agent hands it to that one's key",
			       others->name);
	if (name)
		return err_set(e, ERR_NOT_FOUND,
			       "the workflow has no node %s that is computed in a CVM",
			       log_quote(name).text);
	if (!found)
		return err_set(e, ERR_NOT_FOUND,
			       "no node of the workflow is computed in a CVM: 'workflow decrypt' "
			       "writes what the others gave");
	return err_set(e, ERR_INVALID, "%zu nodes are computed in CVMs: say which NODE", found);
}

/* Its word, which keeps nobody from looking: where it lies the results are at the agent all the same. */
static void note_end(const Workflows__Workflow *said)
{
	if (strcmp(said->state, "Failed") != 0 && strcmp(said->state, "Cancelled") != 0)
		return;
	fprintf(stderr, "note: the service says that the workflow is %s",
		text_plain(said->state).text);
	fprintf(stderr, ": %s\n", text_plain(said->reason).text);
}

/* Of the service nothing is asked but the order, which is the one that the id stands for. */
static enum cli_exit take_order(struct cli *cli, struct workflow_order *order, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	Workflows__Workflow *said;
	bool is_another = false;

	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (workflow_fetch(&client, cli->operands[0], &said, order, &is_another, e) < 0) {
		if (is_another)
			return CLI_NOT_GENUINE;
		computation_hint(&client, e);
		return CLI_FAILED;
	}
	note_end(said);
	workflows__workflow__free_unpacked(said, NULL);
	return CLI_OK;
}

/* While nothing is at the agent, the service's word is all that there is. If it says nothing, that ends nothing. */
static int is_wanted(void *data, uint64_t until_ms, struct err *e)
{
	struct client *service = data;
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	Workflows__Workflow *said;
	bool is_another = false, cancelled;
	int failed;

	service->until_ms = uv_hrtime() / 1000000 + ASK_MS;
	if (service->until_ms > until_ms)
		service->until_ms = until_ms;
	failed = workflow_fetch(service, service->cli->operands[0], &said, &order, &is_another, e);
	service->cli->hint[0] = 0;
	if (failed)
		return 0;
	cancelled = strcmp(said->state, "Cancelled") == 0;
	workflows__workflow__free_unpacked(said, NULL);
	return cancelled ? err_set(e, ERR_ABORTED,
				   "the service says that the workflow was cancelled: no CVM will "
				   "have its computation; without --wait, what is there is fetched")
			 : 0;
}

static enum cli_exit fetch(struct cli *cli, struct node_agent *agent, struct err *e)
{
	const char *const operands[] = { cli_value(cli, "key"), NULL };
	enum cli_exit status = CLI_FAILED;

	if (node_agent_find(agent, NULL, 0, e) == 0) {
		agent->cli.operands = operands;
		agent->cli.operand_count = 1;
		status = cmd_result.run(&agent->cli, e);
	}
	memcpy(cli->hint, agent->cli.hint, sizeof(cli->hint));
	return status;
}

static enum cli_exit run_result(struct cli *cli, struct err *e)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	struct node_agent agent CLEANUP_NODE_AGENT = { .policy = -1, .manifest = -1 };
	struct client service CLEANUP_CLIENT = { .loop = NULL };
	const struct workflow_node *node = NULL;
	enum cli_exit status;
	uint64_t limit;

	if (!cli_value(cli, "key"))
		return cli_usage(e, "--key is missing: the one that signed the workflow");
	if (workflow_id_check(cli->operands[0], e) < 0 || waiting_limit(cli, &limit, e) < 0 ||
	    waiting_grace(cli, &limit, e) < 0)
		return CLI_USAGE;
	status = take_order(cli, &order, e);
	if (status != CLI_OK)
		return status;
	if (find_node(&order, cli->operands[1], &node, e) < 0 ||
	    node_agent_open(&order, node, &cmd_result, cli, &agent, e) < 0 ||
	    client_open(&service, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	agent.still = is_wanted;
	agent.data = &service;
	return fetch(cli, &agent, e);
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "key", .value = "KEYFILE", .help = "your private key that signed the workflow" },
	{ .letter = 'f', .name = "filename", .value = "FILE",
	  .help = "save as (results.zip, or results_1.zip … when that is there)" },
	{ .letter = 'o', .name = "output", .value = "DIR", .help = "and unpack into this folder, for nobody else to read" },
	WAIT_OPTION,
	GRACE_OPTION,
	EVIDENCE_ROOT_OPTIONS,
	{ .name = "ek_root", .value = "FILE",
	  .help = "a root of EK certificates: the TPM of the CVM has to show that it has such an EK", .rare = true },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_workflow_result = {
	.name = "workflow result",
	.args = "ID [NODE]",
	.help = "fetch the result of a node that is computed in a CVM, from the agent there, once",
	.operands_min = 1,
	.operands_max = 2,
	.options = options,
	.run = run_result,
	.more = "Nothing is fetched before the agent has proven itself by the policy of your order, over the manifest that follows\n"
		"from the order and the inputs' digests. The service gives the order and no more; --grpc-url is the service's, the\n"
		"agent's address stands in the order. NODE may be left out where one node alone is computed in a CVM. Where another\n"
		"node depends on it, its executor fetches the results, and nobody else.",
};
