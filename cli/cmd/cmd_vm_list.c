/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_vm_list.c — which CVMs a manager has, and what becomes of them. */
#include "cli/base/number.h"
#include "cli/base/text.h"
#include "cli/client/client.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/vm_table.h"
#include "manager_paths.h"

#include <string.h>

static const struct rpc_method list_vms = { PROTO_MANAGER_LIST_VMS, RPC_UNARY,
					    &manager__list_vms_req__descriptor,
					    &manager__list_vms_res__descriptor };
static const struct rpc_method get_vm = { PROTO_MANAGER_GET_VM, RPC_UNARY,
					  &manager__get_vm_req__descriptor,
					  &manager__vm__descriptor };
static const struct rpc_method watch_vms = { PROTO_MANAGER_WATCH_VMS, RPC_SERVER_STREAM,
					     &manager__watch_vms_req__descriptor,
					     &manager__vm_change__descriptor };

/* A manager that gives the same page for ever would never let us end. */
enum { PAGES_MAX = 4096 };

static int read_page(struct client *client, const Manager__ListVmsReq *request, struct table *t,
		     char **next, struct err *e)
{
	ProtobufCMessage *response;
	const Manager__ListVmsRes *page;

	if (client_call(client, &list_vms, &request->base, &response, e) < 0)
		return err_code(e);
	page = (const Manager__ListVmsRes *)response;
	for (size_t i = 0; i < page->n_vms; i++)
		vm_row(t, page->vms[i]);
	*next = strdup(page->next);
	protobuf_c_message_free_unpacked(response, NULL);
	return *next ? 0 : err_nomem(e);
}

static int read_pages(struct client *client, Manager__ListVmsReq *request, struct table *t,
		      struct err *e)
{
	CLEANUP(free) char *cursor = NULL;

	for (int pages = 0; pages < PAGES_MAX; pages++) {
		char *next;

		if (read_page(client, request, t, &next, e) < 0)
			return err_code(e);
		free(cursor);
		cursor = request->cursor = next;
		if (!*next)
			return 0;
	}
	return err_set(e, ERR_OUT_OF_RANGE, "the manager's list has more than %d pages", PAGES_MAX);
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct vm_filter_options filter CLEANUP_VM_FILTER = { .states = NULL };
	struct table t CLEANUP_TABLE;
	Manager__ListVmsReq request = MANAGER__LIST_VMS_REQ__INIT;

