/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_download.c — asks a CVM's manager what policy its evidence should meet. */
#include "attestation/corim/corim_values.h"
#include "attestation/policy/policy.h"
#include "cli/base/output.h"
#include "cli/client/client.h"
#include "cli/cmd/commands.h"
#include "common/base/file.h"
#include "common/crypto/key.h"
#include "manager.pb-c.h"
#include "manager_paths.h"

#include <string.h>
#include <time.h>

static const struct rpc_method attestation_policy = {
	PROTO_MANAGER_ATTESTATION_POLICY, RPC_UNARY, &manager__attestation_policy_req__descriptor,
	&manager__attestation_policy_res__descriptor
};

/* CBOR of a CoRIM begins with a map, a list or a tag. */
static bool is_cbor(const ProtobufCBinaryData *info)
{
	const uint8_t major = info->data[0] >> 5;

	return major == 4 || major == 5 || major == 6;
}

static bool is_json(const ProtobufCBinaryData *info)
{
	size_t at = 0;

	while (at < info->len && info->data[at] && strchr(" \t\r\n", info->data[at]))
		at++;
	return at < info->len && info->data[at] == '{';
}

static int read_key(struct cli *cli, EVP_PKEY **key, struct err *e)
{
	const char *path = cli_value(cli, "corim_key");
	CLEANUP(free) char *pem = NULL;

	if (!path)
		return 0;
	if (file_read_text(path, PEM_MAX, &pem, e) < 0 ||
	    key_from_public_pem(pem, strlen(pem), key, e) < 0)
		return err_wrap(e, "--corim_key '%s'", path);
	return 0;
}

/* What stock managers send. One that describes nothing would refuse all evidence: better said now. */
static int check_corim(struct cli *cli, EVP_PKEY *key, const ProtobufCBinaryData *info,
		       struct err *e)
{
	__attribute__((cleanup(corim_values_done))) struct corim_values values = { .count = 0 };
	const struct span file = { info->data, info->len };
	const char *problem = values.problem;

	if (corim_values_read(file, key, time(NULL), &values, e) < 0)
		return err_code(e);
	if (!*problem && values.count == values.unusable)
		problem = "describes nothing that can be compared with evidence";
	if (*problem) {
		cli_hint(cli,
			 "make the policy yourself: 'cocos-cli policy create --image', or ask the "
			 "operator for reference values%s",
			 key ? "" : " and the key that signs them (--corim_key)");
		return err_set(e, ERR_INVALID, "the manager's answer is a CoRIM of %zu bytes: %s",
			       info->len, problem);
	}
	fprintf(stderr,
		"it is a CoRIM: 'cocos-cli attestation validate --corim FILE' judges by it\n");
	return 0;
}

/* Accepted only if it is a policy, or a CoRIM. */
static int check(struct cli *cli, EVP_PKEY *key, const ProtobufCBinaryData *info, struct err *e)
{
	const struct policy_file file = { "the manager's answer", info->data, info->len };
	struct policy policy;

	if (!info->len)
		return err_set(e, ERR_INVALID, "the manager's answer is empty");
	if (is_cbor(info))
		return check_corim(cli, key, info, e);
	if (!is_json(info))
		return err_set(e, ERR_INVALID,
			       "the manager's answer of %zu bytes is neither a policy (JSON) nor a "
			       "CoRIM (CBOR)",
			       info->len);
	if (key)
		return err_set(e, ERR_INVALID,
			       "the manager's answer is no CoRIM, so --corim_key signed nothing");
	if (policy_parse(&file, 1, &policy, e) < 0)
		return err_code(e);
	policy_done(&policy);
	return 0;
}

static int save(struct cli *cli, EVP_PKEY *key, const ProtobufCBinaryData *info, struct err *e)
{
	if (check(cli, key, info, e) < 0)
		return err_code(e);
	fprintf(stderr, "this is the operator's word: compare it with "
			"'cocos-cli policy create --image'\n");
	return output_write(cli, cli_value(cli, "output"), info->data, info->len, e);
}

static enum cli_exit run_download(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	Manager__AttestationPolicyReq request = MANAGER__ATTESTATION_POLICY_REQ__INIT;
	ProtobufCMessage *response;
	int failed;

	request.id = (char *)(uintptr_t)cli->operands[0];
	if (read_key(cli, &key, e) < 0 || client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (client_call(&client, &attestation_policy, &request.base, &response, e) < 0) {
		if (e->code == ERR_NOT_FOUND)
			cli_hint(cli, "'cocos-cli vm list' lists the CVMs");
		return CLI_FAILED;
	}
	failed = save(cli, key, &((const Manager__AttestationPolicyRes *)response)->info, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	OUTPUT_OPTION,
	{ .name = "corim_key", .value = "PEM", .help = "whose signature a CoRIM has to have" },
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
	.more = "A stock manager answers with a CoRIM. It is saved if it describes something, and judged by\n"
		"with 'attestation validate --corim'.",
};
