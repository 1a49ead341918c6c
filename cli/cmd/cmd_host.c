/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_host.c — the hosts that a manager launches CVMs on, for its operators. */
#include "cli/base/table.h"
#include "cli/client/client.h"
#include "cli/client/listing.h"
#include "cli/cmd/commands.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "google/protobuf/empty.pb-c.h"
#include "manager.pb-c.h"
#include "manager_paths.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 1024 }; /* more than a line of MANAGER_HOSTS may have */

static const struct rpc_method list_hosts = { PROTO_MANAGER_LIST_HOSTS, RPC_UNARY,
					      &manager__list_hosts_req__descriptor,
					      &manager__list_hosts_res__descriptor };
static const struct rpc_method add_host = { PROTO_MANAGER_ADD_HOST, RPC_UNARY,
					    &manager__add_host_req__descriptor,
					    &google__protobuf__empty__descriptor };
static const struct rpc_method drain_host = { PROTO_MANAGER_DRAIN_HOST, RPC_UNARY,
					      &manager__drain_host_req__descriptor,
					      &google__protobuf__empty__descriptor };
static const struct rpc_method undrain_host = { PROTO_MANAGER_UNDRAIN_HOST, RPC_UNARY,
						&manager__undrain_host_req__descriptor,
						&google__protobuf__empty__descriptor };
static const struct rpc_method remove_host = { PROTO_MANAGER_REMOVE_HOST, RPC_UNARY,
					       &manager__remove_host_req__descriptor,
					       &manager__remove_host_res__descriptor };

static const struct table_column columns[] = {
	{ "NAME", "name", false },
	{ "STATE", "state", false },
	{ "DRAINING", "draining", false },
	{ "TEES", "tees", false },
	{ "CVMS", "cvms", false },
	{ "CPUS", "cpus_used", false },
	{ "MEMORY", "memory_used", false },
	{ "PROBLEM", "problem", false },
	{ "MANAGER", "manager", true },
	{ "STRAYS", "strays", true },
	{ "CVMS-MAX", "cvms_max", true },
	{ "CPUS-MAX", "cpus", true },
	{ "MEMORY-MAX", "memory", true },
	{ "ADDRESS", "address", true },
	{ "FROM", "from", true },
	{ "URI", "uri", true },
	{ NULL, NULL, false },
};

static void memory_cell(struct table *t, uint64_t bytes)
{
	char shown[32];

	snprintf(shown, sizeof(shown), "%llu MiB", (unsigned long long)(bytes >> 20));
	table_number(t, bytes, shown);
}

/* "3 of 64", or "3" where there is no limit. */
static void of_cell(struct table *t, uint64_t used, uint64_t all, unsigned shift, const char *unit)
{
	char shown[64];
	int len = snprintf(shown, sizeof(shown), "%llu", (unsigned long long)(used >> shift));

	if (all)
		len += snprintf(shown + len, sizeof(shown) - (size_t)len, " of %llu",
				(unsigned long long)(all >> shift));
	snprintf(shown + len, sizeof(shown) - (size_t)len, "%s", unit);
	table_number(t, used, shown);
}

static void tees_cell(struct table *t, const Manager__Host *host)
{
	struct writer w CLEANUP_WRITER = writer_up_to(WORDS_MAX);

	for (size_t i = 0; i < host->n_tees; i++)
		writer_printf(&w, "%s%s", i ? "," : "", host->tees[i]);
	writer_u8(&w, 0);
	t->failed |= w.bad;
	table_text(t, w.bad ? "" : (const char *)w.bytes);
}

static void add_row(struct table *t, const Manager__Host *host)
{
	table_text(t, host->name);
	table_text(t, host->state);
	table_text(t, host->draining ? "draining" : "");
	tees_cell(t, host);
	table_number(t, host->cvms, NULL);
	of_cell(t, host->cpus_used, host->cpus, 0, "");
	of_cell(t, host->memory_used, host->memory, 20, " MiB");
	table_text(t, host->problem);
	table_text(t, host->manager);
	table_number(t, host->strays, NULL);
	table_number(t, host->cvms_max, NULL);
	table_number(t, host->cpus, NULL);
	memory_cell(t, host->memory);
	table_text(t, host->address);
	table_text(t, host->added ? "host add" : "settings");
	table_text(t, host->uri);
}

