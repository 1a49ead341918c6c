/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_about.c — what the program says of itself: help, version, completion. */
#include "cli/base/completion.h"
#include "cli/base/help.h"
#include "cli/cmd/commands.h"
#include "common/base/log.h"

#include <string.h>

enum { COMMAND_WORDS_MAX = 3 }; /* "policy create snp" */

static enum cli_exit run_help(struct cli *cli, struct err *e)
{
	/* command_find() expects the program's name first. */
	const char *words[1 + COMMAND_WORDS_MAX] = { "cocos-cli" };
	const struct command *found;
	int matched;

	if (cli->operand_count == 0) {
		help_overview(HELP_SHORT, cli->out);
		return CLI_OK;
	}
	for (int i = 0; i < cli->operand_count; i++)
		words[i + 1] = cli->operands[i];
	found = command_find(cli->operand_count + 1, words, &matched);
	if (found && matched == cli->operand_count) {
		help_command(found, HELP_SHORT, cli->out);
		return CLI_OK;
	}
	if (help_group(cli->operand_count, words + 1, cli->out))
		return CLI_OK;
	cli_hint(cli, "'cocos-cli --help-all' lists the commands");
	return cli_usage(e, "unknown command %s", log_quote(words[cli->operand_count]).text);
}

const struct command cmd_help = {
	.name = "help",
	.common = true,
	.args = "[COMMAND]",
	.help = "list the commands, or explain one",
	.operands_max = COMMAND_WORDS_MAX,
	.operands_are_command = true,
	.run = run_help,
};

static enum cli_exit run_version(struct cli *cli, struct err *e)
{
	if (cli_flag(cli, "json"))
		fprintf(cli->out, "{\"version\":\"%s\"}\n", COCOS_VERSION);
	else
		fprintf(cli->out, "cocos-cli %s\n", COCOS_VERSION);
	return CLI_OK;
}

const struct command cmd_version = {
	.name = "version",
	.common = true,
	.args = "",
	.help = "print the version",
	.options = (const struct cli_option[]){ CLI_JSON_OPTION, { .name = NULL } },
	.run = run_version,
};

static enum cli_exit run_completion(struct cli *cli, struct err *e)
{
	const char *script = completion_script(cli->operands[0]);

	if (!script)
		return cli_usage(e, "no completion for %s: there is one for bash, zsh and fish",
				 log_quote(cli->operands[0]).text);
	fputs(script, cli->out);
	return CLI_OK;
}

const struct command cmd_completion = {
	.name = "completion",
	.common = true,
	.args = "bash|zsh|fish",
	.help = "print a completion script for the shell",
	.operands_min = 1,
	.operands_max = 1,
	.operand_words = completion_shells,
	.run = run_completion,
	.more = "To use it in this shell:\n"
		"  source <(cocos-cli completion bash)      in bash, and in zsh after compinit\n"
		"  cocos-cli completion fish | source       in fish\n\n"
		"To keep it, write it to where the shell looks:\n"
		"  /etc/bash_completion.d/cocos-cli\n"
		"  /usr/local/share/zsh/site-functions/_cocos-cli\n"
		"  ~/.config/fish/completions/cocos-cli.fish",
};

static enum cli_exit run_complete(struct cli *cli, struct err *e)
{
	completion_answer(cli->operand_count, cli->operands, cli->out);
	return CLI_OK;
}

const struct command cmd_complete = {
	.name = "__complete",
	.args = "-- WORD...",
	.help = "say what may come next; for completion scripts",
	.operands_min = 1,
	.operands_max = CLI_ANY,
	.run = run_complete,
	.hidden = true,
};
