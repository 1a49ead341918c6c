/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_login.c — a token of the computation service by way of its page, kept for the commands that follow; its end. */
#include "cli/base/interrupt.h"
#include "cli/base/text.h"
#include "cli/client/kept_login.h"
#include "cli/client/people_client.h"
#include "cli/client/waiting.h"
#include "cli/cmd/commands.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* A token that is named for the call would go before what is kept. */
static int check_free(struct cli *cli, struct err *e)
{
	const char *path = profile_setting(cli, NULL, "COMPUTATIONS_GRPC_TOKEN_FILE");

	if (!path)
		return 0;
	cli_hint(cli, "unset it, or take it out of the profile");
	return err_set(e, ERR_PRECONDITION,
		       "COMPUTATIONS_GRPC_TOKEN_FILE names '%s', which goes before a login", path);
}

static void protobuf_free(ProtobufCMessage *m)
{
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
}

/* ---- logout ---- */

/* Whether the kept token was good for something until now. */
static int end_kept(struct cli *cli, bool *was_good, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	People__EndTokenRequest request = PEOPLE__END_TOKEN_REQUEST__INIT;
	ProtobufCMessage *response = NULL;
	int failed;

	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return err_code(e);
	failed = client_call(&client, &people_end_token, &request.base, &response, e);
	protobuf_free(response);
	*was_good = !failed;
	/* It has ended, or was revoked: that is what is wanted. */
	return failed && e->code != ERR_UNAUTHENTICATED ? failed : 0;
}

static enum cli_exit logout(struct cli *cli, const char *address, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	bool was_good;

	if (kept_login_find(address, &path, e) < 0)
		return CLI_USAGE;
	if (!path) {
		err_set(e, ERR_NOT_FOUND, "no login for %s", address);
		cli_hint(cli, "'cocos-cli login' begins one");
		return CLI_FAILED;
	}
	if (end_kept(cli, &was_good, e) < 0) {
		cli_hint(cli, "'%s' has the token, until the service can be told that it ends",
			 path);
		return CLI_FAILED;
	}
	if (kept_login_remove(address, e) < 0)
		return CLI_FAILED;
	fprintf(cli->out, "logged out of %s%s\n", address,
		was_good ? "" : "; its token had ended before");
	return CLI_OK;
}

static enum cli_exit run_logout(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };

	if (check_free(cli, e) < 0 ||
	    client_open_as_nobody(&client, CLIENT_COMPUTATIONS, cli, e) < 0)
		return CLI_USAGE;
	return logout(cli, client.address, e);
}

const struct command cmd_logout = {
	.name = "logout",
	.args = "",
	.help = "end what 'login' began: its token is revoked, and removed from this machine",
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_logout,
};

/* ---- login ---- */

struct asking {
	struct client *client;
	const char *secret;
};

static int look(void *data, char why[WAITING_WHY_MAX], struct err *e)
{
	People__LoginRequest request = PEOPLE__LOGIN_REQUEST__INIT;
	const struct asking *asking = data;
	ProtobufCMessage *response;
	bool let_in;

	request.secret = (char *)(uintptr_t)asking->secret;
	if (client_call(asking->client, &people_poll_login, &request.base, &response, e) < 0)
		return err_code(e);
	let_in = ((const People__LoginState *)response)->let_in;
	protobuf_c_message_free_unpacked(response, NULL);
	return let_in;
}

static void tell(struct cli *cli, const People__LoginAsked *asked)
{
	char time[COMPUTATION_TIME_MAX];

	computation_time(asked->expires, time);
	fprintf(cli->out, "Sign in at the page, and give it this code, until %s:\n\n  %s\n\n", time,
		text_plain(asked->code).text);
	fprintf(cli->out, "  %s",
		*asked->origin ? text_plain(asked->origin).text
			       : "https://(the page's name and port)");
	fprintf(cli->out, "%s\n", text_plain(asked->path).text);
	fprintf(cli->out, "  (under 'You': 'Let a command line in')\n\n");
	fflush(cli->out);
}

/* What was kept before is over: nobody would know it any more. */
static int keep(struct cli *cli, const char *address, const People__LoginToken *token,
		struct err *e)
{
	CLEANUP(free) char *before = NULL;
	bool was_good;

	if (kept_login_find(address, &before, e) < 0 || (before && end_kept(cli, &was_good, e) < 0))
		return err_code(e);
	return kept_login_write(address, token->token, e);
}

