/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/manifest_keep.h"

#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
	[MANIFEST_KEEP_NOTHING] = "nothing",
	[MANIFEST_KEEP_RETRY] = "retry",
	[MANIFEST_KEEP_ALGORITHM] = "algorithm",
};

bool manifest_keep_find(const char *word, enum manifest_keep *keep)
{
	for (size_t i = MANIFEST_KEEP_RETRY; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], word) == 0) {
			*keep = (enum manifest_keep)i;
			return true;
		}
	}
	return false;
}

const char *manifest_keep_word(enum manifest_keep keep)
{
	return words[keep];
}

static int config_digest(const struct agent_config *config, uint8_t out[SHA3_256_LEN],
			 struct err *e)
{
	CLEANUP(free) char *text = NULL;
	size_t len;

	if (agent_config_canonical(config, &text, &len, e) < 0)
		return err_code(e);
	return digest(DIGEST_SHA3_256, text, len, out, e);
}

/* A copy that lends all but what the leave passes over. */
struct form {
	Cvms__ComputationRunReq manifest;
	Cvms__Algorithm algorithm;
	Cvms__Extension extension;
	uint8_t hash[MANIFEST_HASH_LEN];
};

static void pass_over_algorithm(struct form *form)
{
	Cvms__ComputationRunReq *m = &form->manifest;

	m->id = (char *)(uintptr_t)protobuf_c_empty_string;
	form->algorithm = *m->algorithm;
	form->algorithm.hash = (ProtobufCBinaryData){ sizeof(form->hash), form->hash };
	form->algorithm.algo_type = (char *)(uintptr_t)protobuf_c_empty_string;
	form->algorithm.n_algo_args = 0;
	m->algorithm = &form->algorithm;
	if (!m->cocos)
		return;
	form->extension = *m->cocos;
	form->extension.requirements_hash = (ProtobufCBinaryData){ 0, NULL };
	m->cocos = &form->extension;
}

int manifest_keep_digest(const Cvms__ComputationRunReq *manifest, const struct agent_config *config,
			 enum manifest_keep keep, uint8_t out[SHA3_256_LEN], struct err *e)
{
	static const char label[] = "cocos-keep-v1";
	CLEANUP_WRITER struct writer w = writer_up_to(6UL * MANIFEST_MAX + 256);
	struct form form = { .manifest = *manifest };
	CLEANUP(free) char *text = NULL;
	uint8_t config_hash[SHA3_256_LEN];
	size_t len;

	if (keep == MANIFEST_KEEP_ALGORITHM)
		pass_over_algorithm(&form);
	if (config_digest(config, config_hash, e) < 0 ||
	    manifest_canonical(&form.manifest, &text, &len, e) < 0)
		return err_code(e);
	writer_bytes(&w, label, sizeof(label));
	writer_bytes(&w, words[keep], strlen(words[keep]) + 1);
	writer_bytes(&w, config_hash, sizeof(config_hash));
	writer_bytes(&w, text, len);
	if (writer_check(&w, "a manifest's form", e) < 0)
		return err_code(e);
	return digest(DIGEST_SHA3_256, w.bytes, w.len, out, e);
}
