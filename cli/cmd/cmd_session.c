/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_session.c — where users of the computation service are signed in with a browser. */
#include "cli/base/number.h"
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "cli/client/people_client.h"
#include "cli/cmd/commands.h"
#include "common/base/log.h"

#include <inttypes.h>

static const struct table_column columns[] = {
	{ "NUMBER", "number", false },  { "SEEN", "seen", false },   { "FROM", "from", false },
	{ "CREATED", "created", true }, { "ABOUT", "about", false }, { NULL, NULL, false },
};

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const People__ListSessionsResponse *page = (const People__ListSessionsResponse *)message;

	for (size_t i = 0; i < page->n_sessions; i++) {
		const People__Session *session = page->sessions[i];
		char number[24];

		snprintf(number, sizeof(number), "%" PRIu64, session->number);
		table_text(t, number);
		table_moment(t, people_ms(session->seen));
		table_text(t, session->from);
		table_moment(t, people_ms(session->created));
		table_text(t, session->about);
	}
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &people_list_sessions, columns, rows, "name" };

	return listing_print(cli, &listing, e);
}

const struct command cmd_session_list = {
	.name = "session list",
	.args = "USER",
	.help = "list where a user is signed in with a browser: since when, from where, and last seen",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_list,
	.more = "A session ends 2 hours after it was last used, and 12 hours after it began.",
};

static int read_number(struct cli *cli, uint64_t *number, struct err *e)
{
	bool all = cli_flag(cli, "all");

	if (all != (cli->operand_count == 1))
		return err_set(e, ERR_INVALID, "give either a session's NUMBER or --all");
	*number = 0;
	if (!all && (!number_decimal(cli->operands[1], number) || !*number))
		return err_set(e, ERR_INVALID, "NUMBER %s: 'session list' has them",
			       log_quote(cli->operands[1]).text);
	return 0;
}

static enum cli_exit run_revoke(struct cli *cli, struct err *e)
{
	People__SessionRequest request = PEOPLE__SESSION_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	if (read_number(cli, &request.number, e) < 0)
		return CLI_USAGE;
	request.user = (char *)(uintptr_t)cli->operands[0];
	status = computation_call(cli, &people_end_session, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "%s of user %s ended\n", request.number ? "that session" : "all sessions",
		cli->operands[0]);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option revoke_options[] = {
	{ .name = "all", .help = "all that the user has" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_session_revoke = {
	.name = "session revoke",
	.args = "USER [NUMBER]",
	.help = "end a user's session, or all: that browser has to sign in again",
	.operands_min = 1,
	.operands_max = 2,
	.options = revoke_options,
	.run = run_revoke,
};