/* That host's row; NULL: all of them. `nameless`: it is the manager's only one, which no table names. */
static enum cli_exit read_rows(struct cli *cli, struct table *t, const char *name, bool *nameless,
			       struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	Manager__ListHostsReq request = MANAGER__LIST_HOSTS_REQ__INIT;
	const Manager__ListHostsRes *hosts;
	ProtobufCMessage *response;

	if (table_check(cli, e) < 0 || client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (client_call(&client, &list_hosts, &request.base, &response, e) < 0)
		return CLI_FAILED;
	hosts = (const Manager__ListHostsRes *)response;
	for (size_t i = 0; i < hosts->n_hosts; i++)
		if (!name || strcmp(hosts->hosts[i]->name, name) == 0)
			add_row(t, hosts->hosts[i]);
	*nameless = hosts->n_hosts == 1 && !*hosts->hosts[0]->name;
	protobuf_c_message_free_unpacked(response, NULL);
	return CLI_OK;
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	struct table t CLEANUP_TABLE;
	bool nameless = false;
	enum cli_exit exit;

	table_init(&t, columns);
	exit = read_rows(cli, &t, NULL, &nameless, e);
	if (exit != CLI_OK)
		return exit;
	if (nameless && listing_is_for_people(cli))
		fputs("note: the manager's only host has no name: 'host show' shows it; one that is "
		      "to be drained needs a line in MANAGER_HOSTS\n",
		      stderr);
	return table_print(&t, cli, "none", e) < 0 ? CLI_FAILED : CLI_OK;
}

const struct command cmd_host_list = {
	.name = "host list",
	.args = "",
	.help = "list the hosts that a manager launches CVMs on",
	.options = (const struct cli_option[]){ TABLE_OPTIONS, CLIENT_OPTIONS, { .name = NULL } },
	.run = run_list,
	.more = "A host is connected, connecting (it has not been there yet) or lost: it can't be reached, its CVMs run on, and\n"
		"it is tried again and again. Nothing new is launched on one that is draining. CPUS and MEMORY are what its\n"
		"CVMs have, machines without a record counted, and of how much.",
};

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	const char *name = cli->operands[0];
	struct table t CLEANUP_TABLE;
	bool nameless = false;
	enum cli_exit exit;

	table_init(&t, columns);
	exit = read_rows(cli, &t, name, &nameless, e);
	if (exit != CLI_OK)
		return exit;
	if (t.count > t.width)
		return cli_usage(e, "there are %zu hosts: give the NAME of one ('host list')",
				 t.count / t.width);
	if (t.count == 0) {
		err_set(e, ERR_NOT_FOUND, "no host%s%s", name ? " " : "",
			name ? log_quote(name).text : "");
		cli_hint(cli, "'cocos-cli host list' lists the hosts");
		return CLI_FAILED;
	}
	return table_print_one(&t, cli, e) < 0 ? CLI_FAILED : CLI_OK;
}

const struct command cmd_host_show = {
	.name = "host show",
	.args = "[NAME]",
	.help = "show one of them, or the only one, with all that is known",
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, CLIENT_OPTIONS, { .name = NULL } },
	.run = run_show,
};

static int ask(struct cli *cli, const struct rpc_method *method, const ProtobufCMessage *request,
	       ProtobufCMessage **response, enum cli_exit *exit, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };

	*exit = CLI_USAGE;
	if (client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return err_code(e);
	*exit = CLI_FAILED;
	return client_call(&client, method, request, response, e);
}

/* What has no answer but that it was done. */
static enum cli_exit act(struct cli *cli, const struct rpc_method *method,
			 const ProtobufCMessage *request, const char *said, struct err *e)
{
	ProtobufCMessage *response;
	enum cli_exit exit;

	if (ask(cli, method, request, &response, &exit, e) < 0)
		return exit;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "host %s %s\n", cli->operands[0], said);
	return CLI_OK;
}

