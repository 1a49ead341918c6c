/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_workflow.c — workflows that were submitted: list, get, cancel, decrypt. */
#include "cli/base/output.h"
#include "cli/base/private_key.h"
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "cli/client/people_client.h"
#include "cli/client/workflow_client.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/workflow/workflow_cvm.h"
#include "common/workflow/workflow_output.h"

#include <string.h>
#include <openssl/crypto.h>

static char *lent(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

/* ---- list ---- */

static const struct table_column columns[] = {
	{ "ID", "id", false },           { "NAME", "name", false },
	{ "STATE", "state", false },     { "DONE", "nodes_done", false },
	{ "NODES", "nodes", false },     { "SUBMITTER", "submitter", false },
	{ "CREATED", "created", false }, { "ENDED", "ended", true },
	{ "REASON", "reason", true },    { NULL, NULL, false },
};

static void add_row(struct table *t, const Workflows__Workflow *w)
{
	char done[16];

	snprintf(done, sizeof(done), "%u", w->nodes_done);
	table_text(t, w->id);
	table_text(t, w->name);
	table_text(t, w->state);
	table_number(t, w->nodes_done, done);
	table_number(t, w->nodes_total, NULL);
	table_text(t, w->submitter);
	table_moment(t, people_ms(w->created));
	table_moment(t, people_ms(w->ended));
	table_text(t, w->reason);
}

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const Workflows__ListResponse *page = (const Workflows__ListResponse *)message;

	for (size_t i = 0; i < page->n_workflows; i++)
		add_row(t, page->workflows[i]);
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &workflow_list, columns, rows, NULL };

	return listing_print(cli, &listing, e);
}

