/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_user_identity.c — accounts at providers of identities that sign users of the computation service in. */
#include "cli/base/number.h"
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "cli/client/people_client.h"
#include "cli/cmd/commands.h"
#include "common/base/log.h"

#include <inttypes.h>

static const struct table_column columns[] = {
	{ "NUMBER", "number", false },   { "PROVIDER", "provider", false },
	{ "SUBJECT", "subject", false }, { "USED", "used", false },
	{ "ISSUER", "issuer", true },    { "CREATED", "created", true },
	{ NULL, NULL, false },
};

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const People__ListIdentitiesResponse *page =
		(const People__ListIdentitiesResponse *)message;

	for (size_t i = 0; i < page->n_identities; i++) {
		const People__Identity *one = page->identities[i];
		char number[24];

		snprintf(number, sizeof(number), "%" PRIu64, one->number);
		table_text(t, number);
		table_text(t, one->provider);
		table_text(t, one->subject);
		table_moment(t, people_ms(one->used));
		table_text(t, one->issuer);
		table_moment(t, people_ms(one->created));
	}
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &people_list_identities, columns, rows, "name" };

	return listing_print(cli, &listing, e);
}

const struct command cmd_user_identities = {
	.name = "user identities",
	.args = "NAME",
	.help = "list the accounts at providers of identities that sign a user in",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_list,
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	People__IdentityRequest request = PEOPLE__IDENTITY_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	if (!number_decimal(cli->operands[1], &request.number) || !request.number) {
		err_set(e, ERR_INVALID, "NUMBER %s: 'user identities' has them",
			log_quote(cli->operands[1]).text);
		return CLI_USAGE;
	}
	request.user = (char *)(uintptr_t)cli->operands[0];
	status = computation_call(cli, &people_remove_identity, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "user %s signs in with that account no more\n", cli->operands[0]);
	return CLI_OK;
}

const struct command cmd_user_remove_identity = {
	.name = "user remove-identity",
	.args = "NAME NUMBER",
	.help = "part a user from an account at a provider of identities",
	.operands_min = 2,
	.operands_max = 2,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_remove,
	.more = "Nobody signs in with it as that user from then on, and the user's sessions end; tokens stay.\n"
		"It may be the only way in: 'user link' gives another one. Of one's own accounts the service's\n"
		"page is in charge, under You.",
};
