/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_vm_console.c — what a CVM's serial console has said, and goes on to say. */
#include "cli/base/number.h"
#include "cli/base/text.h"
#include "cli/client/client.h"
#include "cli/cmd/commands.h"
#include "common/base/text_stream.h"
#include "manager.pb-c.h"
#include "manager_paths.h"

#include <string.h>
#include <unistd.h>

static const struct rpc_method console = { PROTO_MANAGER_CONSOLE, RPC_SERVER_STREAM,
					   &manager__console_req__descriptor,
					   &manager__console_part__descriptor };

enum { CURSOR_MAX = 64 };

/* What was printed, and where one can go on. */
struct printed {
	struct text_stream text;
	char cursor[CURSOR_MAX];
};

static int print_part(struct cli *cli, struct printed *p, const Manager__ConsolePart *part,
		      struct err *e)
{
	if (part->skipped)
		cli_hint(cli, "what the console said before this is not kept any more");
	if (cli_flag(cli, "raw"))
		fwrite(part->data.data, 1, part->data.len, cli->out);
	else
		text_stream_print(&p->text, cli->out, part->data.data, part->data.len);
	snprintf(p->cursor, sizeof(p->cursor), "%s", part->cursor);
	return fflush(cli->out) == 0 ? 0 : err_errno(e, "standard output");
}

static int print_all(struct client *client, const Manager__ConsoleReq *request, struct printed *p,
		     struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;

	if (rpc_sync_open(client->channel, &console, NULL, &sync, e) < 0 ||
	    rpc_sync_send(sync, &request->base, e) < 0)
		return err_code(e);
	for (;;) {
		ProtobufCMessage *message;
		int failed = rpc_sync_receive(sync, &message, e);

		if (failed || !message)
			return failed;
		failed = print_part(client->cli, p, (const Manager__ConsolePart *)message, e);
		protobuf_c_message_free_unpacked(message, NULL);
		if (failed)
			return failed;
	}
}

static int fill(const struct cli *cli, Manager__ConsoleReq *request, struct err *e)
{
	const char *after = cli_value(cli, "after");
	uint64_t lines = 0;

	if (number_option(cli, "lines", UINT32_MAX, &lines, e) < 0)
		return err_code(e);
	if (cli_value(cli, "lines") && !lines)
		return err_set(e, ERR_INVALID, "--lines: give one or more");
	if (lines && after)
		return err_set(e, ERR_INVALID, "--lines, --after: give one of them");
	if (cli_flag(cli, "raw") && cli->out == stdout && isatty(STDOUT_FILENO))
		return err_set(e, ERR_INVALID,
			       "--raw: a terminal would obey what the machine says: send it to a "
			       "file or a program");
	request->id = (char *)(uintptr_t)cli->operands[0];
	request->follow = cli_flag(cli, "follow");
	request->lines = (uint32_t)lines;
	request->cursor = (char *)(uintptr_t)(after ? after : "");
	return 0;
}

static void hint(struct client *client, const struct printed *p, const struct err *e)
{
	struct cli *cli = client->cli;

	if (e->code == ERR_NOT_FOUND || e->code == ERR_PRECONDITION)
		cli_hint(cli, "'cocos-cli vm list' lists the CVMs");
	else if (*p->cursor && cli_flag(cli, "follow"))
		cli_hint(cli, "'vm console %s --follow --after %s' goes on", cli->operands[0],
			 text_plain(p->cursor).text);
}

static enum cli_exit run_console(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	Manager__ConsoleReq request = MANAGER__CONSOLE_REQ__INIT;
	struct printed printed = { .cursor = "" };
	int failed;

	if (fill(cli, &request, e) < 0 || client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	failed = print_all(&client, &request, &printed, e);
	text_stream_end(&printed.text, cli->out);
	if (!failed)
		return CLI_OK;
	client_hint(&client, e);
	hint(&client, &printed, e);
	return CLI_FAILED;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'f', .name = "follow", .help = "go on until the CVM is gone" },
	{ .letter = 'n', .name = "lines", .value = "NUMBER", .help = "begin with the last so many lines" },
	{ .name = "after", .value = "CURSOR", .help = "begin where an earlier one was cut off, as its hint says" },
	{ .name = "raw", .help = "as the machine wrote it, also what a terminal would obey; not onto a terminal" },
	CLIENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_vm_console = {
	.name = "vm console",
	.args = "CVM",
	.help = "print what a CVM's serial console says",
	.operands_min = 1,
	.operands_max = 1,
	.options = options,
	.run = run_console,
	.more = "Up to 8 MiB of what it has said are kept, until the CVM is gone. The machine, its host, and whoever\n"
		"is in either may have written it: nothing of it is proven. Control characters become '?'.",
};
