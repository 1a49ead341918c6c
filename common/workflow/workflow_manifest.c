/* SPDX-License-Identifier: Apache-2.0 */
#include "common/workflow/workflow_manifest.h"

#include "common/base/encode.h"
#include "common/base/json.h"

#include <stdio.h>
#include <string.h>

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

/* DER SubjectPublicKeyInfo, which a manifest has in base64. */
static int put_spki(struct writer *w, const void *spki, size_t len, struct err *e)
{
	CLEANUP(free) char *text = base64_encode(spki, len);

	if (!text)
		return err_nomem(e);
	put_text(w, "user_key", text);
	return 0;
}

/* Of an Ed25519 key (RFC 8410, section 4): all but the key's bytes is the same for each. */
static int put_key(struct writer *w, const uint8_t key[WORKFLOW_CVM_KEY_LEN], struct err *e)
{
	uint8_t spki[12 + WORKFLOW_CVM_KEY_LEN] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
						    0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

	memcpy(spki + 12, key, WORKFLOW_CVM_KEY_LEN);
	return put_spki(w, spki, sizeof(spki), e);
}

static int put_datasets(const struct workflow_order *order, const struct workflow_node *node,
			const struct workflow_cvm *cvm, const uint8_t digests[][SHA3_256_LEN],
			struct writer *w, struct err *e)
{
	json_put_key(w, "datasets");
	for (size_t i = 0; i < node->dependencies_count; i++) {
		writer_text(w, i ? ",{" : "[{");
		json_put_hex(w, "hash", digests[i], SHA3_256_LEN);
		if (put_key(w, cvm->owners[i], e) < 0)
			return err_code(e);
		put_text(w, "filename", order->spec.nodes[node->dependencies[i]].name);
		writer_text(w, "}");
	}
	writer_text(w, "]");
	return 0;
}

static int put_algorithm(const struct workflow_node *node, const struct workflow_cvm *cvm,
			 struct writer *w, struct err *e)
{
	json_put_key(w, "algorithm");
	writer_text(w, "{");
	json_put_hex(w, "hash", cvm->algorithm, SHA3_256_LEN);
	if (put_key(w, cvm->launcher, e) < 0)
		return err_code(e);
	put_text(w, "algo_type", cvm->type);
	json_put_key(w, "algo_args");
	writer_text(w, "[");
	json_quote(w, node->function, strlen(node->function));
	for (size_t i = 0; i < cvm->arg_count; i++) {
		writer_text(w, ",");
		json_quote(w, cvm->args[i], strlen(cvm->args[i]));
	}
	writer_text(w, "]}");
	return 0;
}

static void put_rest(const struct workflow_cvm *cvm, struct writer *w)
{
	json_put_key(w, "agent_config");
	writer_text(w, "{\"attested_tls\":true}");
	json_put_key(w, "cocos");
	writer_text(w, "{\"layout\":\"folders\",\"logs\":\"consumers\"");
	if (cvm->has_requirements)
		json_put_hex(w, "requirements_hash", cvm->requirements, SHA3_256_LEN);
	writer_text(w, "}");
}

void workflow_manifest_id(const struct workflow_order *order, const struct workflow_node *node,
			  char id[WORKFLOW_COMPUTATION_ID_LEN])
{
	hex_encode(order->id, sizeof(order->id), id);
	snprintf(id + WORKFLOW_ID_TEXT_LEN, WORKFLOW_COMPUTATION_ID_LEN - WORKFLOW_ID_TEXT_LEN,
		 ".%u", (unsigned)(uint16_t)(node - order->spec.nodes));
}

int workflow_manifest_write(const struct workflow_order *order, const struct workflow_node *node,
			    const struct workflow_cvm *cvm, const uint8_t digests[][SHA3_256_LEN],
			    struct writer *w, struct err *e)
{
	char id[WORKFLOW_COMPUTATION_ID_LEN];

	workflow_manifest_id(order, node, id);
	writer_text(w, "{");
	put_text(w, "id", id);
	put_text(w, "name", id); /* of computations in a workspace no two have the same */
	if (put_datasets(order, node, cvm, digests, w, e) < 0 || put_algorithm(node, cvm, w, e) < 0)
		return err_code(e);
	json_put_key(w, "result_consumers");
	writer_text(w, "[{");
	if ((cvm->has_consumer ? put_key(w, cvm->consumer, e)
			       : put_spki(w, order->submitter, order->submitter_len, e)) < 0)
		return err_code(e);
	writer_text(w, "}]");
	put_rest(cvm, w);
	writer_text(w, "}");
	return writer_check(w, "the manifest of a node", e);
}
