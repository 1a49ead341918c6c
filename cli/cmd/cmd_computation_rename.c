/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_computation_rename.c — what a computation of the service is called. */
#include "cli/base/text.h"
#include "cli/client/computation_client.h"
#include "cli/cmd/commands.h"

static enum cli_exit run(struct cli *cli, struct err *e)
{
	Computations__RenameRequest request = COMPUTATIONS__RENAME_REQUEST__INIT;
	const char *description = cli_value(cli, "description");
	ProtobufCMessage *response;
	enum cli_exit status;

	request.id = (char *)(uintptr_t)cli->operands[0];
	request.name = (char *)(uintptr_t)cli->operands[1];
	request.keep_description = !description;
	if (description)
		request.description = (char *)(uintptr_t)description;
	status = computation_call(cli, &computation_rename, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	status = computation_report(cli, (const Computations__Computation *)response, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "description", .value = "TEXT", .help = "what it is for; '' for none (as it is)" },
	CLI_JSON_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_rename = {
	.name = "computation rename",
	.args = "ID NAME",
	.help = "call a computation something else, in any state",
	.operands_min = 2,
	.operands_max = 2,
	.options = options,
	.run = run,
	.more = "For its editors and owners. The id stays, and so do the manifest with the name that is in it, and\n"
		"its digest. No other computation of its workspace may be called so.",
};
