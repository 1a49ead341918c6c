/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_user.c — users of the computation service, and who one is oneself. */
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "cli/client/people_client.h"
#include "cli/cmd/commands.h"

static enum cli_exit run_add(struct cli *cli, struct err *e)
{
	People__AddUserRequest request = PEOPLE__ADD_USER_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.name = (char *)(uintptr_t)cli->operands[0];
	request.administrator = cli_flag(cli, "administrator");
	request.auditor = cli_flag(cli, "auditor");
	if (cli_value(cli, "workspace"))
		request.workspace = (char *)(uintptr_t)cli_value(cli, "workspace");
	status = computation_call(cli, &people_add_user, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out,
		"user %s added; 'cocos-cli token add %s NAME' makes a token, 'cocos-cli user link "
		"%s' lets that user choose a password\n",
		cli->operands[0], cli->operands[0], cli->operands[0]);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option add_options[] = {
	{ .name = "administrator", .help = "of the service: may do what its socket's users may" },
	{ .name = "auditor", .help = "of the service: reads its audit log and the log of journals' heads" },
	{ .name = "workspace", .value = "NAME", .help = "to be a member of ('default', or the oldest)" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_user_add = {
	.name = "user add",
	.args = "NAME",
	.help = "add a user of the computation service",
	.operands_min = 1,
	.operands_max = 1,
	.options = add_options,
	.run = run_add,
	.more = "Names have at most 63 of a-z 0-9 . _ @ + - with a letter or digit first. A user sees the\n"
		"computations in which somebody gives a role ('role give'), and those that are the user's own.",
};

static const struct table_column columns[] = {
	{ "NAME", "name", false },
	{ "ADMINISTRATOR", "administrator", false },
	{ "AUDITOR", "auditor", false },
	{ "STATE", "state", false },
	{ "SECOND FACTOR", "second_factor", false },
	{ "PASSKEYS", "passkeys", true },
	{ "CREATED", "created", true },
	{ NULL, NULL, false },
};

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const People__ListUsersResponse *page = (const People__ListUsersResponse *)message;

	for (size_t i = 0; i < page->n_users; i++) {
		const People__User *user = page->users[i];

		table_text(t, user->name);
		table_text(t, user->administrator ? "yes" : "no");
		table_text(t, user->auditor ? "yes" : "no");
		table_text(t, user->suspended ? "suspended" : "active");
		table_text(t, user->second_factor ? "yes" : "no");
		table_number(t, user->passkeys, NULL);
		table_moment(t, people_ms(user->created));
	}
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &people_list_users, columns, rows, NULL };

	return listing_print(cli, &listing, e);
}

const struct command cmd_user_list = {
	.name = "user list",
	.args = "",
	.help = "list the users of the computation service",
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_list,
};

static enum cli_exit run_suspend(struct cli *cli, struct err *e)
{
	People__SuspendUserRequest request = PEOPLE__SUSPEND_USER_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.name = (char *)(uintptr_t)cli->operands[0];
	request.resume = cli_flag(cli, "resume");
	status = computation_call(cli, &people_suspend_user, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	fprintf(cli->out, "user %s is %s\n", cli->operands[0],
		((const People__User *)response)->suspended ? "suspended" : "active");
	protobuf_c_message_free_unpacked(response, NULL);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option suspend_options[] = {
	{ .name = "resume", .help = "take it back: what has not ended is good again" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_user_suspend = {
	.name = "user suspend",
	.args = "NAME",
	.help = "make a user's password, sessions and tokens good for nothing, until it is taken back",
	.operands_min = 1,
	.operands_max = 1,
	.options = suspend_options,
	.run = run_suspend,
};

static enum cli_exit run_auditor(struct cli *cli, struct err *e)
{
	People__SetAuditorRequest request = PEOPLE__SET_AUDITOR_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.name = (char *)(uintptr_t)cli->operands[0];
	request.end = cli_flag(cli, "end");
	status = computation_call(cli, &people_set_auditor, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	fprintf(cli->out, "user %s is %s\n", cli->operands[0],
		((const People__User *)response)->auditor ? "an auditor" : "no auditor");
	protobuf_c_message_free_unpacked(response, NULL);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option auditor_options[] = {
	{ .name = "end", .help = "take it away" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_user_auditor = {
	.name = "user auditor",
	.args = "NAME",
	.help = "let a user read the service's audit log and the log of journals' heads",
	.operands_min = 1,
	.operands_max = 1,
	.options = auditor_options,
	.run = run_auditor,
	.more = "From the next call on, by each token and session that lets its user see. An administrator reads them\n"
		"in any case. 'user list' says who is one.",
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	People__UserRequest request = PEOPLE__USER_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.name = (char *)(uintptr_t)cli->operands[0];
	status = computation_call(cli, &people_remove_user, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "user %s removed\n", cli->operands[0]);
	return CLI_OK;
}

const struct command cmd_user_remove = {
	.name = "user remove",
	.args = "NAME",
	.help = "remove a user with password, sessions, tokens and roles",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_remove,
	.more = "Refused while a computation has no other owner.",
};

static const struct table_column whoami_columns[] = {
	{ "USER", "user", false },       { "ADMINISTRATOR", "administrator", false },
	{ "AUDITOR", "auditor", false }, { "ACTIONS", "actions", false },
	{ "EXPIRES", "expires", false }, { NULL, NULL, false },
};

static enum cli_exit run_whoami(struct cli *cli, struct err *e)
{
	People__WhoamiRequest request = PEOPLE__WHOAMI_REQUEST__INIT;
	struct table t CLEANUP_TABLE;
	CLEANUP(free) char *actions = NULL;
	const People__Caller *caller;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, whoami_columns);
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	if (cli->operand_count)
		request.computation_id = (char *)(uintptr_t)cli->operands[0];
	status = computation_call(cli, &people_whoami, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	caller = (const People__Caller *)response;
	actions = people_words_join(caller->actions, caller->n_actions);
	table_text(&t, caller->user);
	table_text(&t, caller->administrator ? "yes" : "no");
	table_text(&t, caller->auditor ? "yes" : "no");
	table_text(&t, actions ? actions : "");
	table_moment(&t, people_ms(caller->expires));
	protobuf_c_message_free_unpacked(response, NULL);
	return table_print_one(&t, cli, e) < 0 ? CLI_FAILED : CLI_OK;
}

const struct command cmd_whoami = {
	.name = "whoami",
	.args = "[COMPUTATION]",
	.help = "say who you are at the computation service, and what you may do with a computation",
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_whoami,
	.more = "With a token (--token) that is its user, and the actions are those that the\n"
		"token is for; with a computation, those that the user's roles there allow as well. Without a\n"
		"token it is no user, but who may administer the service over its socket.",
};
