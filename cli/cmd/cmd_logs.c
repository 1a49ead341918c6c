/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_logs.c — what the algorithm wrote, from the agent itself. */
#include "cli/base/private_key.h"
#include "cli/base/text.h"
#include "cli/client/agent_client.h"
#include "cli/client/agent_waiting.h"
#include "cli/client/attested.h"
#include "cli/cmd/commands.h"

#include <stdlib.h>
#include <string.h>

static int print_lines(struct cli *cli, const Agent__LogResponse *r, struct err *e)
{
	CLEANUP(free) char *text = strndup((const char *)r->log.data, r->log.len);
	char *rest = text, *line;

	if (!text)
		return err_nomem(e);
	while ((line = strsep(&rest, "\n")) != NULL) {
		text_make_plain(line);
		if (*line || rest)
			fprintf(cli->out, "%s\n", line);
	}
	return fflush(cli->out) == 0 ? 0 : err_errno(e, "standard output");
}

static enum cli_exit run_logs(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	Agent__LogRequest request = AGENT__LOG_REQUEST__INIT;
	struct agent_waiting waiting = { &client, AGENT_WANTED_END, NULL, NULL };
	ProtobufCMessage *response;
	int failed;

	if (agent_waiting_check(cli, e) < 0 ||
	    private_key_load(cli, cli->operands[0], &key, e) < 0 ||
	    attested_open(&client, cli, e) < 0)
		return CLI_USAGE;
	waiting.key = key;
	if (agent_waiting_run(&waiting, e) < 0 ||
	    agent_client_ask(&client, &agent_log, key, &request.base, &response, e) < 0)
		return CLI_FAILED;
	failed = print_lines(cli, (const Agent__LogResponse *)response, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed ? CLI_FAILED : CLI_OK;
}

const struct command cmd_logs = {
	.name = "logs",
	.common = true,
	.args = "PRIVATE_KEY",
	.help = "print what the algorithm wrote, once it has ended",
	.operands_min = 1,
	.operands_max = 1,
	.options =
		(const struct cli_option[]){
			WAIT_OPTION, GRACE_OPTION, CLIENT_AGENT_OPTIONS, { .name = NULL } },
	.run = run_logs,
	.more = "For those to whom the manifest shows it (its word 'logs'): consumers, the algorithm's\n"
		"provider, or everybody whom it names. The computation service has it where that word is 'all', or\n"
		"a manifest has no such word, as stock ones; else never.",
};