/* clang-format off */
static const struct cli_option list_options[] = {
	{ .name = "workspace", .value = "NAME", .help = "that they are in (your only one, or 'default')" },
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_workflow_list = {
	.name = "workflow list",
	.args = "",
	.help = "list the workflows of a workspace, newest first",
	.options = list_options,
	.run = run_list,
};

/* ---- get ---- */

static const struct table_column node_columns[] = {
	{ "NODE", "nodename", false },       { "STATE", "state", false },
	{ "ATTEMPT", "attempt", false },     { "EXECUTORTYPE", "executortype", false },
	{ "FUNCTION", "funcname", false },   { "DEPENDS ON", "dependencies", false },
	{ "OUTPUT", "output_bytes", false }, { "EXECUTOR", "executor", true },
	{ "TAKEN", "taken", true },          { "ENDED", "ended", true },
	{ "FAILURE", "failure", false },     { NULL, NULL, false },
};

/* What the order says stands as it says; the service adds what has become of it. Names that it gives are not asked for. */
static void add_node(struct table *t, const struct workflow_spec *spec, size_t number,
		     const Workflows__Node *said)
{
	const struct workflow_node *node = &spec->nodes[number];
	char *names[WORKFLOW_NODES_MAX], attempt[32], executor[2 * HPKE_KEY_LEN + 1] = "";

	for (size_t i = 0; i < node->dependencies_count; i++)
		names[i] = lent(spec->nodes[node->dependencies[i]].name);
	snprintf(attempt, sizeof(attempt), "%u of %u", said->attempt, node->retries + 1);
	if (said->executor.len == HPKE_KEY_LEN)
		hex_encode(said->executor.data, said->executor.len, executor);
	table_text(t, node->name);
	table_text(t, said->state);
	table_number(t, said->attempt, said->attempt ? attempt : NULL);
	table_text(t, node->type);
	table_text(t, node->function);
	table_words(t, names, node->dependencies_count);
	table_number(t, said->output_bytes, NULL);
	table_text(t, executor);
	table_moment(t, people_ms(said->taken));
	table_moment(t, people_ms(said->ended));
	table_text(t, said->failure);
}

static void node_to_json(struct json_out *out, const struct workflow_spec *spec, size_t number,
			 const Workflows__Node *said)
{
	const struct workflow_node *node = &spec->nodes[number];

	json_out_object(out, NULL);
	json_out_text(out, "nodename", node->name);
	json_out_text(out, "state", said->state);
	json_out_number(out, "attempt", said->attempt);
	json_out_number(out, "attempts_max", node->retries + 1);
	json_out_text(out, "executortype", node->type);
	json_out_text(out, "funcname", node->function);
	json_out_list(out, "dependencies");
	for (size_t i = 0; i < node->dependencies_count; i++)
		json_out_text(out, NULL, spec->nodes[node->dependencies[i]].name);
	json_out_end(out);
	json_out_number(out, "output_bytes", said->output_bytes);
	json_out_hex(out, "output_digest", said->output_digest.data, said->output_digest.len);
	json_out_hex(out, "executor", said->executor.data, said->executor.len);
	json_out_text(out, "executor_user", said->executor_user);
	computation_time_to_json(out, "taken", said->taken);
	computation_time_to_json(out, "ended", said->ended);
	json_out_text(out, "failure", said->failure);
	json_out_end(out);
}

/* Of the order, which was verified: what the service says of id, key and end is not asked for. */
struct verified {
	char id[WORKFLOW_ID_TEXT_LEN + 1];
	uint8_t key[KEY_FINGERPRINT_LEN];
	Google__Protobuf__Timestamp expires;
};

static int take_verified(const struct workflow_order *order, struct verified *v, struct err *e)
{
	google__protobuf__timestamp__init(&v->expires);
	v->expires.seconds = order->expires / 1000;
	v->expires.nanos = (int32_t)(order->expires % 1000) * 1000000;
	hex_encode(order->id, sizeof(order->id), v->id);
	return key_fingerprint(order->submitter, order->submitter_len, v->key, e);
}

static void to_json(struct json_out *out, const Workflows__Workflow *w,
		    const struct workflow_order *order, const struct verified *v)
{
	json_out_object(out, NULL);
	json_out_text(out, "id", v->id);
	json_out_text(out, "name", w->name);
	json_out_text(out, "workspace", w->workspace);
	json_out_text(out, "state", w->state);
	json_out_text(out, "reason", w->reason);
	json_out_text(out, "submitter", w->submitter);
	json_out_hex(out, "key", v->key, sizeof(v->key));
	computation_time_to_json(out, "created", w->created);
	computation_time_to_json(out, "ended", w->ended);
	computation_time_to_json(out, "expires", &v->expires);
	json_out_list(out, "nodes");
	for (size_t i = 0; i < order->spec.count; i++)
		node_to_json(out, &order->spec, i, w->nodes[i]);
	json_out_end(out);
	json_out_end(out);
}

static int print_for_programs(struct cli *cli, const Workflows__Workflow *w,
			      const struct workflow_order *order, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;
	struct table t CLEANUP_TABLE;
	struct verified v;

	table_init(&t, columns);
	json_out_init(&out);
	if (take_verified(order, &v, e) < 0)
		return err_code(e);
	to_json(&out, w, order, &v);
	add_row(&t, w);
	table_object(&t, &out);
	return table_print_one(&t, cli, e);
}

static int print_for_people(struct cli *cli, const Workflows__Workflow *w,
			    const struct workflow_order *order, struct err *e)
{
	char created[COMPUTATION_TIME_MAX], ended[COMPUTATION_TIME_MAX],
		hex[2 * KEY_FINGERPRINT_LEN + 1];
	struct table t CLEANUP_TABLE;
	struct verified v;

	table_init(&t, node_columns);
	if (take_verified(order, &v, e) < 0)
		return err_code(e);
	hex_encode(v.key, sizeof(v.key), hex);
	computation_time(w->created, created);
	computation_time(w->ended, ended);
	fprintf(cli->out, "Workflow:  %s%s%s\n", v.id, *w->name ? "  " : "",
		text_plain(w->name).text);
	fprintf(cli->out, "State:     %s%s%s\n", text_plain(w->state).text, *w->reason ? ": " : "",
		text_plain(w->reason).text);
	fprintf(cli->out, "Submitted: %s by %s, ended %s\n", created, text_plain(w->submitter).text,
		ended);
	fprintf(cli->out, "Signed by: %s\n\n", hex);
	for (size_t i = 0; i < order->spec.count; i++)
		add_node(&t, &order->spec, i, w->nodes[i]);
	return table_print(&t, cli, "none", e);
}

static int print(struct cli *cli, const Workflows__Workflow *w, const struct workflow_order *order,
		 struct err *e)
{
	const char *format = cli_value(cli, "output");

	if (w->n_nodes != order->spec.count)
		return err_set(e, ERR_DATA_LOSS, "the service shows %zu nodes: its order has %zu",
			       w->n_nodes, order->spec.count);
	if (cli_flag(cli, "json") ||
	    (format && (strcmp(format, "json") == 0 || strcmp(format, "yaml") == 0)))
		return print_for_programs(cli, w, order, e);
	return print_for_people(cli, w, order, e);
}

static enum cli_exit fetch(struct client *client, const char *id, Workflows__Workflow **w,
			   struct workflow_order *order, struct err *e)
{
	bool is_another = false;

	if (workflow_fetch(client, id, w, order, &is_another, e) == 0)
		return CLI_OK;
	if (is_another)
		return CLI_NOT_GENUINE;
	computation_hint(client, e);
	return CLI_FAILED;
}

static enum cli_exit run_get(struct cli *cli, struct err *e)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	Workflows__Workflow *w;
	enum cli_exit status;

	if (workflow_id_check(cli->operands[0], e) < 0 || table_check(cli, e) < 0 ||
	    client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	status = fetch(&client, cli->operands[0], &w, &order, e);
	if (status != CLI_OK)
		return status;
	if (print(cli, w, &order, e) < 0)
		status = CLI_FAILED;
	workflows__workflow__free_unpacked(w, NULL);
	return status;
}

const struct command cmd_workflow_get = {
	.name = "workflow get",
	.args = "ID",
	.help = "show a workflow and what has become of its nodes",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_get,
	.more = "The order is verified: its digest is the id, and its signature that of the key that is shown. What has\n"
		"become of the nodes is the service's word. Exit 3: the service shows another order.",
};

/* ---- cancel ---- */

static enum cli_exit run_cancel(struct cli *cli, struct err *e)
{
	Workflows__WorkflowRequest request = WORKFLOWS__WORKFLOW_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	if (workflow_id_check(cli->operands[0], e) < 0)
		return CLI_USAGE;
	request.id = lent(cli->operands[0]);
	status = computation_call(cli, &workflow_cancel, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "workflow %s cancelled\n", cli->operands[0]);
	return CLI_OK;
}

const struct command cmd_workflow_cancel = {
	.name = "workflow cancel",
	.args = "ID",
	.help = "end a workflow; executors stop what runs of it",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_cancel,
};

/* ---- decrypt ---- */

/* The node that is meant: by its name, or the only one whose output is the submitter's. */
static int find_node(const struct workflow_order *order, const char *name, size_t *number,
		     struct err *e)
{
	size_t found = 0;

	for (size_t i = 0; i < order->spec.count; i++) {
		const struct workflow_node *node = &order->spec.nodes[i];

		if (name ? strcmp(node->name, name) == 0 : node->is_end) {
			*number = i;
			found++;
		}
	}
	if (found == 1 && order->spec.nodes[*number].is_end &&
	    workflow_cvm_is(&order->spec.nodes[*number]))
		return err_set(e, ERR_INVALID,
			       "node %s is computed in a CVM: 'workflow result' fetches it from "
			       "there, and what its executor says is none",
			       order->spec.nodes[*number].name);
	if (found == 1 && order->spec.nodes[*number].is_end)
		return 0;
	if (found == 1)
		return err_set(e, ERR_INVALID,
			       "node %s: its output is for the nodes that depend on it alone",
			       log_quote(name).text);
	if (name)
		return err_set(e, ERR_NOT_FOUND, "the workflow has no node %s",
			       log_quote(name).text);
	return err_set(e, ERR_INVALID, "%zu nodes have a result: say which NODE", found);
}

static int check_own(const struct workflow_order *order, const EVP_PKEY *key, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (key_to_spki(key, &spki, &len, e) < 0)
		return err_code(e);
	if (len == order->submitter_len && memcmp(spki, order->submitter, len) == 0)
		return 0;
	return err_set(e, ERR_DENIED, "this workflow was not signed with that key");
}

static int open_output(const struct workflow_order *order, size_t number, const EVP_PKEY *key,
		       const Workflows__Output *said, uint8_t **bytes, size_t *len, struct err *e)
{
	struct workflow_place place = { .node = (uint32_t)number, .attempt = said->attempt };
	struct hpke_key reply CLEANUP_HPKE_KEY = { .secret = { 0 } };

	if (said->number != number || said->executor.len != HPKE_KEY_LEN)
		return err_set(e, ERR_DENIED, "the service shows the output of another node");
	if (!said->attempt || said->attempt > order->spec.nodes[number].retries + 1)
		return err_set(e, ERR_DENIED, "attempt %u: the order allows %u", said->attempt,
			       order->spec.nodes[number].retries + 1);
	memcpy(place.id, order->id, sizeof(place.id));
	if (workflow_reply_key(key, &reply, e) < 0)
		return err_code(e);
	return workflow_output_open(order, &place, said->executor.data, &reply, said->sealed.data,
				    said->sealed.len, bytes, len, e);
}

/* For its owner alone, as results of computations are. */
static int write_result(struct cli *cli, const void *bytes, size_t len, struct err *e)
{
	const char *path = cli_value(cli, "output");

	if (path && strcmp(path, "-") != 0)
		return output_file(cli, path, bytes, len, 0600, e);
	return output_write(cli, path, bytes, len, e);
}

static enum cli_exit decrypt(struct client *client, const struct workflow_order *order,
			     const EVP_PKEY *key, struct err *e)
{
	Workflows__OutputRequest request = WORKFLOWS__OUTPUT_REQUEST__INIT;
	struct cli *cli = client->cli;
	ProtobufCMessage *response;
	uint8_t *bytes = NULL;
	size_t number = 0, len = 0;
	int failed;

	if (check_own(order, key, e) < 0 || find_node(order, cli->operands[1], &number, e) < 0)
		return CLI_USAGE;
	request.id = lent(cli->operands[0]);
	request.node = lent(order->spec.nodes[number].name);
	if (client_call(client, &workflow_get_output, &request.base, &response, e) < 0) {
		computation_hint(client, e);
		return CLI_FAILED;
	}
	failed = open_output(order, number, key, (const Workflows__Output *)response, &bytes, &len,
			     e);
	protobuf_c_message_free_unpacked(response, NULL);
	if (failed) {
		err_record_context(e, "refused, nothing was written");
		return CLI_NOT_GENUINE;
	}
	failed = write_result(cli, bytes, len, e);
	OPENSSL_cleanse(bytes, len);
	free(bytes);
	return failed ? CLI_FAILED : CLI_OK;
}

static enum cli_exit run_decrypt(struct cli *cli, struct err *e)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	Workflows__Workflow *w;
	enum cli_exit status;

	if (!cli_value(cli, "key"))
		return cli_usage(e, "--key is missing: the one that signed the workflow");
	if (workflow_id_check(cli->operands[0], e) < 0 ||
	    private_key_load(cli, cli_value(cli, "key"), &key, e) < 0 ||
	    client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	status = fetch(&client, cli->operands[0], &w, &order, e);
	if (status != CLI_OK)
		return status;
	workflows__workflow__free_unpacked(w, NULL);
	return decrypt(&client, &order, key, e);
}

/* clang-format off */
static const struct cli_option decrypt_options[] = {
	{ .name = "key", .value = "KEYFILE", .help = "your private key that signed the workflow" },
	OUTPUT_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_workflow_decrypt = {
	.name = "workflow decrypt",
	.args = "ID [NODE]",
	.help = "fetch a result of a workflow of yours, verify it and decrypt it here",
	.operands_min = 1,
	.operands_max = 2,
	.options = decrypt_options,
	.run = run_decrypt,
	.more = "NODE is one that no other depends on; it may be left out where there is one only. The result is written\n"
		"only if an executor whose key the order names has sealed it, for this node of this workflow.\n"
		"Exit 3: it has not.",
};
