/* SPDX-License-Identifier: Apache-2.0 */
/* To whom a manifest shows what the algorithm wrote: each word, with each kind of key. */
#include "agent/computation/participant.h"
#include "common/crypto/key.h"
#include "tests/unit.h"

enum { ALGORITHM, OWNER, CONSUMER, STRANGER, KEYS };

static EVP_PKEY *keys[KEYS];
static ProtobufCBinaryData spki[KEYS];
static struct asset dataset = { .key = &spki[OWNER], .name = "a" };
static struct consumer consumer = { .key = &spki[CONSUMER] };
static Cvms__Extension extension;
static Cvms__ComputationRunReq manifest;
static struct computation computation = {
	.manifest = &manifest,
	.algorithm = { .key = &spki[ALGORITHM] },
	.datasets = &dataset,
	.dataset_count = 1,
	.consumers = &consumer,
	.consumer_count = 1,
};

static int make_keys(void **state)
{
	struct err e;

	for (size_t i = 0; i < KEYS; i++) {
		assert_ok(key_generate(i % 2 ? KEY_ED25519 : KEY_ECDSA, &keys[i], &e), e);
		assert_ok(key_to_spki(keys[i], &spki[i].data, &spki[i].len, &e), e);
	}
	cvms__extension__init(&extension);
	cvms__computation_run_req__init(&manifest);
	return 0;
}

static int free_keys(void **state)
{
	for (size_t i = 0; i < KEYS; i++) {
		EVP_PKEY_free(keys[i]);
		free(spki[i].data);
	}
	return 0;
}

/* Signed with one key, with another one named (KEYS: none). */
static int ask(size_t signer, size_t named, const char *role, bool proof, struct err *e)
{
	struct access a = { .role = PROOF_ROLE_PARTICIPANT, .method = "/agent.AgentService/Log" };
	struct proof p = { .role = role, .method = a.method };
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t sig[SIGNATURE_MAX];
	size_t len;

	assert_ok(proof_message(&p, NULL, &bytes, &len, e), *e);
	a.is_proof = proof;
	a.signature = sig;
	if (!proof) {
		free(bytes);
		bytes = (uint8_t *)strdup(a.role);
		len = strlen(a.role);
	}
	assert_ok(key_sign(keys[signer], false, bytes, len, sig, &a.signature_len, e), *e);
	if (named < KEYS)
		a.signer = spki[named];
	return participant_check(&a, &computation, e);
}

static void each_word_shows_it_to_its_own(void **state)
{
	static const struct {
		const char *logs; /* NULL: no extension */
		bool shown[KEYS];
		const char *names;
	} rows[] = {
		{ NULL, { [ALGORITHM] = true, [OWNER] = true, [CONSUMER] = true }, "everybody" },
		{ "", { [ALGORITHM] = true, [OWNER] = true, [CONSUMER] = true }, "everybody" },
		{ "all", { [ALGORITHM] = true, [OWNER] = true, [CONSUMER] = true }, "everybody" },
		{ "consumers", { [CONSUMER] = true }, "the consumers" },
		{ "provider", { [ALGORITHM] = true }, "the algorithm's provider" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		extension.logs = (char *)rows[i].logs;
		manifest.cocos = rows[i].logs ? &extension : NULL;
		assert_string_equal(participant_names(&computation), rows[i].names);
		for (size_t key = 0; key < KEYS; key++) {
			if (rows[i].shown[key])
				assert_ok(ask(key, key, PROOF_ROLE_PARTICIPANT, true, &e), e);
			else
				assert_refused(ask(key, key, PROOF_ROLE_PARTICIPANT, true, &e), e,
					       ERR_DENIED,
					       key == STRANGER ? PROOF_REFUSED_UNKNOWN
							       : PROOF_REFUSED_OTHER);
		}
	}
	manifest.cocos = NULL;
}

/* The right key named, and signed by another; signed for another role, or for the role alone. */
static void a_name_is_no_signature(void **state)
{
	struct err e;

	for (size_t signer = 0; signer < KEYS; signer++)
		for (size_t named = 0; named < KEYS; named++)
			if (signer != named)
				assert_refused(ask(signer, named, PROOF_ROLE_PARTICIPANT, true, &e),
					       e, ERR_DENIED, PROOF_REFUSED_SIGNATURE);
	assert_refused(ask(CONSUMER, KEYS, PROOF_ROLE_PARTICIPANT, true, &e), e, ERR_DENIED,
		       "not signed for this call");
	assert_refused(ask(CONSUMER, CONSUMER, PROOF_ROLE_CONSUMER, true, &e), e, ERR_DENIED,
		       PROOF_REFUSED_SIGNATURE);
	assert_refused(ask(CONSUMER, CONSUMER, PROOF_ROLE_PARTICIPANT, false, &e), e, ERR_DENIED,
		       "not signed for this call");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_shows_it_to_its_own),
		cmocka_unit_test(a_name_is_no_signature),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
