/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_vm.c — confidential VMs, made and removed by a manager. */
#include "cli/base/json_out.h"
#include "cli/base/number.h"
#include "cli/base/table.h"
#include "cli/base/text.h"
#include "cli/client/client.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/vm_reach.h"
#include "cli/cmd/vm_table.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "google/protobuf/empty.pb-c.h"
#include "manager.pb-c.h"
#include "manager_paths.h"

#include <string.h>

enum { CREATE_TIMEOUT_MS = 300000, CERTS_TOKEN_MAX = 1024 };

static const struct rpc_method create_vm = { PROTO_MANAGER_CREATE_VM, RPC_UNARY,
					     &manager__create_req__descriptor,
					     &manager__create_res__descriptor };
static const struct rpc_method remove_vm = { PROTO_MANAGER_REMOVE_VM, RPC_UNARY,
					     &manager__remove_req__descriptor,
					     &google__protobuf__empty__descriptor };
static const struct rpc_method get_vm = { PROTO_MANAGER_GET_VM, RPC_UNARY,
					  &manager__get_vm_req__descriptor,
					  &manager__vm__descriptor };
static const struct rpc_method list_strays = { PROTO_MANAGER_LIST_STRAYS, RPC_UNARY,
					       &manager__list_strays_req__descriptor,
					       &manager__list_strays_res__descriptor };
static const struct rpc_method adopt_stray = { PROTO_MANAGER_ADOPT_STRAY, RPC_UNARY,
					       &manager__adopt_stray_req__descriptor,
					       &manager__create_res__descriptor };

/* The texts of a request, freed together. */
struct inputs {
	char *server_ca, *client_key, *client_crt, *certs_token;
	struct vm_labels labels;
};

static void inputs_done(struct inputs *in)
{
	if (in->client_key)
		explicit_bzero(in->client_key, strlen(in->client_key));
	if (in->certs_token)
		explicit_bzero(in->certs_token, strlen(in->certs_token));
	free(in->certs_token);
	free(in->server_ca);
	free(in->client_key);
	free(in->client_crt);
	vm_labels_done(&in->labels);
}
#define CLEANUP_INPUTS __attribute__((cleanup(inputs_done)))

static int read_into(struct cli *cli, const char *option, char **text, ProtobufCBinaryData *field,
		     struct err *e)
{
	const char *path = cli_value(cli, option);

	if (!path)
		return 0;
	if (file_read_text(path, RPC_TLS_PEM_MAX, text, e) < 0)
		return err_wrap(e, "--%s", option);
	field->data = (uint8_t *)*text;
	field->len = strlen(*text);
	return 0;
}

/* A file's one line. The agent says what is wrong with it; a second line would be another setting of its. */
static int read_certs_token(struct cli *cli, char **text, struct err *e)
{
	const char *path = cli_value(cli, "certs-token");
	size_t len;

	if (!path != !cli_value(cli, "ca-url"))
		return err_set(e, ERR_INVALID, "--ca-url and --certs-token go together");
	if (!path)
		return 0;
	/* As the agent would, after its start. */
	if (cli_value(cli, "client-crt") || cli_value(cli, "client-key") ||
	    !cli_value(cli, "server-ca"))
		return err_set(
			e, ERR_INVALID,
			"--ca-url wants --server-ca, by which the agent knows the authority, and "
			"neither --client-crt nor --client-key");
	if (strncmp(cli_value(cli, "ca-url"), "https://", strlen("https://")) != 0)
		return err_set(e, ERR_INVALID, "--ca-url: %s is not https://HOST[:PORT]",
			       log_quote(cli_value(cli, "ca-url")).text);
	if (file_read_text(path, CERTS_TOKEN_MAX, text, e) < 0)
		return err_wrap(e, "--certs-token");
	len = strcspn(*text, "\r\n");
	if (!len || (*text)[len + strspn(*text + len, "\r\n")])
		return err_set(e, ERR_INVALID, "--certs-token: '%s' is not one line", path);
	(*text)[len] = '\0';
	return 0;
}

static char *text_or_empty(struct cli *cli, const char *option)
{
	const char *value = cli_value(cli, option);

	return (char *)(uintptr_t)(value ? value : "");
}

/* What the CVM is to be made of; whether it may be had, the manager says. */
static int fill_shape(const struct cli *cli, Manager__CreateReq *request, struct err *e)
{
	const char *memory = cli_value(cli, "memory");
	uint64_t cpus = 0;

	if (number_option(cli, "cpus", UINT32_MAX, &cpus, e) < 0)
		return err_code(e);
	if (memory && size_parse(memory, &request->memory, e) < 0)
		return err_wrap(e, "--memory");
	if (cli_value(cli, "cpus") && !cpus)
		return err_set(e, ERR_INVALID, "--cpus: give one or more");
	if (memory && !request->memory)
		return err_set(e, ERR_INVALID, "--memory: give some");
	request->cpus = (uint32_t)cpus;
	return 0;
}

