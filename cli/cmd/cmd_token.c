/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_token.c — tokens by which users are known to the computation service. */
#include "cli/base/interrupt.h"
#include "cli/base/output.h"
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "cli/client/people_client.h"
#include "cli/cmd/commands.h"
#include "common/base/file.h"

#include <string.h>

enum { TOKEN_LINE_MAX = 256 }; /* as its file's reader takes it (token_file.c) */

/* Shown once: into a file that only its owner reads, or to whoever reads standard output. */
static int hand_out(struct cli *cli, const People__NewToken *made, struct output_place *place,
		    struct err *e)
{
	char time[COMPUTATION_TIME_MAX], line[TOKEN_LINE_MAX];
	int len, failed;

	computation_time(made->expires, time);
	if (!place->temporary) {
		fprintf(cli->out, "%s\n", text_plain(made->token).text);
		return fflush(cli->out) == 0 ? 0 : err_errno(e, "standard output");
	}
	len = snprintf(line, sizeof(line), "%s\n", made->token);
	if (len < 0 || (size_t)len >= sizeof(line))
		return err_set(e, ERR_INVALID, "the service's answer is longer than a token");
	failed = output_place_fill(cli, place, line, (size_t)len, e);
	explicit_bzero(line, sizeof(line));
	if (failed)
		return err_wrap(e, "token file");
	fprintf(cli->out,
		"token until %s written to %s; --token or COMPUTATIONS_GRPC_TOKEN_FILE names it\n",
		time, place->path);
	return 0;
}

/* Nothing is asked for that could not be kept. */
static int make_place(struct cli *cli, struct output_place *place, struct err *e)
{
	const char *path = cli_value(cli, "file");

	if (!path)
		return 0;
	if (output_place_make(cli, path, TOKEN_LINE_MAX, place, e) < 0)
		return err_wrap(e, "token file");
	interrupt_say(
		"nothing is written; where 'cocos-cli token list %s' has %s, nobody has that token: "
		"'cocos-cli token revoke %s %s'",
		cli->operands[0], cli->operands[1], cli->operands[0], cli->operands[1]);
	interrupt_remove(place->temporary);
	return 0;
}

static enum cli_exit add(struct cli *cli, const People__AddTokenRequest *request,
			 struct output_place *place, struct err *e)
{
	ProtobufCMessage *response;
	enum cli_exit status;
	People__NewToken *made;

	status = computation_call(cli, &people_add_token, &request->base, &response, e);
	if (status != CLI_OK)
		return status;
	made = (People__NewToken *)response;
	if (hand_out(cli, made, place, e) < 0) {
		status = CLI_FAILED;
		cli_hint(cli, "nobody has that token: 'cocos-cli token revoke %s %s'",
			 cli->operands[0], cli->operands[1]);
	}
	explicit_bzero(made->token, strlen(made->token));
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

static enum cli_exit run_add(struct cli *cli, struct err *e)
{
	People__AddTokenRequest request = PEOPLE__ADD_TOKEN_REQUEST__INIT;
	struct people_words words CLEANUP_WORDS = { .count = 0 };
	struct output_place place CLEANUP_OUTPUT_PLACE = { .fd = -1 };
	enum cli_exit status;

	if (people_days_read(cli, &request.days, e) < 0 ||
	    people_words_read(cli_value(cli, "actions"), &words, e) < 0)
		return CLI_USAGE;
	request.user = (char *)(uintptr_t)cli->operands[0];
	request.name = (char *)(uintptr_t)cli->operands[1];
	request.actions = words.words;
	request.n_actions = words.count;
	if (make_place(cli, &place, e) < 0)
		return CLI_FAILED;
	status = add(cli, &request, &place, e);
	interrupt_clear();
	return status;
}

/* clang-format off */
static const struct cli_option add_options[] = {
	{ .name = "actions", .value = "ACTION[,ACTION]",
	  .help = "what it is for: view and any of edit, run, administrator, dataset_provider, algo_provider, result_consumer (all)" },
	{ .name = "days", .value = "NUMBER", .help = "until it ends, at most 366 (90)" },
	{ .name = "file", .value = "FILE", .writes = true, .help = "write it there, for you alone to read, and not to standard output" },
	OUTPUT_FORCE_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_token_add = {
	.name = "token add",
	.args = "USER NAME",
	.help = "make a token, which shows the computation service who calls",
	.operands_min = 2,
	.operands_max = 2,
	.options = add_options,
	.run = run_add,
	.more = "It is shown once; the service keeps its hash. Commands show what --token or COMPUTATIONS_GRPC_TOKEN_FILE names\n"
		"(or a profile does). One's own tokens are made with a token for all actions, and end with it.",
};

static const struct table_column columns[] = {
	{ "NAME", "name", false },       { "ACTIONS", "actions", false },
	{ "EXPIRES", "expires", false }, { "CREATED", "created", true },
	{ "USED", "used", false },       { NULL, NULL, false },
};

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const People__ListTokensResponse *page = (const People__ListTokensResponse *)message;

	for (size_t i = 0; i < page->n_tokens; i++) {
		const People__Token *token = page->tokens[i];
		CLEANUP(free) char *actions = people_words_join(token->actions, token->n_actions);

		table_text(t, token->name);
		table_text(t, actions ? actions : "");
		table_moment(t, people_ms(token->expires));
		table_moment(t, people_ms(token->created));
		table_moment(t, people_ms(token->used));
	}
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &people_list_tokens, columns, rows, "name" };

	return listing_print(cli, &listing, e);
}

const struct command cmd_token_list = {
	.name = "token list",
	.args = "USER",
	.help = "list a user's tokens: what for, until when, and when they were used",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_list,
};

static enum cli_exit run_revoke(struct cli *cli, struct err *e)
{
	People__TokenRequest request = PEOPLE__TOKEN_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.user = (char *)(uintptr_t)cli->operands[0];
	request.name = (char *)(uintptr_t)cli->operands[1];
	status = computation_call(cli, &people_revoke_token, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "token %s of user %s revoked\n", cli->operands[1], cli->operands[0]);
	return CLI_OK;
}

const struct command cmd_token_revoke = {
	.name = "token revoke",
	.args = "USER NAME",
	.help = "make a token good for nothing, at once",
	.operands_min = 2,
	.operands_max = 2,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_revoke,
};