static enum cli_exit take(struct client *client, const char *secret, struct err *e)
{
	People__LoginRequest request = PEOPLE__LOGIN_REQUEST__INIT;
	struct cli *cli = client->cli;
	const People__LoginToken *token;
	char time[COMPUTATION_TIME_MAX];
	ProtobufCMessage *response;
	int failed;

	request.secret = (char *)(uintptr_t)secret;
	if (client_call(client, &people_take_login, &request.base, &response, e) < 0)
		return CLI_FAILED;
	token = (const People__LoginToken *)response;
	failed = keep(cli, client->address, token, e);
	computation_time(token->expires, time);
	if (failed)
		cli_hint(cli, "nobody has that token: 'cocos-cli token revoke %s %s'",
			 text_plain(token->user).text, text_plain(token->name).text);
	else
		fprintf(cli->out, "logged in as %s until %s; 'cocos-cli logout' ends it\n",
			text_plain(token->user).text, time);
	explicit_bzero(token->token, strlen(token->token));
	protobuf_c_message_free_unpacked(response, NULL);
	return failed ? CLI_FAILED : CLI_OK;
}

static enum cli_exit wait_and_take(struct client *client, const People__LoginAsked *asked,
				   struct err *e)
{
	struct asking asking = { client, asked->secret };
	struct waiting w = {
		.client = client,
		.until = "somebody lets this command line in",
		.kept = "nothing is kept",
		.again = "the same command begins again",
		.look = look,
		.data = &asking,
		.always = true,
	};

	/* Whoever has seen the code may press Ctrl-C. */
	interrupt_say("nothing is kept; the same command begins again");
	tell(client->cli, asked);
	if (waiting_run(&w, e) < 0) {
		client_hint(client, e);
		return CLI_FAILED;
	}
	return take(client, asked->secret, e);
}

/* A machine's name says more than its address to whoever is asked. */
static void name_self(char about[HOST_NAME_MAX + 1])
{
	if (gethostname(about, HOST_NAME_MAX) < 0)
		about[0] = 0;
	about[HOST_NAME_MAX] = 0;
}

static enum cli_exit run_login(struct cli *cli, struct err *e)
{
	People__AskLoginRequest request = PEOPLE__ASK_LOGIN_REQUEST__INIT;
	struct people_words words CLEANUP_WORDS = { .count = 0 };
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(free) char *path = NULL;
	char about[HOST_NAME_MAX + 1];
	ProtobufCMessage *response;
	People__LoginAsked *asked;
	enum cli_exit status;

	if (check_free(cli, e) < 0 || people_days_read(cli, &request.days, e) < 0 ||
	    people_words_read(cli_value(cli, "actions"), &words, e) < 0 ||
	    client_open_as_nobody(&client, CLIENT_COMPUTATIONS, cli, e) < 0 ||
	    kept_login_path(client.address, &path, e) < 0)
		return CLI_USAGE;
	if (kept_login_try(client.address, e) < 0) {
		cli_hint(cli, "nothing was asked: the token would be lost; XDG_CONFIG_HOME names a "
			      "folder for what is kept");
		return CLI_FAILED;
	}
	name_self(about);
	request.about = about;
	request.actions = words.words;
	request.n_actions = words.count;
	if (client_call(&client, &people_ask_login, &request.base, &response, e) < 0)
		return CLI_FAILED;
	asked = (People__LoginAsked *)response;
	status = wait_and_take(&client, asked, e);
	explicit_bzero(asked->secret, strlen(asked->secret));
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option login_options[] = {
	{ .name = "actions", .value = "ACTION[,ACTION]",
	  .help = "what the token is for: view and any of edit, run, administrator, dataset_provider, algo_provider, result_consumer (all)" },
	{ .name = "days", .value = "NUMBER", .help = "until it ends, at most 366 (30)" },
	CLIENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_login = {
	.name = "login",
	.args = "",
	.help = "get a token of the computation service by way of its page, and keep it",
	.options = login_options,
	.run = run_login,
	.more = "It shows a code; whoever signs in at the service's page gives it there, sees who asks for what, and\n"
		"lets it in with password or passkey, within ten minutes. Commands show the token to that address from\n"
		"then on, unless --token or COMPUTATIONS_GRPC_TOKEN_FILE names another one. It is kept for you alone to read\n"
		"in $XDG_CONFIG_HOME/cocos/logins (~/.config/cocos/logins), a file for each address.",
};