static enum cli_exit run_add(struct cli *cli, struct err *e)
{
	struct writer w CLEANUP_WRITER = writer_up_to(WORDS_MAX);
	Manager__AddHostReq request = MANAGER__ADD_HOST_REQ__INIT;

	for (size_t i = 2; cli->operands[i]; i++)
		writer_printf(&w, "%s%s", i > 2 ? " " : "", cli->operands[i]);
	writer_u8(&w, 0);
	if (w.bad) {
		err_set(e, ERR_INVALID, "what is said of the host has more than %d characters",
			WORDS_MAX - 1);
		return CLI_USAGE;
	}
	request.name = (char *)(uintptr_t)cli->operands[0];
	request.uri = (char *)(uintptr_t)cli->operands[1];
	request.words = (char *)w.bytes;
	return act(cli, &add_host, &request.base, "added: 'host list' says whether it is connected",
		   e);
}

const struct command cmd_host_add = {
	.name = "host add",
	.args = "NAME URI KEY=VALUE...",
	.help = "launch CVMs on that host, too",
	.operands_min = 3,
	.operands_max = CLI_ANY,
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_add,
	.more = "As a line of MANAGER_HOSTS has it: tees= of none, snp and tdx, address= where its agents are reached, and\n"
		"cpus=, memory=, machines=, pool=, state=draining. It stays until it is removed, also when the manager starts anew.",
};

static enum cli_exit run_drain(struct cli *cli, struct err *e)
{
	Manager__DrainHostReq request = MANAGER__DRAIN_HOST_REQ__INIT;

	request.name = (char *)(uintptr_t)cli->operands[0];
	return act(cli, &drain_host, &request.base, "drains", e);
}

const struct command cmd_host_drain = {
	.name = "host drain",
	.args = "NAME",
	.help = "launch nothing new on that host; what is there stays",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_drain,
	.more = "Until 'host undrain', also when the manager starts anew.",
};

static enum cli_exit run_undrain(struct cli *cli, struct err *e)
{
	Manager__UndrainHostReq request = MANAGER__UNDRAIN_HOST_REQ__INIT;

	request.name = (char *)(uintptr_t)cli->operands[0];
	return act(cli, &undrain_host, &request.base, "takes new CVMs again", e);
}

const struct command cmd_host_undrain = {
	.name = "host undrain",
	.args = "NAME",
	.help = "launch CVMs on that host again",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_undrain,
};

static void tell_names(struct cli *cli, const char *what, uint32_t count, char *const *names,
		       size_t listed)
{
	for (size_t i = 0; i < listed; i++)
		fprintf(cli->out, "  %s %s stays there\n", what, log_quote(names[i]).text);
	if (count > listed)
		fprintf(cli->out, "  and %zu more\n", count - listed);
}

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	Manager__RemoveHostReq request = MANAGER__REMOVE_HOST_REQ__INIT;
	const Manager__RemoveHostRes *left;
	ProtobufCMessage *response;
	enum cli_exit exit;

	request.name = (char *)(uintptr_t)cli->operands[0];
	if (ask(cli, &remove_host, &request.base, &response, &exit, e) < 0)
		return exit;
	left = (const Manager__RemoveHostRes *)response;
	fprintf(cli->out, "host %s removed%s\n", cli->operands[0],
		left->asked ? "" : ": what stays there is not known, for it could not be asked");
	tell_names(cli, "machine", left->strays, left->stray_ids, left->n_stray_ids);
	tell_names(cli, "volume", left->volumes, left->volume_names, left->n_volume_names);
	protobuf_c_message_free_unpacked(response, NULL);
	return CLI_OK;
}

const struct command cmd_host_remove = {
	.name = "host remove",
	.args = "NAME",
	.help = "have nothing to do any more with a host that was added",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_remove,
	.more = "It must have no CVMs: drain it, and remove them first. Machines without a record and boot configurations that stay\n"
		"there are told. A host of MANAGER_HOSTS is removed there.",
};
