/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_download.c — asks a CVM's manager what policy its evidence should meet. */
#include "attestation/policy/policy.h"
#include "cli/base/output.h"
#include "cli/client/client.h"
#include "cli/cmd/commands.h"
#include "manager.pb-c.h"
#include "manager_paths.h"

static const struct rpc_method attestation_policy = {
	PROTO_MANAGER_ATTESTATION_POLICY, RPC_UNARY, &manager__attestation_policy_req__descriptor,
	&manager__attestation_policy_res__descriptor
};

/* Accepted only if it is a policy. */
static int check(const ProtobufCBinaryData *info, struct err *e)
{
	const struct policy_file file = { "the manager's answer", info->data, info->len };
	struct policy policy;

	if (policy_parse(&file, 1, &policy, e) < 0)
		return err_code(e);
	policy_done(&policy);
	return 0;
}

static int save(struct cli *cli, const ProtobufCBinaryData *info, struct err *e)
{
	if (check(info, e) < 0)
		return err_code(e);
	fprintf(stderr, "this is the operator's word: compare it with "
			"'cocos-cli policy create --image'\n");
	return output_write(cli, cli_value(cli, "output"), info->data, info->len, e);
}

static enum cli_exit run_download(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	Manager__AttestationPolicyReq request = MANAGER__ATTESTATION_POLICY_REQ__INIT;
	ProtobufCMessage *response;
	int failed;

	request.id = (char *)(uintptr_t)cli->operands[0];
	if (client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (client_call(&client, &attestation_policy, &request.base, &response, e) < 0)
		return CLI_FAILED;
	failed = save(cli, &((const Manager__AttestationPolicyRes *)response)->info, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	OUTPUT_OPTION,
	CLIENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_policy_download = {
	.name = "policy download",
	.args = "CVM",
	.help = "ask a CVM's manager for its policy: the operator's word",
	.operands_min = 1,
	.operands_max = 1,
	.options = options,
	.run = run_download,
};
