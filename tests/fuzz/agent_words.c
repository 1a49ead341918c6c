/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/agent_words.h"

#include "agent_paths.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "common/manifest/proof.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const agent_paths[METHODS] = {
	PROTO_AGENT_ALGO,
	PROTO_AGENT_DATA,
	PROTO_AGENT_RESULT,
	PROTO_AGENT_ATTESTATION,
	PROTO_AGENT_IMA_MEASUREMENTS,
	PROTO_AGENT_AZURE_ATTESTATION_TOKEN,
	PROTO_AGENT_STATUS,
	PROTO_AGENT_ACTIVATE_CREDENTIAL,
	PROTO_AGENT_REATTEST,
	PROTO_AGENT_LOG,
	PROTO_AGENT_RECEIPT,
};

static bool is_bundle(const struct made *m)
{
	return m->extra == EXTRA_BUNDLE || m->extra == EXTRA_OTHER_BUNDLE ||
	       m->extra == EXTRA_SILENT_BUNDLE;
}

struct span agent_requirements(const struct made *m)
{
	/* It begins as a bundle does, and holds nothing of one. */
	const struct world_asset *zip = &world_assets[WORLD_ASSETS - 1];

	if (is_bundle(m))
		return (struct span){ zip->content, zip->len };
	return (struct span){ (const uint8_t *)world_requirements, strlen(world_requirements) };
}

/* As the call says it, rightly or not. */
static void required(const struct made *m, uint8_t d[SHA3_256_LEN])
{
	struct span is = agent_requirements(m);
	struct err e;

	is.len -= m->extra == EXTRA_OTHER_BUNDLE;
	assert(digest(DIGEST_SHA3_256, is.bytes, is.len, d, &e) == 0);
}

struct asset *agent_asset(struct computation *c, size_t asset)
{
	if (!c || asset > c->dataset_count)
		return NULL;
	return asset ? &c->datasets[asset - 1] : &c->algorithm;
}

static void put_word(struct words *w, const char *key, const char *value)
{
	struct grpc_word *word = &w->words[w->count];

	snprintf(w->texts[w->count], sizeof(w->texts[0]), "%s", value);
	*word = (struct grpc_word){ key, w->texts[w->count], strlen(value) };
	w->count++;
}

static void put_base64(struct words *w, const char *key, const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *text = base64_encode(bytes, len);

	assert(text);
	put_word(w, key, text);
}

static void put_hex(struct words *w, const char *key, const uint8_t bytes[32])
{
	char hex[65];

	hex_encode(bytes, 32, hex);
	put_word(w, key, hex);
}

static bool is_unpacked(const struct made *m)
{
	return world_assets[m->asset].decompress || m->extra == EXTRA_UNPACK;
}

static void put_parameters(const struct made *m, struct writer *w)
{
	uint8_t d[SHA3_256_LEN];

	if (m->method == DATA) {
		proof_parameter_text(w, "filename", world_assets[m->asset].name);
		proof_parameter_text(w, "decompress", is_unpacked(m) ? "true" : "false");
	} else if (m->method == ALGO) {
		proof_parameter_text(w, "algo_type", m->how & HOW_PYTHON ? "python" : "bin");
		if (m->extra == EXTRA_RUNTIME)
			proof_parameter_text(w, "python_runtime", "python3");
		if (m->extra == EXTRA_ARGS || m->extra == EXTRA_OTHER_ARGS)
			proof_parameter_text(w, "algo_args",
					     m->extra == EXTRA_ARGS ? "--fast" : "--slow");
		for (int i = 0; m->extra == EXTRA_TWO_ARGS && i < 2; i++)
			proof_parameter_text(w, "algo_args", "--fast");
		if (!(m->how & HOW_PYTHON))
			return;
		required(m, d);
		proof_parameter(w, "requirements", d, sizeof(d));
	}
}

