/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/node_agent.h"

#include "cli/client/agent_client.h"
#include "cli/client/attested.h"
#include "cli/client/node_policy.h"
#include "cli/client/waiting.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/manifest/manifest.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int node_agent_file(const void *bytes, size_t len, int *fd, char path[NODE_AGENT_PATH_MAX],
		    struct err *e)
{
	CLEANUP(close) int made = memfd_create("cocos", MFD_CLOEXEC);

	if (made < 0 || fchmod(made, 0600) < 0)
		return err_errno(e, "a file in memory");
	if (fd_write_all(made, bytes, len, e) < 0)
		return err_code(e);
	snprintf(path, NODE_AGENT_PATH_MAX, "/proc/self/fd/%d", made);
	*fd = TAKE_FD(made);
	return 0;
}

/* ---- the command's call ---- */

/* Of the other peer, or for us to say. */
static bool is_own(const char *name)
{
	static const char *const names[] = { "attested-tls", "attestation-policy", "manifest",
					     "profile" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return strncmp(name, "grpc-", 5) == 0;
}

static int give_all(const struct cli *from, struct node_agent *a, struct err *e)
{
	a->cli.profile = from->profile;
	a->cli.verbose = from->verbose;
	for (size_t i = 0; i < from->given_count; i++) {
		const char *name = from->given[i].option->name;

		if (!is_own(name) && cli_option_of(a->cli.command, name) &&
		    cli_give(&a->cli, name, from->given[i].value, e) < 0)
			return err_code(e);
	}
	if (cli_give(&a->cli, "grpc-url", a->cvm.agent, e) < 0 ||
	    cli_give(&a->cli, "attested-tls", NULL, e) < 0)
		return err_code(e);
	return cli_give(&a->cli, "attestation-policy", a->policy_path, e);
}

int node_agent_open(const struct workflow_order *order, const struct workflow_node *node,
		    const struct command *command, const struct cli *from, struct node_agent *agent,
		    struct err *e)
{
	struct node_agent *a = agent;

	*a = (struct node_agent){ .order = order, .node = node, .policy = -1, .manifest = -1 };
	cli_init(&a->cli, command);
	if (workflow_cvm_read(&order->spec, node, &a->cvm, e) == 0 &&
	    node_policy_check(&a->cvm, e) == 0 &&
	    node_agent_file(a->cvm.policy, strlen(a->cvm.policy), &a->policy, a->policy_path, e) ==
		    0 &&
	    give_all(from, a, e) == 0)
		return 0;
	node_agent_done(a);
	return err_code(e);
}

void node_agent_done(struct node_agent *agent)
{
	cli_done(&agent->cli);
	workflow_cvm_done(&agent->cvm);
	cleanup_close(&agent->policy);
	cleanup_close(&agent->manifest);
	agent->policy = agent->manifest = -1;
}

/* ---- the manifest ---- */

struct looking {
	struct node_agent *agent;
	struct client *client;
	const uint8_t *own;
	size_t place;
};

/* What can be told apart is said by name; all else the manifest's digest would show. */
static int take_digests(const struct looking *l, const Agent__StatusResponse *s,
			uint8_t digests[][SHA3_256_LEN], struct err *e)
{
	const struct workflow_node *node = l->agent->node;

	if (s->n_datasets != node->dependencies_count)
		return err_set(e, ERR_DENIED,
			       "the agent's manifest has %zu datasets, and %zu by "
			       "the order",
			       s->n_datasets, node->dependencies_count);
	for (size_t i = 0; i < s->n_datasets; i++) {
		const Agent__StatusAsset *row = s->datasets[i];
		const char *name = l->agent->order->spec.nodes[node->dependencies[i]].name;

		if (row->hash.len != SHA3_256_LEN || strcmp(row->filename, name) != 0)
			return err_set(e, ERR_DENIED,
				       "dataset %s of the agent's manifest: by the "
				       "order it is %s",
				       log_quote(row->filename).text, name);
		memcpy(digests[i], row->hash.data, SHA3_256_LEN);
	}
	if (l->own && memcmp(digests[l->place], l->own, SHA3_256_LEN) != 0)
		return err_set(e, ERR_DENIED,
			       "the agent's manifest has another input in the place "
			       "of this executor's");
	if (!s->algorithm || s->algorithm->hash.len != SHA3_256_LEN ||
	    memcmp(s->algorithm->hash.data, l->agent->cvm.algorithm, SHA3_256_LEN) != 0)
		return err_set(e, ERR_DENIED,
			       "the agent's manifest has another algorithm than the "
			       "order");
	if (s->n_consumers != 1)
		return err_set(e, ERR_DENIED,
			       "the agent's manifest has %zu consumers, and by "
			       "the order there is one alone",
			       s->n_consumers);
	return 0;
}

static int compare(const Agent__StatusResponse *s, const struct writer *text, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	struct manifest_digests digests;

	if (manifest_from_json(text->bytes, text->len, &manifest, e) < 0 ||
	    manifest_digest(manifest, &digests, e) < 0)
		return err_code(e);
	if (memcmp(digests.sha3_256, s->manifest_digest.data, SHA3_256_LEN) == 0)
		return 0;
	return err_set(e, ERR_DENIED, "the agent's manifest is not the one that the order allows");
}

static int take_manifest(const struct looking *l, const Agent__StatusResponse *s, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WORKFLOW_MANIFEST_MAX);
	uint8_t digests[WORKFLOW_CVM_INPUTS_MAX][SHA3_256_LEN];
	struct node_agent *a = l->agent;

	if (take_digests(l, s, digests, e) < 0 ||
	    workflow_manifest_write(a->order, a->node, &a->cvm, digests, &w, e) < 0 ||
	    compare(s, &w, e) < 0)
		return err_code(e);
	cleanup_close(&a->manifest);
	a->manifest = -1;
	return node_agent_file(w.bytes, w.len, &a->manifest, a->manifest_path, e);
}

