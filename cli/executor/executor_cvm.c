/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_cvm.h"

#include "cli/client/waiting.h"
#include "cli/executor/executor_key.h"
#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/file.h"

#include <string.h>
#include <openssl/crypto.h>

/* ---- with its agent ---- */

int executor_cvm_key(const struct hpke_key *own, int *fd, char path[NODE_AGENT_PATH_MAX],
		     struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	uint8_t public[WORKFLOW_CVM_KEY_LEN];
	char *pem = NULL;
	int failed;

	if (executor_key_signer(own, &key, public, e) < 0 || key_to_private_pem(key, &pem, e) < 0)
		return err_code(e);
	failed = node_agent_file(pem, strlen(pem), fd, path, e);
	OPENSSL_cleanse(pem, strlen(pem));
	free(pem);
	return failed;
}

int executor_cvm_limit(const struct workflow_order *order, char text[32], struct err *e)
{
	int64_t left = order->expires - clock_ms(CLOCK_REALTIME);

	if (left < WAITING_MIN_MS)
		return err_set(e, ERR_DENIED, "its order has expired");
	if (left > (int64_t)WAITING_MAX_MS)
		left = WAITING_MAX_MS;
	snprintf(text, 32, "%llds", (long long)(left / 1000));
	return 0;
}

/* ---- who starts it ---- */

static int read_digest(const char *folder, const char *name, uint8_t out[SHA3_256_LEN],
		       struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (text_format(&path, e, "%s/inputs/%s", folder, name) < 0 ||
	    file_read(path, WORKFLOW_OUTPUT_MAX, &bytes, &len, e) < 0)
		return err_code(e);
	if (len != SHA3_256_LEN)
		return err_set(e, ERR_DENIED,
			       "input of %s: %zu bytes, where the digest of what goes into the CVM "
			       "has %d",
			       name, len, SHA3_256_LEN);
	memcpy(out, bytes, SHA3_256_LEN);
	return 0;
}

static int put(const struct executor_folder *folder, const char *name, const void *bytes,
	       size_t len, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (text_format(&path, e, "%s/%s", folder->path, name) < 0)
		return err_code(e);
	return file_write_new(path, bytes, len, 0600, e);
}

static int put_key(const struct executor_folder *folder, const struct hpke_key *own, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	uint8_t public[WORKFLOW_CVM_KEY_LEN];
	char *pem = NULL;
	int failed;

	if (executor_key_signer(own, &key, public, e) < 0 || key_to_private_pem(key, &pem, e) < 0)
		return err_code(e);
	failed = put(folder, "key.pem", pem, strlen(pem), e);
	OPENSSL_cleanse(pem, strlen(pem));
	free(pem);
	return failed;
}

int executor_cvm_put(const struct executor_folder *folder, const struct executor_node *node,
		     const struct hpke_key *own, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WORKFLOW_MANIFEST_MAX);
	struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };
	uint8_t digests[WORKFLOW_CVM_INPUTS_MAX][SHA3_256_LEN];
	const struct workflow_spec *spec = &node->order.spec;

	if (workflow_cvm_read(spec, node->node, &cvm, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < node->node->dependencies_count; i++)
		if (read_digest(folder->path, spec->nodes[node->node->dependencies[i]].name,
				digests[i], e) < 0)
			return err_code(e);
	if (workflow_manifest_write(&node->order, node->node, &cvm, digests, &w, e) < 0 ||
	    put(folder, "manifest.json", w.bytes, w.len, e) < 0 ||
	    put(folder, "policy.json", cvm.policy, strlen(cvm.policy), e) < 0)
		return err_code(e);
	return put_key(folder, own, e);
}

/* ---- what is handed over ---- */

int executor_input_make(const void *output, size_t len, struct executor_input *input, struct err *e)
{
	uint8_t salt[WORKFLOW_SALT_LEN];
	uint8_t *bytes = malloc(WORKFLOW_SALT_LINE_LEN + len + 1);

	if (!bytes)
		return err_nomem(e);
	*input = (struct executor_input){ .bytes = bytes, .len = WORKFLOW_SALT_LINE_LEN + len };
	if (random_bytes(salt, sizeof(salt), e) < 0)
		goto failed;
	hex_encode(salt, sizeof(salt), (char *)bytes);
	bytes[WORKFLOW_SALT_LINE_LEN - 1] = '\n';
	if (len)
		memcpy(bytes + WORKFLOW_SALT_LINE_LEN, output, len);
	if (digest(DIGEST_SHA3_256, bytes, input->len, input->digest, e) == 0)
		return 0;
failed:
	executor_input_done(input);
	return err_code(e);
}

void executor_input_done(struct executor_input *input)
{
	if (input->bytes)
		OPENSSL_cleanse(input->bytes, input->len);
	free(input->bytes);
	input->bytes = NULL;
}
