/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cvm_made.c — cvm create, cvm remove: the computation service has a manager make a CVM for a workspace. */
#include "cli/cmd/commands.h"
#include "cli/cmd/cvm_made.h"

enum { CREATE_TIMEOUT_MS = 300000, REMOVE_TIMEOUT_MS = 90000 };

/* What its manager takes, and its answer is for people. */
static enum cli_exit call_and_print(struct cli *cli, const struct rpc_method *method,
				    const ProtobufCMessage *request, unsigned timeout_ms,
				    struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	ProtobufCMessage *response;
	enum cli_exit status;

	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (client.timeout_ms < timeout_ms && !cli_value(cli, "grpc-timeout"))
		client.timeout_ms = timeout_ms;
	if (client_call(&client, method, request, &response, e) < 0) {
		computation_hint(&client, e);
		return CLI_FAILED;
	}
	status = cvm_made_print(cli, (const Computations__Machine *)response, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

static enum cli_exit run_create(struct cli *cli, struct err *e)
{
	Computations__CreateCvmRequest request = COMPUTATIONS__CREATE_CVM_REQUEST__INIT;

	if (cvm_made_wish(cli, &request, e) < 0)
		return CLI_USAGE;
	request.name = (char *)(uintptr_t)cli->operands[0];
	request.workspace = cvm_made_text(cli, "workspace");
	return call_and_print(cli, &computation_create_cvm, &request.base, CREATE_TIMEOUT_MS, e);
}

/* clang-format off */
static const struct cli_option create_options[] = {
	{ .name = "workspace", .value = "NAME", .help = "for that one (your only one, or 'default')" },
	CVM_MADE_WISHES,
	CLI_JSON_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};

static const struct cli_option remove_options[] = {
	{ .name = "workspace", .value = "NAME", .help = "of that one (your only one, or 'default')" },
	{ .name = "force", .help = "although a computation is in it that has not ended, which then fails; said once more, "
				   "of one that its manager knows nothing of" },
	CLI_JSON_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_cvm_create = {
	.name = "cvm create",
	.args = "NAME",
	.help = "have a manager of the computation service make a CVM for a workspace",
	.operands_min = 1,
	.operands_max = 1,
	.options = create_options,
	.run = run_create,
	.more = "For administrators of the workspace. It is Provisioning until its agent has connected, then Ready;\n"
		"'cvm list --workspace NAME' shows it. The last line is for a shell: where owners reach its agent.",
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	Computations__RemoveCvmRequest request = COMPUTATIONS__REMOVE_CVM_REQUEST__INIT;

	request.name = (char *)(uintptr_t)cli->operands[0];
	request.workspace = cvm_made_text(cli, "workspace");
	request.force = cli_flag(cli, "force");
	return call_and_print(cli, &computation_remove_cvm, &request.base, REMOVE_TIMEOUT_MS, e);
}

const struct command cmd_cvm_remove = {
	.name = "cvm remove",
	.args = "NAME",
	.help = "have a CVM removed that was made for a workspace",
	.operands_min = 1,
	.operands_max = 1,
	.options = remove_options,
	.run = run_remove,
	.more = "If its manager can't be asked, the service goes on with it until it is removed. A manager that knows\n"
		"nothing of it may have lost its records: look at its host, then remove it once more with --force.",
};
