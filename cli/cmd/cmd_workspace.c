/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_workspace.c — workspaces of the computation service. Their members: cmd_workspace_member.c. */
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "cli/client/people_client.h"
#include "cli/cmd/commands.h"

static const struct table_column columns[] = {
	{ "NAME", "name", false },       { "ROLE", "role", false },
	{ "MEMBERS", "members", false }, { "COMPUTATIONS", "computations", false },
	{ "CREATED", "created", true },  { NULL, NULL, false },
};

static void add_row(struct table *t, const People__Workspace *w)
{
	table_text(t, w->name);
	table_text(t, w->role);
	table_number(t, w->members, NULL);
	table_number(t, w->computations, NULL);
	table_moment(t, people_ms(w->created));
}

/* One call about the workspace of the command line, and a line about it. */
static enum cli_exit change(struct cli *cli, const struct rpc_method *method,
			    const ProtobufCMessage *request, const char *done, struct err *e)
{
	ProtobufCMessage *response;
	enum cli_exit status = computation_call(cli, method, request, &response, e);

	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "workspace %s%s\n", cli->operands[0], done);
	return CLI_OK;
}

static People__WorkspaceRequest request_of(const struct cli *cli)
{
	People__WorkspaceRequest request = PEOPLE__WORKSPACE_REQUEST__INIT;

	request.name = (char *)(uintptr_t)cli->operands[0];
	return request;
}

static enum cli_exit run_add(struct cli *cli, struct err *e)
{
	const People__WorkspaceRequest request = request_of(cli);

	return change(cli, &people_add_workspace, &request.base, " added", e);
}

const struct command cmd_workspace_add = {
	.name = "workspace add",
	.args = "NAME",
	.help = "add a workspace to the computation service, for its administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_add,
	.more = "Each computation is in one workspace, and who is no member there does not even see that it is\n"
		"there. Names have at most 63 of a-z 0-9 . _ @ + - with a letter or digit first. Whoever adds one\n"
		"with a token is its administrator; 'workspace member add' makes others members.",
};

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const People__ListWorkspacesResponse *page =
		(const People__ListWorkspacesResponse *)message;

	for (size_t i = 0; i < page->n_workspaces; i++)
		add_row(t, page->workspaces[i]);
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &people_list_workspaces, columns, rows, NULL };

	return listing_print(cli, &listing, e);
}

const struct command cmd_workspace_list = {
	.name = "workspace list",
	.args = "",
	.help = "list the workspaces that you are in, and your role there",
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_list,
	.more = "Who administers the service sees all of them.",
};

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	const People__WorkspaceRequest request = request_of(cli);
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns);
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	status = computation_call(cli, &people_show_workspace, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	add_row(&t, (const People__Workspace *)response);
	protobuf_c_message_free_unpacked(response, NULL);
	return table_print_one(&t, cli, e) < 0 ? CLI_FAILED : CLI_OK;
}

const struct command cmd_workspace_show = {
	.name = "workspace show",
	.args = "NAME",
	.help = "show one workspace",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_show,
};

static enum cli_exit run_rename(struct cli *cli, struct err *e)
{
	People__RenameWorkspaceRequest request = PEOPLE__RENAME_WORKSPACE_REQUEST__INIT;

	request.name = (char *)(uintptr_t)cli->operands[0];
	request.to = (char *)(uintptr_t)cli->operands[1];
	return change(cli, &people_rename_workspace, &request.base, " renamed", e);
}

const struct command cmd_workspace_rename = {
	.name = "workspace rename",
	.args = "NAME NEW-NAME",
	.help = "give a workspace another name, for its administrators",
	.operands_min = 2,
	.operands_max = 2,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_rename,
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	const People__WorkspaceRequest request = request_of(cli);

	return change(cli, &people_remove_workspace, &request.base, " removed", e);
}

const struct command cmd_workspace_remove = {
	.name = "workspace remove",
	.args = "NAME",
	.help = "remove a workspace without computations, for its administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_remove,
	.more = "Refused while computations are in it, and of the last workspace. Its members stay users.",
};

static enum cli_exit run_leave(struct cli *cli, struct err *e)
{
	const People__WorkspaceRequest request = request_of(cli);

	return change(cli, &people_leave_workspace, &request.base, " left", e);
}

const struct command cmd_workspace_leave = {
	.name = "workspace leave",
	.args = "NAME",
	.help = "be no member of a workspace any more",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_leave,
	.more = "You lose your roles in its computations. Refused while one of them has no other owner, or the\n"
		"workspace no other administrator.",
};
