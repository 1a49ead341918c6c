/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_validate.c — policies as files: how one is understood. */
#include "attestation/policy/policy_show.h"
#include "cli/cmd/commands.h"
#include "common/base/file.h"
#include "common/base/writer.h"

#include <string.h>

static enum cli_exit run_validate(struct cli *cli, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(16 << 20);
	CLEANUP(free) uint8_t *bytes = NULL;
	struct policy_file file = { .name = cli->operands[0] };
	struct policy policy;

	if (file_read(file.name, POLICY_FILE_MAX, &bytes, &file.len, e) < 0)
		return CLI_USAGE;
	file.bytes = bytes;
	if (policy_show(&file, &w, e) < 0 || policy_parse(&file, 1, &policy, e) < 0)
		return CLI_FAILED;
	if (policy_leaves_open(&policy))
		fprintf(stderr, "note: %s\n", policy_leaves_open(&policy));
	policy_done(&policy);
	if (cli_flag(cli, "json"))
		fprintf(cli->out, "%.*s\n", (int)w.len, (const char *)w.bytes);
	else
		fprintf(cli->out, "understood: %s\n", file.name);
	return CLI_OK;
}

const struct command cmd_policy_validate = {
	.name = "policy validate",
	.args = "FILE",
	.help = "say whether a policy is understood, and how",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLI_JSON_OPTION, { .name = NULL } },
	.run = run_validate,
};