static int fill(struct cli *cli, struct inputs *in, Manager__CreateReq *request, struct err *e)
{
	uint64_t ttl;

	if (vm_reach_check(cli, e) < 0 || fill_shape(cli, request, e) < 0)
		return err_code(e);
	request->tee = text_or_empty(cli, "tee");
	request->image = text_or_empty(cli, "image");
	if (vm_labels_read(cli, &in->labels, e) < 0)
		return err_code(e);
	request->name = text_or_empty(cli, "name");
	request->labels = in->labels.list;
	request->n_labels = in->labels.count;

	request->agent_cvm_server_url = text_or_empty(cli, "server-url");
	request->agent_cvm_ca_url = text_or_empty(cli, "ca-url");
	request->agent_log_level = text_or_empty(cli, "log-level");
	request->ttl = text_or_empty(cli, "ttl");
	if (!*request->agent_cvm_server_url)
		return err_set(e, ERR_INVALID,
			       "--server-url is missing: where does the agent find "
			       "its computation service?");
	if (*request->ttl && duration_parse(request->ttl, &ttl, e) < 0)
		return err_wrap(e, "--ttl");
	if (read_into(cli, "server-ca", &in->server_ca, &request->agent_cvm_server_ca_cert, e) <
		    0 ||
	    read_into(cli, "client-key", &in->client_key, &request->agent_cvm_client_key, e) < 0 ||
	    read_into(cli, "client-crt", &in->client_crt, &request->agent_cvm_client_cert, e) < 0 ||
	    read_certs_token(cli, &in->certs_token, e) < 0)
		return err_code(e);
	if (in->certs_token)
		request->agent_certs_token = in->certs_token;
	return 0;
}

/* `address` is empty where it is not known. */
static int print_vm(struct cli *cli, const Manager__CreateRes *response, const char *address,
		    struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	if (!cli_flag(cli, "json")) {
		fprintf(cli->out, "CVM %s created, its agent on port %s\n",
			text_plain(response->cvm_id).text,
			text_plain(response->forwarded_port).text);
		if (*address)
			fprintf(cli->out, "export AGENT_GRPC_URL=%s\n", address);
		return 0;
	}
	json_out_object(&out, NULL);
	json_out_text(&out, "cvm_id", response->cvm_id);
	json_out_text(&out, "forwarded_port", response->forwarded_port);
	if (*address)
		json_out_text(&out, "agent_grpc_url", address);
	json_out_end(&out);
	return json_out_print(&out, cli->out, e);
}

/* Says how it is reached before anything is waited for. */
static int hand_over(struct client *client, const Manager__CreateRes *created, struct err *e)
{
	struct cli *cli = client->cli;
	char address[REACH_MAX] = "";
	struct err unknown;
	int known = vm_reach_address(client, created, address, &unknown);

	if (print_vm(cli, created, address, e) < 0)
		return err_code(e);
	if (fflush(cli->out) != 0)
		return err_errno(e, "standard output");
	if (known < 0 && (cli_flag(cli, "wait") || cli_value(cli, "save-profile"))) {
		*e = unknown;
		return err_code(e);
	}
	if (vm_reach_save(cli, address, e) < 0)
		return err_code(e);
	return vm_reach_wait(client, created->cvm_id, address, e);
}

