/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_executor.c — who runs nodes of workflows at home, and those that the computation service knows. */
#include "cli/base/number.h"
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "cli/client/people_client.h"
#include "cli/client/workflow_client.h"
#include "cli/cmd/commands.h"
#include "cli/evidence/evidence_options.h"
#include "cli/executor/executor.h"
#include "cli/executor/executor_cvm_rules.h"
#include "cli/executor/executor_key.h"
#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

/* ---- key ---- */

static enum cli_exit run_key(struct cli *cli, struct err *e)
{
	struct hpke_key key CLEANUP_HPKE_KEY = { .secret = { 0 } };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *signer = NULL;
	char hex[2 * HPKE_KEY_LEN + 1];
	int failed;

	failed = executor_key_make(cli->operands[0], &key, e);
	if (err_is(failed, ERR_EXISTS))
		failed = executor_key_load(cli, cli->operands[0], &key, e);
	if (failed ||
	    (cli_flag(cli, "signing") && executor_key_signer(&key, &signer, key.public, e) < 0))
		return CLI_FAILED;
	hex_encode(key.public, sizeof(key.public), hex);
	fprintf(cli->out, "%s\n", hex);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option key_options[] = {
	{ .name = "signing", .help = "the Ed25519 key instead, which the same file holds: agents in CVMs know the executor by it" },
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_executor_key = {
	.name = "executor key",
	.args = "FILE",
	.help = "print the public key of an executor; make the pair if the file is not there",
	.operands_min = 1,
	.operands_max = 1,
	.options = key_options,
	.run = run_key,
	.more = "An X25519 key in PEM, for its owner alone to read. Who submits workflows names the public key in\n"
		"'workflow submit --executor TYPE=KEY': hand it over by a way that the service can't change.\n"
		"Beside a node that is computed in a CVM, orders name the key of --signing, too.",
};

/* ---- run ---- */

static int read_rules(struct cli *cli, struct executor_rules *rules, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *signer = NULL;
	const char *text;

	rules->type = cli_value(cli, "type");
	for (size_t i = 0; (text = cli_value_at(cli, "program", i)); i++)
		if (executor_rules_allow(rules, text, e) < 0)
			return err_code(e);
	for (size_t i = 0; (text = cli_value_at(cli, "submitter", i)); i++)
		if (executor_rules_trust(rules, text, e) < 0)
			return err_code(e);
	for (size_t i = 0; (text = cli_value_at(cli, "recipient", i)); i++)
		if (executor_rules_hand_to(rules, text, e) < 0)
			return err_code(e);
	for (size_t i = 0; (text = cli_value_at(cli, "algorithm", i)); i++)
		if (executor_rules_allow_algorithm(rules, text, e) < 0)
			return err_code(e);
	for (size_t i = 0; (text = cli_value_at(cli, "requirements", i)); i++)
		if (executor_rules_allow_requirements(rules, text, e) < 0)
			return err_code(e);
	for (size_t i = 0; (text = cli_value_at(cli, "policy", i)); i++)
		if (executor_rules_allow_policy(rules, text, e) < 0)
			return err_code(e);
	if (executor_cvm_rules_check(rules, e) < 0 ||
	    executor_key_signer(&rules->key, &signer, rules->signer, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < rules->function_count; i++)
		if (access(rules->functions[i].path, X_OK) < 0)
			return err_errno(e, "program of %s: '%s'", rules->functions[i].name,
					 rules->functions[i].path);
	return 0;
}

/* $XDG_STATE_HOME/cocos/executor, or below ~/.local/state; the file has the key's name. */
static int state_of(const struct hpke_key *key, char **path, struct err *e)
{
	const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");
	CLEANUP(free) char *folder = NULL;
	char hex[2 * HPKE_KEY_LEN + 1];

	if (state && *state == '/') {
		if (text_format(&folder, e, "%s/cocos/executor", state) < 0)
			return err_code(e);
	} else if (home && *home == '/') {
		if (text_format(&folder, e, "%s/.local/state/cocos/executor", home) < 0)
			return err_code(e);
	} else {
		return err_set(
			e, ERR_INVALID,
			"no place to keep which nodes were begun: --state FILE, or set HOME");
	}
	hex_encode(key->public, sizeof(key->public), hex);
	if (dir_make(folder, 0700, e) < 0)
		return err_code(e);
	return text_format(path, e, "%s/%s", folder, hex);
}

static enum cli_exit open_executor(struct cli *cli, struct executor *x, struct err *e)
{
	const char *state = cli_value(cli, "state");
	CLEANUP(free) char *own = NULL;

	if (executor_key_load(cli, cli_value(cli, "key"), &x->rules.key, e) < 0 ||
	    read_rules(cli, &x->rules, e) < 0 || (!state && state_of(&x->rules.key, &own, e) < 0))
		return CLI_USAGE;
	if (executor_ran_open(state ? state : own, clock_ms(CLOCK_REALTIME), &x->ran, e) == 0)
		return CLI_OK;
	if (e->code == ERR_EXISTS)
		cli_hint(cli, "one key is for one executor at a time");
	if (e->code == ERR_DATA_LOSS)
		cli_hint(cli,
			 "put that file aside, and take another key: what was begun with this one "
			 "is not known any more");
	return CLI_FAILED;
}

/* Absolute: a program, which is elsewhere, has it in HOME and TMPDIR. */
static char *folder_of(struct cli *cli, struct err *e)
{
	const char *given = cli_value(cli, "folder"), *temporary = getenv("TMPDIR");
	char *path;

	if (!given)
		given = temporary && *temporary ? temporary : "/tmp";
	path = realpath(given, NULL);
	if (!path)
		err_errno(e, "folder '%s'", given);
	return path;
}

static enum cli_exit run_run(struct cli *cli, struct err *e)
{
	CLEANUP(free) char *within = NULL; /* longer than the executor, to which it is lent */
	struct executor x CLEANUP_EXECUTOR = {
		.cli = cli, .ran = { .fd = -1 }, .send = &cmd_data, .fetch = &cmd_result
	};
	static const char *const needed[] = { "type", "key", "program", "submitter" };
	enum cli_exit status;

	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!cli_value(cli, needed[i]))
			return cli_usage(e, "--%s is missing", needed[i]);
	if (workflow_name_check(cli_value(cli, "type"), "--type", e) < 0)
		return CLI_USAGE;
	x.workspace = cli_value(cli, "workspace");
	x.once = cli_flag(cli, "once");
	within = folder_of(cli, e);
	if (!within)
		return CLI_USAGE;
	x.within = within;
	/* No core, and nobody of this account looks into it: keys and inputs are in here. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	status = open_executor(cli, &x, e);
	return status == CLI_OK ? executor_work(&x, e) : status;
}

/* clang-format off */
#define WORKSPACE_OPTION \
	{ .name = "workspace", .value = "NAME", .help = "that it is in (your only one, or 'default')" }

static const struct cli_option run_options[] = {
	{ .name = "type", .value = "TYPE", .help = "its executortype, as specs name it" },
	{ .name = "key", .value = "FILE", .help = "its own key, of 'executor key FILE'" },
	{ .name = "program", .value = "FUNCTION=PATH", .times = CLI_MANY,
	  .help = "a function that it runs, and the program for it; no other one is run" },
	{ .name = "submitter", .value = "FINGERPRINT", .times = CLI_MANY,
	  .help = "whose workflows it runs: of a key ('key fingerprint'); nobody else's" },
	{ .name = "recipient", .value = "KEY", .times = CLI_MANY,
	  .help = "whom outputs may be for: a next executor's key, nobody else's (whom the order names)" },
	{ .name = "algorithm", .value = "DIGEST", .times = CLI_MANY,
	  .help = "outputs go into CVMs that run this, SHA3-256, and to --recipient alone (wherever the order says)" },
	{ .name = "requirements", .value = "DIGEST", .times = CLI_MANY,
	  .help = "with these, SHA3-256, where the algorithm is Python: they are code, too" },
	{ .name = "policy", .value = "DIGEST", .times = CLI_MANY,
	  .help = "and that prove themselves by this policy, SHA3-256 of its file (that of the order)" },
	{ .name = "once", .help = "one node, then end: 0 if its output was handed on, else 1" },
	{ .name = "state", .value = "FILE",
	  .help = "which nodes were begun, none of them twice (~/.local/state/cocos/executor/KEY)" },
	{ .name = "folder", .value = "DIR", .help = "where nodes get their folders (TMPDIR, or /tmp)" },
	WORKSPACE_OPTION,
	EVIDENCE_ROOT_OPTIONS,
	{ .name = "ek_root", .value = "FILE",
	  .help = "a root of EK certificates: the TPM of a CVM has to show that it has such an EK", .rare = true },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_executor_run = {
	.name = "executor run",
	.args = "",
	.help = "take nodes of workflows and run them here, until it is stopped",
	.options = run_options,
	.run = run_run,
	.more = "Before it runs a node it verifies the order: signed by a submitter's key that you name, for its own key, a\n"
		"function that you name, not begun before, inputs from executors that the order names. The service can\n"
		"have nothing else run.\n"
		"A program is called as PATH FUNCTION, never by a shell, in a fresh folder with kwargs.json and\n"
		"inputs/NODENAME; its output is what it writes to standard output, 1 MiB at most, sealed for the next\n"
		"executors' keys or the submitter's. When its time (maxexectime) is over, when the workflow is cancelled,\n"
		"and when it ends, all of its processes are killed. It has an environment of its own; standard error is\n"
		"ours, and the submitter is told its exit status and no more.\n"
		"An output that a node in a CVM is to have (executortype cvm) goes to the agent there over attested TLS, once it has\n"
		"proven itself by the order's policy, and over the very manifest that follows from the order; the service gets its\n"
		"digest. For such a node of its own the program finds manifest.json, policy.json and key.pem as well: it starts the\n"
		"CVM and sends the algorithm. What such a node has computed is fetched from the agent in the same way for a node that\n"
		"depends on it, into the folder inputs/NODENAME. Beside --recipient, --algorithm and --policy have to be given for\n"
		"CVMs; where these are given, outputs go nowhere else but to --recipient.\n"
		"SIGTERM ends what runs and gives the node back. While the service is away it asks again.",
};

/* ---- list, remove ---- */

static const struct table_column columns[] = {
	{ "NUMBER", "number", false },  { "TYPE", "type", false }, { "USER", "user", false },
	{ "KEY", "key", false },        { "SEEN", "seen", false }, { "PROVEN", "proven", true },
	{ "CREATED", "created", true }, { NULL, NULL, false },
};

static void add_row(struct table *t, const Workflows__Executor *x)
{
	char hex[2 * HPKE_KEY_LEN + 1] = "";

	if (x->key.len == HPKE_KEY_LEN)
		hex_encode(x->key.data, x->key.len, hex);
	table_number(t, x->number, NULL);
	table_text(t, x->type);
	table_text(t, x->user);
	table_text(t, hex);
	table_moment(t, people_ms(x->seen));
	table_text(t, x->is_proven ? "yes" : "no");
	table_moment(t, people_ms(x->created));
}

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const Workflows__ListExecutorsResponse *page =
		(const Workflows__ListExecutorsResponse *)message;

	for (size_t i = 0; i < page->n_executors; i++)
		add_row(t, page->executors[i]);
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &workflow_list_executors, columns, rows, NULL };

	return listing_print(cli, &listing, e);
}

const struct command cmd_executor_list = {
	.name = "executor list",
	.args = "",
	.help = "list the executors of a workspace, with their keys",
	.options =
		(const struct cli_option[]){
			WORKSPACE_OPTION, TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_list,
	.more = "The service could show other keys than the executors': ask their owners before you name one in\n"
		"'workflow submit --executor'.",
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	Workflows__RemoveExecutorRequest request = WORKFLOWS__REMOVE_EXECUTOR_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	if (number_text(cli->operands[0], UINT64_MAX, &request.number, e) < 0)
		return CLI_USAGE;
	status = computation_call(cli, &workflow_remove_executor, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "executor %s removed\n", cli->operands[0]);
	return CLI_OK;
}

const struct command cmd_executor_remove = {
	.name = "executor remove",
	.args = "NUMBER",
	.help = "forget an executor of yours; a node that it has goes to another",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_remove,
};
