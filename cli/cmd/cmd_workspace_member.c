/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_workspace_member.c — who is in a workspace of the computation service, and as what. */
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "cli/client/people_client.h"
#include "cli/cmd/commands.h"

#include <stdlib.h>
#include <string.h>

static const char *const roles[] = { "administrator", "member", "viewer", NULL };

static const struct table_column columns[] = {
	{ "USER", "user", false },    { "ROLE", "role", false },      { "STATE", "state", false },
	{ "JOINED", "joined", true }, { "CHANGED", "changed", true }, { NULL, NULL, false },
};

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const People__ListMembersResponse *page = (const People__ListMembersResponse *)message;

	for (size_t i = 0; i < page->n_members; i++) {
		const People__WorkspaceMember *member = page->members[i];

		table_text(t, member->user);
		table_text(t, member->role);
		table_text(t, member->suspended ? "suspended" : "active");
		table_moment(t, people_ms(member->joined));
		table_moment(t, people_ms(member->changed));
	}
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &people_list_members, columns, rows, "workspace" };

	return listing_print(cli, &listing, e);
}

/* clang-format off */
static const char *const orders[] = { "name", "role", "created", "changed",
				      "-name", "-role", "-created", "-changed", NULL };
static const struct cli_option list_options[] = {
	{ .name = "sort", .value = "ORDER", .offers = orders,
	  .help = "name, role, created (joined) or changed; with a '-' in front the greatest first" },
	{ .name = "search", .value = "TEXT", .help = "those with this in name or role" },
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_workspace_member_list = {
	.name = "workspace member list",
	.args = "WORKSPACE",
	.help = "list who is in a workspace, and as what, by name unless --sort says otherwise",
	.operands_min = 1,
	.operands_max = 1,
	.options = list_options,
	.run = run_list,
};

/* WORKSPACE USER [ROLE] */
static People__WorkspaceMemberRequest request_of(const struct cli *cli)
{
	People__WorkspaceMemberRequest request = PEOPLE__WORKSPACE_MEMBER_REQUEST__INIT;

	request.workspace = (char *)(uintptr_t)cli->operands[0];
	request.user = (char *)(uintptr_t)cli->operands[1];
	if (cli->operand_count == 3)
		request.role = (char *)(uintptr_t)cli->operands[2];
	return request;
}

/* One call; says what that user is then. */
static enum cli_exit change(struct cli *cli, const struct rpc_method *method,
			    const People__WorkspaceMemberRequest *request, struct err *e)
{
	const People__WorkspaceMember *m;
	ProtobufCMessage *response;
	enum cli_exit status = computation_call(cli, method, &request->base, &response, e);

	if (status != CLI_OK)
		return status;
	m = (const People__WorkspaceMember *)response;
	fprintf(cli->out, "user %s is %s in workspace %s%s\n", text_plain(m->user).text,
		text_plain(m->role).text, cli->operands[0], m->suspended ? ", suspended" : "");
	protobuf_c_message_free_unpacked(response, NULL);
	return CLI_OK;
}

static enum cli_exit run_add(struct cli *cli, struct err *e)
{
	People__WorkspaceMemberRequest request = request_of(cli);
	const char *role = cli_value(cli, "role");

	if (role)
		request.role = (char *)(uintptr_t)role;
	return change(cli, &people_add_member, &request, e);
}

/* clang-format off */
static const struct cli_option add_options[] = {
	{ .name = "role", .value = "ROLE", .words = roles,
	  .help = "administrator, member or viewer (member)" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

#define ABOUT_ROLES                                                                                          \
	"A member creates computations there, and has in each what the roles in it allow ('role give').\n"   \
	"A viewer only sees those where a role says so. An administrator sees all of them, may edit, run,\n" \
	"remove and say who has which role, and says who is in the workspace."

const struct command cmd_workspace_member_add = {
	.name = "workspace member add",
	.args = "WORKSPACE USER",
	.help = "make a user a member of a workspace, for administrators of the service",
	.operands_min = 2,
	.operands_max = 2,
	.options = add_options,
	.run = run_add,
	.more = ABOUT_ROLES,
};

static enum cli_exit run_role(struct cli *cli, struct err *e)
{
	const People__WorkspaceMemberRequest request = request_of(cli);

	return change(cli, &people_set_member, &request, e);
}

const struct command cmd_workspace_member_role = {
	.name = "workspace member role",
	.args = "WORKSPACE USER ROLE",
	.help = "give a member of a workspace another role, for its administrators",
	.operands_min = 3,
	.operands_max = 3,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_role,
	.more = ABOUT_ROLES
	"\nThe last administrator stays one: 'workspace transfer' makes another.",
};

static enum cli_exit run_suspend(struct cli *cli, struct err *e)
{
	const People__WorkspaceMemberRequest request = request_of(cli);

	return change(cli, &people_suspend_member, &request, e);
}

const struct command cmd_workspace_member_suspend = {
	.name = "workspace member suspend",
	.args = "WORKSPACE USER",
	.help = "take all rights in a workspace from a member, until they are given back",
	.operands_min = 2,
	.operands_max = 2,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_suspend,
	.more = "For administrators of the workspace. The roles in computations are kept for 'resume'. Who\n"
		"administers the service has that right nevertheless ('user suspend').",
};

static enum cli_exit run_resume(struct cli *cli, struct err *e)
{
	People__WorkspaceMemberRequest request = request_of(cli);

	request.resume = true;
	return change(cli, &people_suspend_member, &request, e);
}

const struct command cmd_workspace_member_resume = {
	.name = "workspace member resume",
	.args = "WORKSPACE USER",
	.help = "give a suspended member all rights back",
	.operands_min = 2,
	.operands_max = 2,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_resume,
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	const People__WorkspaceMemberRequest request = request_of(cli);
	ProtobufCMessage *response;
	enum cli_exit status =
		computation_call(cli, &people_remove_member, &request.base, &response, e);

	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "user %s removed from workspace %s\n", cli->operands[1],
		cli->operands[0]);
	return CLI_OK;
}

const struct command cmd_workspace_member_remove = {
	.name = "workspace member remove",
	.args = "WORKSPACE USER",
	.help = "remove a member from a workspace, with the roles in its computations",
	.operands_min = 2,
	.operands_max = 2,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_remove,
	.more = "For administrators of the workspace. Refused of its last administrator, and while one of its\n"
		"computations has no other owner. The user stays one of the service.",
};

static enum cli_exit run_transfer(struct cli *cli, struct err *e)
{
	const People__WorkspaceMemberRequest request = request_of(cli);

	return change(cli, &people_transfer_workspace, &request, e);
}

const struct command cmd_workspace_transfer = {
	.name = "workspace transfer",
	.args = "WORKSPACE USER",
	.help = "hand a workspace over to a member, who is its only administrator then",
	.operands_min = 2,
	.operands_max = 2,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_transfer,
	.more = "For administrators of the workspace. Those who were administrators are members from then on.\n"
		"Whose its computations are does not change: 'role give COMPUTATION owner USER' does that.",
};
