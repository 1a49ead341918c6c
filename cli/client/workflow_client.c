/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/workflow_client.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "google/protobuf/empty.pb-c.h"
#include "workflows_paths.h"

#include <string.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>

DEFINE_CLEANUP(BIGNUM *, BN_clear_free)

#define ONE(variable, path_, request_, response_)                \
	const struct rpc_method variable = {                     \
		.path = path_,                                   \
		.kind = RPC_UNARY,                               \
		.request = &workflows__##request_##__descriptor, \
		.response = &response_##__descriptor,            \
	}

/* clang-format off */
ONE(workflow_submit, PROTO_WORKFLOWS_SUBMIT, submit_request, workflows__workflow);
ONE(workflow_list, PROTO_WORKFLOWS_LIST, list_request, workflows__list_response);
ONE(workflow_get, PROTO_WORKFLOWS_GET, workflow_request, workflows__workflow);
ONE(workflow_cancel, PROTO_WORKFLOWS_CANCEL, workflow_request, workflows__workflow);
ONE(workflow_get_output, PROTO_WORKFLOWS_GET_OUTPUT, output_request, workflows__output);
ONE(workflow_register_executor, PROTO_WORKFLOWS_REGISTER_EXECUTOR, register_executor_request, workflows__registered_executor);
ONE(workflow_list_executors, PROTO_WORKFLOWS_LIST_EXECUTORS, list_executors_request, workflows__list_executors_response);
ONE(workflow_remove_executor, PROTO_WORKFLOWS_REMOVE_EXECUTOR, remove_executor_request, google__protobuf__empty);
ONE(workflow_take_node, PROTO_WORKFLOWS_TAKE_NODE, take_node_request, workflows__taken_node);
ONE(workflow_get_node_input, PROTO_WORKFLOWS_GET_NODE_INPUT, node_input_request, workflows__output);
ONE(workflow_renew_node, PROTO_WORKFLOWS_RENEW_NODE, renew_node_request, workflows__renewed_node);
ONE(workflow_finish_node, PROTO_WORKFLOWS_FINISH_NODE, finish_node_request, google__protobuf__empty);
/* clang-format on */

/* An order that the service shows as that with this id: it is one, its digest is the id, and its signature is by the key
 * that it names. Whose key that is remains to be asked. ERR_INVALID, ERR_DENIED: the service shows another. */
static int order_take(const Workflows__Order *said, const char *id, struct workflow_order *order,
		      struct err *e)
{
	struct workflow_order taken CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	char own[WORKFLOW_ID_TEXT_LEN + 1];

	if (workflow_order_open(said, &taken, e) < 0)
		return err_code(e);
	hex_encode(taken.id, sizeof(taken.id), own);
	if (strcmp(own, id) != 0)
		return err_set(e, ERR_DENIED, "the service shows another order in place of %s",
			       log_quote(id).text);
	*order = taken;
	taken = (struct workflow_order){ .nodes = NULL };
	return 0;
}

int workflow_id_check(const char *id, struct err *e)
{
	if (strlen(id) == WORKFLOW_ID_TEXT_LEN &&
	    strspn(id, "0123456789abcdef") == WORKFLOW_ID_TEXT_LEN)
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s is no workflow's id: %d digits, as 'workflow submit' said",
		       log_quote(id).text, WORKFLOW_ID_TEXT_LEN);
}

int workflow_fetch(struct client *client, const char *id, Workflows__Workflow **workflow,
		   struct workflow_order *order, bool *is_another, struct err *e)
{
	Workflows__WorkflowRequest request = WORKFLOWS__WORKFLOW_REQUEST__INIT;
	ProtobufCMessage *response;
	Workflows__Workflow *said;

	request.id = (char *)(uintptr_t)id;
	if (client_call(client, &workflow_get, &request.base, &response, e) < 0)
		return err_code(e);
	said = (Workflows__Workflow *)response;
	if (order_take(said->order, id, order, e) == 0) {
		*workflow = said;
		return 0;
	}
	*is_another = true;
	workflows__workflow__free_unpacked(said, NULL);
	return err_code(e);
}

/* ---- the key for results ---- */

/* What is secret in a key, and always the same for it, however its file has it: a number, or Ed25519's seed. */
static int secret_of(const EVP_PKEY *key, uint8_t *out, size_t max, size_t *len, struct err *e)
{
	const char *number =
		key_kind_of(key) == KEY_RSA ? OSSL_PKEY_PARAM_RSA_D : OSSL_PKEY_PARAM_PRIV_KEY;
	CLEANUP(BN_clear_free) BIGNUM *secret = NULL;

	*len = max;
	if (key_kind_of(key) == KEY_ED25519)
		return EVP_PKEY_get_raw_private_key(key, out, len) == 1
			       ? 0
			       : err_openssl(e, ERR_INVALID, "the private key");
	if (EVP_PKEY_get_bn_param(key, number, &secret) != 1 || (size_t)BN_num_bytes(secret) > max)
		return err_openssl(e, ERR_INVALID, "the private key");
	*len = (size_t)BN_bn2bin(secret, out);
	return 0;
}

int workflow_reply_key(const EVP_PKEY *key, struct hpke_key *reply, struct err *e)
{
	static const char label[] = "cocos-workflow-reply-v1"; /* its final zero belongs to it */
	uint8_t secret[SPKI_MAX], made[HPKE_KEY_LEN];
	size_t len = 0;
	int failed;

	failed = secret_of(key, secret, sizeof(secret), &len, e);
	if (!failed)
		failed = hmac(DIGEST_SHA256, secret, len, label, sizeof(label), made, e);
	if (!failed)
		failed = hpke_key_of(made, reply, e);
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(made, sizeof(made));
	return failed;
}
