/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_workflow_submit.c — a workflow as its submitter signs it: check, submit. */
#include "cli/base/moment.h"
#include "cli/base/private_key.h"
#include "cli/base/text.h"
#include "cli/client/node_policy.h"
#include "cli/client/waiting.h"
#include "cli/client/workflow_client.h"
#include "cli/cmd/commands.h"
#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <string.h>

enum { DAYS_DEFAULT = 7, DAY_MS = 86400000 };

static int read_spec(const char *path, struct workflow_spec *spec, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (file_read(path, WORKFLOW_SPEC_MAX, &bytes, &len, e) < 0 ||
	    workflow_spec_read(bytes, len, spec, e) < 0 || node_policy_check_all(spec, e) < 0)
		return err_wrap(e, "workflow '%s'", path);
	return 0;
}

/* ---- check ---- */

static const struct table_column columns[] = {
	{ "NODE", "nodename", false },
	{ "EXECUTORTYPE", "executortype", false },
	{ "FUNCTION", "funcname", false },
	{ "DEPENDS ON", "dependencies", false },
	{ "SECONDS", "maxexectime", false },
	{ "RETRIES", "maxretries", false },
	{ NULL, NULL, false },
};

static void add_row(struct table *t, const struct workflow_spec *spec,
		    const struct workflow_node *node)
{
	char *names[WORKFLOW_NODES_MAX];

	for (size_t i = 0; i < node->dependencies_count; i++)
		names[i] = (char *)(uintptr_t)spec->nodes[node->dependencies[i]].name;
	table_text(t, node->name);
	table_text(t, node->type);
	table_text(t, node->function);
	table_words(t, names, node->dependencies_count);
	table_number(t, node->seconds, NULL);
	table_number(t, node->retries, NULL);
}

static enum cli_exit run_check(struct cli *cli, struct err *e)
{
	struct workflow_spec spec CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	struct table t CLEANUP_TABLE;

	table_init(&t, columns);
	if (table_check(cli, e) < 0 || read_spec(cli->operands[0], &spec, e) < 0)
		return CLI_USAGE;
	for (size_t i = 0; i < spec.count; i++)
		add_row(&t, &spec, &spec.nodes[i]);
	return table_print(&t, cli, "none", e) < 0 ? CLI_FAILED : CLI_OK;
}

const struct command cmd_workflow_check = {
	.name = "workflow check",
	.args = "FILE",
	.help = "read a workflow and show its nodes, without submitting it",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, { .name = NULL } },
	.run = run_check,
	.more = "Refused: what the published form does not have, a name twice, a dependency that is no node, a circle.",
};

/* ---- submit ---- */

static int add_key(struct workflow_keys *keys, const char *text, size_t len, struct err *e)
{
	char copy[2 * HPKE_KEY_LEN + 1];
	struct err ignored;

	if (keys->count == WORKFLOW_KEYS_MAX)
		return err_set(e, ERR_INVALID, "at most %d keys of a type", WORKFLOW_KEYS_MAX);
	if (len >= sizeof(copy))
		len = sizeof(copy) - 1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (hex_decode(copy, keys->keys[keys->count], HPKE_KEY_LEN, &ignored) < 0 ||
	    (text[len] != ',' && text[len] != '\0'))
		return err_set(e, ERR_INVALID,
			       "a key has 64 hexadecimal digits, as 'executor key' prints it");
	keys->count++;
	return 0;
}