static void put_proof(struct agent *agent, struct words *w, const struct made *m, EVP_PKEY *key,
		      const char *role)
{
	const char *method =
		agent_paths[m->how & HOW_OTHER_METHOD ? (m->method + 1) % 3u : m->method];
	struct proof p = { .role = role, .method = method };
	CLEANUP_WRITER struct writer parameters = writer_up_to(PROOF_PARAMETERS_MAX);
	CLEANUP(free) uint8_t *message = NULL;
	uint8_t signature[SIGNATURE_MAX];
	size_t len, signature_len;
	struct err e;

	assert(challenge_make(&agent->challenges, uv_hrtime() / 1000000, p.session, &e) ==
	       (agent->challenges.begun ? 0 : -ERR_PRECONDITION));
	if (agent->computation)
		memcpy(p.manifest, agent->computation->digests.sha3_256, sizeof(p.manifest));
	if (m->method <= DATA)
		memcpy(p.asset, world_assets[m->asset].digest, sizeof(p.asset));
	put_parameters(m, &parameters);
	assert(proof_message(&p, m->method <= DATA ? &parameters : NULL, &message, &len, &e) == 0);
	if ((m->how & HOW_AUTH) == AUTH_ROLE_SIGNATURE) {
		assert(key_sign(key, false, role, strlen(role), signature, &signature_len, &e) ==
		       0);
		put_base64(w, "signature", signature, signature_len);
		return;
	}
	assert(key_sign(key, false, message, len, signature, &signature_len, &e) == 0);
	put_base64(w, PROOF_KEY, signature, signature_len);
	put_hex(w, PROOF_CHALLENGE_KEY, p.session);
}

/* Who a participant says that it is. */
static void put_signer(struct words *w, EVP_PKEY *key)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;
	struct err e;

	assert(key_to_spki(key, &spki, &len, &e) == 0);
	put_base64(w, PROOF_SIGNER_KEY, spki, len);
}

static void put_extra(struct words *w, const struct made *m)
{
	uint8_t d[SHA3_256_LEN];

	switch (m->extra) {
	case EXTRA_ARGS:
		put_word(w, "algo_args", "--fast");
		break;
	case EXTRA_OTHER_ARGS:
		put_word(w, "algo_args", "--slow");
		break;
	case EXTRA_TYPE:
		put_word(w, "algo_type", "wasm");
		put_word(w, "decompress", "maybe");
		break;
	case EXTRA_RUNTIME:
		put_word(w, "python_runtime", "python3");
		break;
	case EXTRA_TWICE:
		put_word(w, "algo_type", "bin");
		put_word(w, "algo_type", "bin");
		put_word(w, "decompress", "false");
		put_word(w, "decompress", "false");
		break;
	case EXTRA_OTHER_DIGEST:
		put_hex(w, PROOF_DIGEST_KEY, world_assets[(m->asset + 1) % WORLD_ASSETS].digest);
		break;
	case EXTRA_TWO_ARGS:
		put_word(w, "algo_args", "--fast");
		put_word(w, "algo_args", "--fast");
		break;
	case EXTRA_OTHER_RUNTIME:
		put_word(w, "python_runtime", "../python3");
		break;
	case EXTRA_REQUIRED:
	case EXTRA_BUNDLE:
	case EXTRA_OTHER_BUNDLE:
		required(m, d);
		put_hex(w, PROOF_REQUIRED_KEY, d);
		break;
	case EXTRA_OTHER_REQUIRED:
		put_hex(w, PROOF_REQUIRED_KEY, world_assets[0].digest);
		break;
	default:
		break;
	}
}

void agent_words_put(struct agent *agent, struct words *w, const struct made *m)
{
	static const char *const roles[] = { PROOF_ROLE_ALGORITHM, PROOF_ROLE_DATA,
					     PROOF_ROLE_CONSUMER };
	const char *role = roles[(m->method + (m->how & HOW_OTHER_ROLE ? 1u : 0u)) % 3];
	size_t owner = m->method <= DATA ? world_assets[m->asset].owner : m->asset % 2;
	bool other = (m->how & HOW_AUTH) == AUTH_OTHER_KEY;
	char number[24];

	if (m->method > RESULT && !(m->how & HOW_OTHER_ROLE))
		role = m->method == RECEIPT ? PROOF_ROLE_CONSUMER : PROOF_ROLE_PARTICIPANT;
	put_word(w, PROOF_ROLE_KEY, role);
	if ((m->how & HOW_AUTH) != AUTH_NONE)
		put_proof(agent, w, m, world_keys[other ? 2 : owner], role);
	if (m->method > RESULT && (m->how & HOW_AUTH) != AUTH_NONE)
		put_signer(w, world_keys[other ? 2 : owner]);
	if (m->how & HOW_DIGEST && m->method <= RESULT)
		put_hex(w, PROOF_DIGEST_KEY, world_assets[m->asset].digest);
	if (m->how & (HOW_OFFSET | HOW_WRONG_OFFSET)) {
		snprintf(number, sizeof(number), "%llu",
			 (unsigned long long)m->at + (m->how & HOW_WRONG_OFFSET ? 1 : 0));
		put_word(w, PROOF_OFFSET_KEY, number);
	}
	if (m->method == ALGO && m->how & HOW_PYTHON)
		put_word(w, "algo_type", "python");
	if (m->method == DATA && is_unpacked(m))
		put_word(w, "decompress", "true");
	put_extra(w, m);
}