static enum cli_exit run_create_vm(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct inputs inputs CLEANUP_INPUTS = { .server_ca = NULL };
	Manager__CreateReq request = MANAGER__CREATE_REQ__INIT;
	const Manager__CreateRes *created;
	ProtobufCMessage *response;
	int failed;

	if (fill(cli, &inputs, &request, e) < 0 ||
	    client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	/* A launch takes its time, the first one after libvirt's start most of all. */
	if (client.timeout_ms < CREATE_TIMEOUT_MS && !cli_value(cli, "grpc-timeout"))
		client.timeout_ms = CREATE_TIMEOUT_MS;
	if (client_call(&client, &create_vm, &request.base, &response, e) < 0) {
		vm_name_options(e);
		return CLI_FAILED;
	}
	created = (const Manager__CreateRes *)response;
	failed = hand_over(&client, created, e);
	/* A lost id is a machine that keeps running. */
	if (failed && e->code != ERR_ABORTED)
		cli_hint(cli, "CVM %s was created and runs; 'cocos-cli remove-vm' removes it",
			 text_plain(created->cvm_id).text);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "server-url", .value = "HOST:PORT",
	  .help = "computation service, as seen from inside the CVM" },
	{ .name = "server-ca", .value = "PEM",
	  .help = "authorities of that service's certificate" },
	{ .name = "client-crt", .value = "PEM",
	  .help = "the agent's certificate for that service" },
	{ .name = "client-key", .value = "PEM", .help = "and its private key" },
	{ .name = "ca-url", .value = "URL",
	  .help = "where the agent gets its certificate itself, in place of --client-crt: https://HOST[:PORT]" },
	{ .name = "certs-token", .value = "FILE",
	  .help = "and what for: a file with the line NAME:TOKEN, of 'certificate token agent NAME'" },
	{ .name = "log-level", .value = "LEVEL", .help = "the agent's" },
	{ .name = "cpus", .value = "N", .help = "as many CPUs (as the manager is set)" },
	{ .name = "memory", .value = "SIZE", .help = "as much memory: 512M, 2G (as the manager is set)" },
	{ .name = "tee", .value = "TEE", .words = vm_tees,
	  .help = "in that and nothing else: snp, tdx, none (as the manager is set)" },
	{ .name = "image", .value = "NAME", .help = "of that image: its name or flavour, as 'base', or as 'vm show' has it" },
	{ .name = "name", .value = "NAME", .help = "call it that: a-z 0-9 - . (63 characters)" },
	{ .name = "label", .value = "KEY=VALUE", .times = CLI_MANY,
	  .help = "say that of it; for 'vm list --label'" },
	{ .name = "ttl", .value = "DURATION", .help = "remove it after: 90m, 1h30m" },
	VM_REACH_OPTIONS,
	CLI_JSON_OPTION,
	CLIENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_create_vm = {
	.name = "create-vm",
	.common = true,
	.args = "",
	.help = "have the manager launch a CVM; prints its id and how its agent is reached",
	.options = options,
	.run = run_create_vm,
	.more = "The last line is for a shell, or --save-profile keeps it: the host that the manager names (of\n"
		"several), or else the manager's, with the port that is forwarded there to the agent.",
};

/* Managers remove by id; ours know who has a name. */
static int remove_it(struct client *client, const char *id_or_name, struct err *e)
{
	Manager__RemoveReq request = MANAGER__REMOVE_REQ__INIT;
	Manager__GetVmReq who = MANAGER__GET_VM_REQ__INIT;
	ProtobufCMessage *response, *vm;
	struct err unknown;
	int failed;

	request.cvm_id = who.id = (char *)(uintptr_t)id_or_name;
	failed = client_call(client, &remove_vm, &request.base, &response, e);
	if (failed && e->code == ERR_NOT_FOUND &&
	    client_call(client, &get_vm, &who.base, &vm, &unknown) == 0) {
		request.cvm_id = ((Manager__Vm *)vm)->id;
		if (strcmp(request.cvm_id, id_or_name) != 0)
			failed = client_call(client, &remove_vm, &request.base, &response, e);
		protobuf_c_message_free_unpacked(vm, NULL);
	}
	if (failed)
		return failed;
	protobuf_c_message_free_unpacked(response, NULL);
	return 0;
}

static enum cli_exit run_remove_vm(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };

	if (client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (remove_it(&client, cli->operands[0], e) < 0) {
		if (e->code == ERR_NOT_FOUND)
			cli_hint(
				cli,
				"'cocos-cli vm list' lists the CVMs, 'vm strays' those without a record");
		return CLI_FAILED;
	}
	fprintf(cli->out, "CVM %s removed\n", cli->operands[0]);
	return CLI_OK;
}

/* The same by the name of its group. */
const struct command cmd_vm_remove = {
	.name = "vm remove",
	.common = true,
	.args = "CVM",
	.help = "remove a CVM, by its id or name; as remove-vm does",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_remove_vm,
};

const struct command cmd_remove_vm = {
	.name = "remove-vm",
	.args = "CVM",
	.help = "have the manager remove a CVM and all that belongs to it",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_remove_vm,
};

/* The quotes that mark a name which is no CVM's are for people. */
static int stray_to_json(struct json_out *out, const Manager__Stray *s, struct err *e)
{
	size_t len = strlen(s->id);
	bool quoted = len >= 2 && s->id[0] == '\'' && s->id[len - 1] == '\'';
	CLEANUP(free) char *id = NULL;

	id = strndup(s->id + quoted, quoted ? len - 2 : len);
	if (!id)
		return err_nomem(e);
	json_out_object(out, NULL);
	json_out_text(out, "id", id);
	json_out_text(out, "domain", s->domain);
	json_out_text(out, "host", s->host);
	json_out_bool(out, "folder", s->folder);
	json_out_bool(out, "secrets", s->secrets);
	json_out_bool(out, "adoptable", s->adoptable);
	json_out_end(out);
	return 0;
}

static const struct table_column stray_columns[] = {
	{ "CVM", "id", false },          { "DOMAIN", "domain", false },
	{ "FOLDER", "folder", false },   { "SECRETS", "secrets", false },
	{ "ADOPT", "adoptable", false }, { "HOST", "host", false },
	{ NULL, NULL, false },
};

static int stray_row(struct table *t, const Manager__Stray *s, struct err *e)
{
	struct json_out object CLEANUP_JSON_OUT;

	table_text(t, s->id);
	table_text(t, *s->domain ? s->domain : "(does not run)");
	table_text(t, s->folder ? "folder" : "");
	table_text(t, s->secrets ? "secrets" : "");
	table_text(t, s->adoptable ? "adoptable" : "");
	table_text(t, s->host);
	json_out_init(&object);
	if (stray_to_json(&object, s, e) < 0)
		return err_code(e);
	table_object(t, &object);
	return 0;
}

/* A manager that gives pages for ever would never let us end. */
enum { STRAY_PAGES_MAX = 4096 };

/* One page; where the next one begins goes to `next`, malloc'ed. */
static int read_strays(struct client *client, const char *cursor, struct table *t, char **next,
		       struct err *e)
{
	Manager__ListStraysReq request = MANAGER__LIST_STRAYS_REQ__INIT;
	const Manager__ListStraysRes *page;
	ProtobufCMessage *response;
	int failed = 0;

	request.cursor = (char *)(uintptr_t)cursor;
	if (client_call(client, &list_strays, &request.base, &response, e) < 0)
		return err_code(e);
	page = (const Manager__ListStraysRes *)response;
	for (size_t i = 0; !failed && i < page->n_strays; i++)
		failed = stray_row(t, page->strays[i], e);
	for (size_t i = 0; !failed && !*page->next && i < page->n_over; i++)
		fprintf(stderr,
			"note: %s%s has more of them than are listed: the rest follow when some are "
			"removed\n",
			*page->over[i] ? "host " : "the host", text_plain(page->over[i]).text);
	*next = failed ? NULL : strdup(page->next);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed || *next ? failed : err_nomem(e);
}

static int read_all_strays(struct client *client, struct table *t, struct err *e)
{
	CLEANUP(free) char *cursor = strdup("");

	for (int pages = 0; cursor && pages < STRAY_PAGES_MAX; pages++) {
		char *next;

		if (read_strays(client, cursor, t, &next, e) < 0)
			return err_code(e);
		free(cursor);
		cursor = next;
		if (!*cursor)
			return 0;
	}
	return cursor ? err_set(e, ERR_OUT_OF_RANGE, "the manager's list has more than %d pages",
				STRAY_PAGES_MAX)
		      : err_nomem(e);
}

static enum cli_exit run_vm_strays(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct table t CLEANUP_TABLE;

	table_init(&t, stray_columns);
	if (table_check(cli, e) < 0 || client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (read_all_strays(&client, &t, e) < 0 ||
	    table_print(&t, cli, "none: everything of this manager has its record", e) < 0)
		return CLI_FAILED;
	return CLI_OK;
}

const struct command cmd_vm_strays = {
	.name = "vm strays",
	.args = "",
	.help = "list what is the manager's and has no record",
	.options = (const struct cli_option[]){ TABLE_OPTIONS, CLIENT_OPTIONS, { .name = NULL } },
	.run = run_vm_strays,
	.more = "A registry that was lost, or is from a backup, does not know every machine and folder of its\n"
		"manager. They are left alone until somebody says what to do: 'vm adopt' records such a CVM\n"
		"again, if it is adoptable (it runs, and its folder says what it was made of); 'remove-vm'\n"
		"removes it. What is listed in quotes is no CVM's: look at it yourself.",
};

static enum cli_exit run_vm_adopt(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	Manager__AdoptStrayReq request = MANAGER__ADOPT_STRAY_REQ__INIT;
	const Manager__CreateRes *adopted;
	ProtobufCMessage *response;

	if (client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	request.id = (char *)(uintptr_t)cli->operands[0];
	if (client_call(&client, &adopt_stray, &request.base, &response, e) < 0) {
		if (e->code == ERR_NOT_FOUND)
			cli_hint(cli, "'cocos-cli vm strays' lists what can be adopted");
		return CLI_FAILED;
	}
	adopted = (const Manager__CreateRes *)response;
	fprintf(cli->out, "CVM %s adopted, its agent on port %s\n",
		text_plain(adopted->cvm_id).text, text_plain(adopted->forwarded_port).text);
	protobuf_c_message_free_unpacked(response, NULL);
	return CLI_OK;
}

const struct command cmd_vm_adopt = {
	.name = "vm adopt",
	.args = "CVM",
	.help = "have the manager record a stray CVM again",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_vm_adopt,
	.more = "The CVM has to run, and its folder has to say what it was made of: 'vm strays' calls it\n"
		"adoptable. It goes on as it is, with its port; from then on the manager watches it and\n"
		"'remove-vm' removes it, as any other.",
};
