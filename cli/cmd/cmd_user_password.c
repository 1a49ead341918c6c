/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_user_password.c — how a user of the computation service signs in with a browser. */
#include "cli/base/secret.h"
#include "cli/base/text.h"
#include "cli/client/people_client.h"
#include "cli/cmd/commands.h"

#include <string.h>

static enum cli_exit run_password(struct cli *cli, struct err *e)
{
	People__SetPasswordRequest request = PEOPLE__SET_PASSWORD_REQUEST__INIT;
	char password[SECRET_MAX + 1];
	ProtobufCMessage *response;
	enum cli_exit status;

	if (secret_choose("Password", cli_flag(cli, "stdin"), password, e) < 0)
		return CLI_USAGE;
	request.user = (char *)(uintptr_t)cli->operands[0];
	request.password = password;
	status = computation_call(cli, &people_set_password, &request.base, &response, e);
	explicit_bzero(password, sizeof(password));
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "user %s has a new password; sessions that were open have ended\n",
		cli->operands[0]);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option password_options[] = {
	{ .name = "stdin", .help = "read it from standard input, one line, and not from the terminal" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_user_password = {
	.name = "user password",
	.args = "NAME",
	.help = "give a user a password for the computation service's page",
	.operands_min = 1,
	.operands_max = 1,
	.options = password_options,
	.run = run_password,
	.more = "It is asked for twice on the terminal, and not shown. It has at least 12 characters and at most 256\n"
		"bytes, and 6 of its characters belong neither to the user's name, nor to a word that everybody\n"
		"tries, nor to a run such as 345. With 'user link' users choose one that only they know.",
};

static enum cli_exit run_link(struct cli *cli, struct err *e)
{
	People__UserRequest request = PEOPLE__USER_REQUEST__INIT;
	char time[COMPUTATION_TIME_MAX];
	ProtobufCMessage *response;
	const People__Link *link;
	enum cli_exit status;

	request.name = (char *)(uintptr_t)cli->operands[0];
	status = computation_call(cli, &people_add_link, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	link = (const People__Link *)response;
	computation_time(link->expires, time);
	fprintf(cli->out, "%s", text_plain(link->origin).text);
	fprintf(cli->out, "%s\n", text_plain(link->path).text);
	fprintf(stderr, "note: it works once, until %s%s\n", time,
		*link->origin ? "" : "; before it belongs https:// with the page's name and port");
	protobuf_c_message_free_unpacked(response, NULL);
	if (fflush(cli->out) == 0)
		return CLI_OK;
	err_errno(e, "standard output");
	cli_hint(cli, "nobody has that link: the same command makes another in its place");
	return CLI_FAILED;
}

const struct command cmd_user_link = {
	.name = "user link",
	.args = "NAME",
	.help = "print a link with which a user chooses a password, once, within an hour",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_link,
	.more = "For users who are new, and for those who forgot theirs. Whoever has the link first chooses: hand it\n"
		"over where nobody else reads. A newer one makes it good for nothing.",
};

static enum cli_exit remove_of(struct cli *cli, const struct rpc_method *method, const char *said,
			       struct err *e)
{
	People__UserRequest request = PEOPLE__USER_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.name = (char *)(uintptr_t)cli->operands[0];
	status = computation_call(cli, method, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "user %s %s\n", cli->operands[0], said);
	return CLI_OK;
}

static enum cli_exit run_remove_factor(struct cli *cli, struct err *e)
{
	return remove_of(cli, &people_remove_factor, "signs in with the password alone", e);
}

static enum cli_exit run_remove_passkeys(struct cli *cli, struct err *e)
{
	return remove_of(cli, &people_remove_passkeys, "signs in with no passkey any more", e);
}

const struct command cmd_user_remove_factor = {
	.name = "user remove-factor",
	.args = "NAME",
	.help = "remove a second factor that its user lost, with its recovery codes",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_remove_factor,
	.more = "The password alone opens that account then: be sure who asks, and have the user set up another one\n"
		"at the service's page, under You. 'user list' shows who has one.",
};

const struct command cmd_user_remove_passkeys = {
	.name = "user remove-passkeys",
	.args = "NAME",
	.help = "remove all passkeys of a user who lost the device",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_remove_passkeys,
	.more = "Nobody signs in with them from then on, and the user's sessions end. The user adds others at the\n"
		"service's page, under You. 'user list' shows how many each has.",
};