static int look(void *data, char why[WAITING_WHY_MAX], struct err *e)
{
	const struct looking *l = data;
	CLEANUP(agent_status_free) Agent__StatusResponse *s = NULL;
	char id[WORKFLOW_COMPUTATION_ID_LEN];

	if (agent_client_status(l->client, &s, e) < 0)
		return err_code(e);
	workflow_manifest_id(l->agent->order, l->agent->node, id);
	if (s->manifest_digest.len == SHA3_256_LEN && strcmp(s->computation_id, id) == 0)
		return take_manifest(l, s, e) < 0 ? err_code(e) : 1;
	/* What the machine had before. */
	snprintf(why, WAITING_WHY_MAX, "%s",
		 s->manifest_digest.len ? "it has the manifest of another computation"
					: "it has no manifest");
	return 0;
}

static int still(void *data, uint64_t until_ms, struct err *e)
{
	const struct node_agent *a = ((const struct looking *)data)->agent;

	return a->still ? a->still(a->data, until_ms, e) : 0;
}

int node_agent_find(struct node_agent *agent, const uint8_t *own, size_t place, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct looking looking = { agent, &client, own, place };
	struct waiting waiting = { .client = &client,
				   .until = "the agent has the computation of the node",
				   .kept = "nothing was sent",
				   .look = look,
				   .still = still,
				   .data = &looking };
	char why[WAITING_WHY_MAX] = "";
	int found;

	if (attested_open(&client, &agent->cli, e) < 0)
		return err_code(e);
	if (cli_flag(&agent->cli, "wait"))
		found = waiting_run(&waiting, e) < 0 ? err_code(e) : 1;
	else
		found = look(&looking, why, e);
	if (found == 0)
		return err_set(e, ERR_PRECONDITION, "the agent at %s: %s", agent->cvm.agent, why);
	if (found < 0)
		return err_wrap(e, "the agent at %s", agent->cvm.agent);
	return cli_give(&agent->cli, "manifest", agent->manifest_path, e);
}
