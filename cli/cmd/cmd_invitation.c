/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_invitation.c — links by which people become members of a workspace of the computation service. */
#include "cli/base/number.h"
#include "cli/base/secret.h"
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "cli/client/people_client.h"
#include "cli/cmd/commands.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <string.h>

static const char *const roles[] = { "administrator", "member", "viewer", NULL };

static enum cli_exit run_create(struct cli *cli, struct err *e)
{
	People__InviteRequest request = PEOPLE__INVITE_REQUEST__INIT;
	const char *role = cli_value(cli, "role"), *note = cli_value(cli, "for");
	const char *mail = cli_value(cli, "mail");
	char time[COMPUTATION_TIME_MAX];
	const People__NewInvitation *made;
	ProtobufCMessage *response;
	enum cli_exit status;

	if (people_days_read(cli, &request.days, e) < 0)
		return CLI_USAGE;
	request.workspace = (char *)(uintptr_t)cli->operands[0];
	if (role)
		request.role = (char *)(uintptr_t)role;
	if (note)
		request.note = (char *)(uintptr_t)note;
	if (mail && !*mail)
		return cli_usage(e,
				 "--mail names no address: leave it out, and the link is printed");
	if (mail)
		request.mail = (char *)(uintptr_t)mail;
	status = computation_call(cli, &people_invite, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	made = (const People__NewInvitation *)response;
	computation_time(made->expires, time);
	if (*made->mailed_to) {
		fprintf(cli->out, "mailed to %s\n", text_plain(made->mailed_to).text);
		fprintf(stderr,
			"note: invitation %" PRIu64 " works once, until %s; 'invitation list' says "
			"how its mail went\n",
			made->number, time);
		protobuf_c_message_free_unpacked(response, NULL);
		return CLI_OK;
	}
	if (mail)
		fprintf(stderr, "note: mail is not configured at the service: give the link on\n");
	fprintf(cli->out, "%s", text_plain(made->origin).text);
	fprintf(cli->out, "%s\n", text_plain(made->path).text);
	fprintf(stderr,
		"note: invitation %" PRIu64
		"; its link is not shown again, and works once, until %s%s\n",
		made->number, time,
		*made->origin ? "" : "; before it belongs https:// with the page's name and port");
	if (fflush(cli->out) != 0) {
		err_errno(e, "standard output");
		cli_hint(cli, "nobody has that link: 'cocos-cli invitation revoke %s %" PRIu64 "'",
			 cli->operands[0], made->number);
		status = CLI_FAILED;
	}
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option create_options[] = {
	{ .name = "role", .value = "ROLE", .words = roles,
	  .help = "administrator, member or viewer (member)" },
	{ .name = "days", .value = "NUMBER", .help = "until it ends, at most 30 (7)" },
	{ .name = "for", .value = "TEXT", .help = "for whom it is, as 'invitation list' shows it; at most 64 bytes" },
	{ .name = "mail", .value = "ADDRESS", .help = "the service mails the link there and tells it nobody else, where its operator has a server for mail" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_invitation_create = {
	.name = "invitation create",
	.args = "WORKSPACE",
	.help = "print a link by which one person becomes a member of a workspace",
	.operands_min = 1,
	.operands_max = 1,
	.options = create_options,
	.run = run_create,
	.more = "For administrators of the workspace. Who follows the link signs in, or chooses a name and a\n"
		"password and is a new user of the service. Whoever has it first takes it: hand it over where\n"
		"nobody else reads. It is good for nothing once it was taken or revoked or has ended, and while\n"
		"whoever made it does not administer the workspace. A workspace has at most 100, those that\n"
		"were taken within a day included. With --mail it goes by mail, and 'mailed to ADDRESS' is printed in\n"
		"place of the link: at most 3 in a day to one mailbox and 20 in an hour from one workspace; without a\n"
		"server for mail the link is printed all the same.",
};

static const struct table_column columns[] = {
	{ "NUMBER", "number", false },
	{ "ROLE", "role", false },
	{ "STATE", "state", false },
	{ "FOR", "for", false },
	{ "EXPIRES", "expires", false },
	{ "TAKEN BY", "taken_by", true },
	{ "TAKEN", "taken", true },
	{ "INVITER", "inviter", true },
	{ "CREATED", "created", true },
	{ "MAIL", "mail", true },
	{ "MAIL STATE", "mail_state", true },
	{ "MAIL PROBLEM", "mail_problem", true },
	{ NULL, NULL, false },
};

static void add_row(struct table *t, const People__Invitation *i)
{
	table_number(t, i->number, NULL);
	table_text(t, i->role);
	table_text(t, i->taken ? "taken" : i->stale ? "stale" : "open");
	table_text(t, i->note);
	table_moment(t, people_ms(i->expires));
	table_text(t, i->taker);
	table_moment(t, people_ms(i->taken));
	table_text(t, i->inviter);
	table_moment(t, people_ms(i->created));
	table_text(t, i->mail);
	table_text(t, i->mail_state);
	table_text(t, i->mail_problem);
}

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const People__ListInvitationsResponse *page =
		(const People__ListInvitationsResponse *)message;

	for (size_t i = 0; i < page->n_invitations; i++)
		add_row(t, page->invitations[i]);
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &people_list_invitations, columns, rows,
						"workspace" };

	return listing_print(cli, &listing, e);
}

const struct command cmd_invitation_list = {
	.name = "invitation list",
	.args = "WORKSPACE",
	.help = "list a workspace's invitations, for its administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_list,
	.more = "Those that are open, and for a day those that were taken. A stale one can't be taken, because\n"
		"whoever made it does not administer the workspace any more. MAIL is whom the service has mailed its link to,\n"
		"MAIL STATE waiting (it is tried for a day), sent, given up or dropped.",
};

static enum cli_exit run_revoke(struct cli *cli, struct err *e)
{
	People__InvitationRequest request = PEOPLE__INVITATION_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.workspace = (char *)(uintptr_t)cli->operands[0];
	if (!number_decimal(cli->operands[1], &request.number) || !request.number) {
		(void)err_set(e, ERR_INVALID, "NUMBER %s: 'invitation list' has them",
			      log_quote(cli->operands[1]).text);
		return CLI_USAGE;
	}
	status = computation_call(cli, &people_revoke_invitation, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "invitation %" PRIu64 " to workspace %s revoked\n", request.number,
		cli->operands[0]);
	return CLI_OK;
}

const struct command cmd_invitation_revoke = {
	.name = "invitation revoke",
	.args = "WORKSPACE NUMBER",
	.help = "make an invitation good for nothing, for the workspace's administrators",
	.operands_min = 2,
	.operands_max = 2,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_revoke,
	.more = "Who has taken it is a member by now: 'workspace member remove'.",
};

static enum cli_exit run_accept(struct cli *cli, struct err *e)
{
	People__TakeInvitationRequest request = PEOPLE__TAKE_INVITATION_REQUEST__INIT;
	char link[SECRET_MAX + 1], *slash;
	const People__Joined *joined;
	ProtobufCMessage *response;
	enum cli_exit status;

	if (secret_give("Link", cli_flag(cli, "stdin"), link, e) < 0)
		return CLI_USAGE;
	/* The service that the settings name is asked, not the one in the link. */
	slash = strrchr(link, '/');
	request.secret = slash ? slash + 1 : link;
	status = computation_call(cli, &people_take_invitation, &request.base, &response, e);
	explicit_bzero(link, sizeof(link));
	if (status != CLI_OK)
		return status;
	joined = (const People__Joined *)response;
	fprintf(cli->out, "you are %s", text_plain(joined->role).text);
	fprintf(cli->out, " in workspace %s\n", text_plain(joined->workspace).text);
	protobuf_c_message_free_unpacked(response, NULL);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option accept_options[] = {
	{ .name = "stdin", .help = "read the link from standard input, one line, and not from the terminal" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_invitation_accept = {
	.name = "invitation accept",
	.args = "",
	.help = "become a member of the workspace that an invitation's link is for",
	.options = accept_options,
	.run = run_accept,
	.more = "The link is asked for on the terminal, and not shown. For who is a user already, and has a token\n"
		"('login'); who is none opens the link with a browser.",
};