	table_init(&t, vm_columns);
	if (table_check(cli, e) < 0 || vm_filter_read(cli, true, &filter, e) < 0 ||
	    client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	request.filter = &filter.filter;
	if (read_pages(&client, &request, &t, e) < 0)
		return CLI_FAILED;
	return table_print(&t, cli, "none", e) < 0 ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const char *const states[] = { "creating", "running", "lost", "removing", "exited", NULL };
static const struct cli_option list_options[] = {
	{ .name = "state", .value = "STATE", .times = CLI_MANY, .offers = states,
	  .help = "only creating, running, lost, removing or exited ones (all but exited)" },
	VM_FILTER_OPTIONS,
	TABLE_OPTIONS,
	CLIENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_vm_list = {
	.name = "vm list",
	.common = true,
	.args = "",
	.help = "list the manager's CVMs",
	.options = list_options,
	.run = run_list,
	.more = "Lost ones are those of which libvirt can't be asked whether they run. Of those that are gone, the\n"
		"manager remembers 1024: --state exited lists them, with the reason.",
};

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	Manager__GetVmReq request = MANAGER__GET_VM_REQ__INIT;
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;

	table_init(&t, vm_columns);
	if (table_check(cli, e) < 0 || client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	request.id = (char *)(uintptr_t)cli->operands[0];
	if (client_call(&client, &get_vm, &request.base, &response, e) < 0) {
		if (e->code == ERR_NOT_FOUND)
			cli_hint(cli, "'cocos-cli vm list' lists the CVMs, with --state exited "
				      "those that are gone and remembered");
		return CLI_FAILED;
	}
	vm_row(&t, (const Manager__Vm *)response);
	protobuf_c_message_free_unpacked(response, NULL);
	return table_print_one(&t, cli, e) < 0 ? CLI_FAILED : CLI_OK;
}

const struct command cmd_vm_show = {
	.name = "vm show",
	.common = true,
	.args = "CVM",
	.help = "show a CVM, by its id or name",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, CLIENT_OPTIONS, { .name = NULL } },
	.run = run_show,
};

static int print_change(struct cli *cli, struct table *t, const Manager__VmChange *change,
			struct err *e)
{
	const Manager__Vm *vm = change->vm;

	if (!vm)
		return 0;
	if (cli_flag(cli, "json")) {
		table_clear(t);
		vm_row(t, vm);
		return table_print_line(t, cli->out, e);
	}
	fprintf(cli->out, "%-36s  %-8s  %-11s  %s\n", text_plain(vm->id).text,
		text_plain(vm->state).text,
		*vm->exit_reason ? text_plain(vm->exit_reason).text : "-",
		*vm->name ? text_plain(vm->name).text : "-");
	return fflush(cli->out) == 0 ? 0 : err_errno(e, "standard output");
}

/* `*at` follows, so that one can go on from there. */
static int follow(struct client *client, const Manager__WatchVmsReq *request, uint64_t *at,
		  struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	struct table t CLEANUP_TABLE;

	table_init(&t, vm_columns);
	if (rpc_sync_open(client->channel, &watch_vms, NULL, &sync, e) < 0 ||
	    rpc_sync_send(sync, &request->base, e) < 0)
		return err_code(e);
	for (;;) {
		ProtobufCMessage *message;
		int failed = rpc_sync_receive(sync, &message, e);

		if (failed)
			return failed;
		if (!message)
			return err_set(e, ERR_UNAVAILABLE, "the manager has ended the watch");
		failed = print_change(client->cli, &t, (const Manager__VmChange *)message, e);
		*at = ((const Manager__VmChange *)message)->revision;
		protobuf_c_message_free_unpacked(message, NULL);
		if (failed)
			return failed;
	}
}

static enum cli_exit run_watch(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct vm_filter_options filter CLEANUP_VM_FILTER = { .states = NULL };
	Manager__WatchVmsReq request = MANAGER__WATCH_VMS_REQ__INIT;
	const char *from = cli_value(cli, "revision");
	uint64_t at;

	if (from && !number_decimal(from, &request.revision))
		return cli_usage(e, "--revision: give the number of a change");
	if (vm_filter_read(cli, false, &filter, e) < 0 ||
	    client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	request.filter = &filter.filter;
	at = request.revision;
	(void)!follow(&client, &request, &at, e);
	client_hint(&client, e);
	if (e->code == ERR_OUT_OF_RANGE)
		cli_hint(cli, "without --revision, it begins with every CVM that there is");
	else if (at && e->code == ERR_UNAVAILABLE)
		cli_hint(cli,
			 "'vm watch --revision %llu' goes on, unless the manager was started again",
			 (unsigned long long)at);
	return CLI_FAILED;
}

/* clang-format off */
static const struct cli_option watch_options[] = {
	{ .name = "revision", .value = "NUMBER",
	  .help = "only what changed after it (first every CVM that there is)" },
	VM_FILTER_OPTIONS,
	{ .name = "json", .help = "print a JSON object in each line" },
	CLIENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_vm_watch = {
	.name = "vm watch",
	.args = "",
	.help = "print what becomes of the manager's CVMs, as it happens",
	.options = watch_options,
	.run = run_watch,
	.more = "Each line is a CVM as it is after a change: id, state, reason, name. Changes of one CVM that follow\n"
		"each other quickly may come as one. It goes on until it is interrupted or the manager stops.",
};
