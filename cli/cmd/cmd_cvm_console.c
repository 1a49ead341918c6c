/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cvm_console.c — what the serial console of a workspace's CVM has said, and goes on to say, through the service. */
#include "cli/base/number.h"
#include "cli/client/computation_client.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/cvm_made.h"
#include "common/base/text_stream.h"

#include <unistd.h>

static int print_part(struct cli *cli, struct text_stream *text,
		      const Computations__ConsolePart *part, struct err *e)
{
	if (part->skipped)
		cli_hint(cli, "what the console said before this is not kept any more");
	if (cli_flag(cli, "raw"))
		fwrite(part->data.data, 1, part->data.len, cli->out);
	else
		text_stream_print(text, cli->out, part->data.data, part->data.len);
	return fflush(cli->out) == 0 ? 0 : err_errno(e, "standard output");
}

static int print_all(struct client *client, const Computations__ConsoleRequest *request,
		     struct text_stream *text, struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	const struct rpc_stream_options options = { .metadata = &client->shown };

	if (rpc_sync_open(client->channel, &computation_console, &options, &sync, e) < 0 ||
	    rpc_sync_send(sync, &request->base, e) < 0)
		return err_code(e);
	for (;;) {
		ProtobufCMessage *message;
		int failed = rpc_sync_receive(sync, &message, e);

		if (failed || !message)
			return failed;
		failed = print_part(client->cli, text, (const Computations__ConsolePart *)message,
				    e);
		protobuf_c_message_free_unpacked(message, NULL);
		if (failed)
			return failed;
	}
}

static int fill(const struct cli *cli, Computations__ConsoleRequest *request, struct err *e)
{
	uint64_t lines = 0;

	if (number_option(cli, "lines", UINT32_MAX, &lines, e) < 0)
		return err_code(e);
	if (cli_value(cli, "lines") && !lines)
		return err_set(e, ERR_INVALID, "--lines: give one or more");
	if (cli_flag(cli, "raw") && cli->out == stdout && isatty(STDOUT_FILENO))
		return err_set(e, ERR_INVALID,
			       "--raw: a terminal would obey what the machine says: send it to a "
			       "file or a program");
	request->name = (char *)(uintptr_t)cli->operands[0];
	request->workspace = cvm_made_text(cli, "workspace");
	request->follow = cli_flag(cli, "follow");
	request->lines = (uint32_t)lines;
	return 0;
}

static enum cli_exit run_console(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	Computations__ConsoleRequest request = COMPUTATIONS__CONSOLE_REQUEST__INIT;
	struct text_stream text = { .count = 0 };
	int failed;

	if (fill(cli, &request, e) < 0 ||
	    client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	failed = print_all(&client, &request, &text, e);
	text_stream_end(&text, cli->out);
	if (!failed)
		return CLI_OK;
	client_hint(&client, e);
	if (e->code == ERR_NOT_FOUND || e->code == ERR_PRECONDITION)
		cli_hint(cli, "'cocos-cli cvm list --workspace NAME' lists its CVMs");
	return CLI_FAILED;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'f', .name = "follow", .help = "go on until the CVM is gone" },
	{ .letter = 'n', .name = "lines", .value = "NUMBER", .help = "begin with the last so many lines" },
	{ .name = "workspace", .value = "NAME", .help = "of that one (your only one, or 'default')" },
	{ .name = "raw", .help = "as the machine wrote it, also what a terminal would obey; not onto a terminal" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_cvm_console = {
	.name = "cvm console",
	.args = "NAME",
	.help = "print what the serial console of a workspace's CVM says",
	.operands_min = 1,
	.operands_max = 1,
	.options = options,
	.run = run_console,
	.more = "For administrators of the workspace. It comes from the host, by its manager and the service: the\n"
		"machine and each of them may have written it, and nothing of it is proven. Control characters become '?'.",
};