static int add_keys(struct workflow_keys *keys, const char *text, struct err *e)
{
	for (;;) {
		size_t len = strcspn(text, ",");

		if (add_key(keys, text, len, e) < 0)
			return err_code(e);
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

static int keys_of(struct cli *cli, const char *type, struct workflow_keys *keys, struct err *e)
{
	const size_t len = strlen(type);
	const char *text;

	for (size_t i = 0; (text = cli_value_at(cli, "executor", i)); i++)
		if (strncmp(text, type, len) == 0 && text[len] == '=' &&
		    add_keys(keys, text + len + 1, e) < 0)
			return err_wrap(e, "--executor %s", log_quote(text).text);
	if (keys->count)
		return 0;
	cli_hint(cli,
		 "--executor %s=KEY, with the key that its owner has told you ('executor key')",
		 type);
	return err_set(e, ERR_INVALID, "no executor of type %s is named", type);
}

/* Each option is of some node: one that is not is a slip of the pen. */
static int check_types(struct cli *cli, const struct workflow_spec *spec, struct err *e)
{
	const char *text;

	for (size_t i = 0; (text = cli_value_at(cli, "executor", i)); i++) {
		size_t len = strcspn(text, "=");
		bool is_there = false;

		for (size_t n = 0; text[len] && n < spec->count; n++)
			is_there = is_there || (strlen(spec->nodes[n].type) == len &&
						memcmp(spec->nodes[n].type, text, len) == 0);
		if (!is_there)
			return err_set(e, ERR_INVALID,
				       "--executor %s: TYPE=KEY[,KEY], of a type that a node has",
				       log_quote(text).text);
	}
	return 0;
}

static int read_expires(struct cli *cli, int64_t *expires, struct err *e)
{
	const char *until = cli_value(cli, "expires");
	const int64_t now = clock_ms(CLOCK_REALTIME);
	int64_t seconds;

	*expires = now + (int64_t)DAYS_DEFAULT * DAY_MS;
	if (!until)
		return 0;
	if (moment_parse(until, &seconds, e) < 0)
		return err_wrap(e, "--expires");
	*expires = seconds * 1000;
	if (*expires > now && *expires <= now + (int64_t)WORKFLOW_ORDER_DAYS_MAX * DAY_MS)
		return 0;
	return err_set(e, ERR_INVALID, "--expires: from now on, %d days at most",
		       WORKFLOW_ORDER_DAYS_MAX);
}

/* Beside a CVM the order has one key for each to sign with: another executor could but refuse the node, and fail the workflow. */
static int check_one(const struct workflow_order *order, size_t node, struct err *e)
{
	const struct workflow_node *n = &order->spec.nodes[node];
	const size_t count = order->nodes[node].count;
	size_t place;

	if (count == 1 || (!workflow_cvm_is(n) && !workflow_cvm_after(&order->spec, node, &place) &&
			   !workflow_cvm_before(&order->spec, n)))
		return 0;
	return err_set(e, ERR_INVALID,
		       "node %s is beside a CVM, where the order names one executor, not %zu: a "
		       "type of its own, with one KEY",
		       n->name, count);
}

static int make_order(struct cli *cli, struct workflow_order *order, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct hpke_key reply CLEANUP_HPKE_KEY = { .secret = { 0 } };

	if (read_spec(cli_value(cli, "spec"), &order->spec, e) < 0 ||
	    check_types(cli, &order->spec, e) < 0 || workflow_order_room(order, e) < 0 ||
	    read_expires(cli, &order->expires, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < order->spec.count; i++)
		if (keys_of(cli, order->spec.nodes[i].type, &order->nodes[i], e) < 0 ||
		    check_one(order, i, e) < 0)
			return err_code(e);
	if (private_key_load(cli, cli_value(cli, "key"), &key, e) < 0 ||
	    workflow_reply_key(key, &reply, e) < 0)
		return err_code(e);
	memcpy(order->reply, reply.public, sizeof(order->reply));
	return workflow_order_sign(order, key, e);
}

static int submit(struct client *client, const struct workflow_order *order, struct err *e)
{
	const char *workspace = cli_value(client->cli, "workspace"),
		   *name = cli_value(client->cli, "name");
	Workflows__SubmitRequest request = WORKFLOWS__SUBMIT_REQUEST__INIT;
	ProtobufCMessage *response;
	int failed;

	request.workspace = (char *)(uintptr_t)(workspace ? workspace : "");
	request.name = (char *)(uintptr_t)(name ? name : "");
	if (workflow_order_message(order, &request.order, e) < 0)
		return err_code(e);
	failed = client_call(client, &workflow_submit, &request.base, &response, e);
	workflows__order__free_unpacked(request.order, NULL);
	if (!failed)
		protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

/* ---- --wait ---- */

struct wait {
	struct client *client;
	const char *id;
	char state[32], reason[ERR_TEXT_MAX];
};

static int look(void *data, char why[WAITING_WHY_MAX], struct err *e)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	struct wait *w = data;
	Workflows__Workflow *said;
	bool has_ended, is_another;

	if (workflow_fetch(w->client, w->id, &said, &order, &is_another, e) < 0)
		return err_code(e);
	has_ended = strcmp(said->state, "Running") != 0;
	snprintf(w->state, sizeof(w->state), "%.31s", text_plain(said->state).text);
	snprintf(w->reason, sizeof(w->reason), "%.400s", text_plain(said->reason).text);
	snprintf(why, WAITING_WHY_MAX, "%u of %u nodes are done", said->nodes_done,
		 said->nodes_total);
	workflows__workflow__free_unpacked(said, NULL);
	return has_ended;
}

static enum cli_exit wait_for(struct client *client, const char *id, struct err *e)
{
	struct wait w = { .client = client, .id = id };
	struct waiting waiting = { .client = client,
				   .until = "the workflow has ended",
				   .kept = "it goes on",
				   .again = "'cocos-cli workflow get ID' shows it",
				   .look = look,
				   .data = &w };

	if (waiting_run(&waiting, e) < 0)
		return CLI_FAILED;
	if (!w.state[0] || strcmp(w.state, "Completed") == 0)
		return CLI_OK;
	err_set(e, ERR_ABORTED, "the workflow is %s: %s", w.state, w.reason);
	return CLI_FAILED;
}

static enum cli_exit run_submit(struct cli *cli, struct err *e)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	char id[WORKFLOW_ID_TEXT_LEN + 1];
	uint64_t limit;

	if (!cli_value(cli, "spec") || !cli_value(cli, "key"))
		return cli_usage(e, "--%s is missing", cli_value(cli, "spec") ? "key" : "spec");
	if (waiting_limit(cli, &limit, e) < 0 || make_order(cli, &order, e) < 0 ||
	    client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	hex_encode(order.id, sizeof(order.id), id);
	if (submit(&client, &order, e) < 0) {
		computation_hint(&client, e);
		return CLI_FAILED;
	}
	/* Ours, and not what the service calls it. */
	fprintf(cli->out, "%s\n", id);
	if (fflush(cli->out) != 0) {
		err_errno(e, "standard output");
		return CLI_FAILED;
	}
	return wait_for(&client, id, e);
}

/* clang-format off */
static const struct cli_option submit_options[] = {
	{ .name = "spec", .value = "FILE", .help = "the workflow, as 'workflow check' reads it" },
	{ .name = "key", .value = "KEYFILE", .help = "your private key, registered as yours ('key register'): it signs the order" },
	{ .name = "executor", .value = "TYPE=KEY[,KEY]", .times = CLI_MANY,
	  .help = "who may run nodes of that type: public keys, as their owners told you" },
	{ .name = "name", .value = "TEXT", .help = "what people call it" },
	{ .name = "expires", .value = "RFC3339", .help = "until when executors run it (7 days from now; at most 30)" },
	{ .name = "workspace", .value = "NAME", .help = "that it is in (your only one, or 'default')" },
	WAIT_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_workflow_submit = {
	.name = "workflow submit",
	.args = "",
	.help = "sign a workflow and submit it; its id is printed",
	.options = submit_options,
	.run = run_submit,
	.more = "The id is the digest of what you sign: workflow, executors' keys, end. Neither the service nor others can\n"
		"change any of it, and outputs are sealed from one executor to the next, and to you at the end.\n"
		"'workflow decrypt' opens them with the same key. kwargs are not secret: the service reads them.\n"
		"With --wait: 0 if it is completed, 1 if it failed or was cancelled.",
};
