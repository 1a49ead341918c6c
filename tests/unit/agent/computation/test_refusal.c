/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a refusal tells: the manifest's word on a key, to whoever has signed with that key; of a key
 * that somebody merely names, the same as of any other.
 */
#include "agent/computation/refusal.h"
#include "common/base/encode.h"
#include "common/crypto/key.h"
#include "tests/unit.h"

enum { ALGORITHM, DATA, MORE, CONSUMER, ALL, STRANGER, KEYS };

static EVP_PKEY *keys[KEYS];
static ProtobufCBinaryData spki[KEYS];
static const uint8_t asset[PROOF_DIGEST_LEN] = { 2 };

/* ALL has a dataset, the results, and in one row the algorithm. */
static struct asset datasets[] = {
	{ .key = &spki[DATA], .name = "iris.csv" },
	{ .key = &spki[MORE], .name = "" },
	{ .key = &spki[MORE], .name = "b.csv" },
	{ .key = &spki[ALL], .name = "c.csv" },
};
static struct consumer consumers[] = { { .key = &spki[CONSUMER] }, { .key = &spki[ALL] } };
static struct computation computation = {
	.algorithm = { .key = &spki[ALGORITHM] },
	.datasets = datasets,
	.dataset_count = ARRAY_LEN(datasets),
	.consumers = consumers,
	.consumer_count = ARRAY_LEN(consumers),
};

static int make_keys(void **state)
{
	struct err e;

	for (size_t i = 0; i < KEYS; i++) {
		assert_ok(key_generate(i % 2 ? KEY_ED25519 : KEY_ECDSA, &keys[i], &e), e);
		assert_ok(key_to_spki(keys[i], &spki[i].data, &spki[i].len, &e), e);
	}
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

/* Signed with one key, with another one named beside it (KEYS: none). */
static void refuse(size_t signer, size_t named, const uint8_t *of, struct err *e)
{
	struct access a = { .role = PROOF_ROLE_DATA, .method = "/agent.AgentService/Data" };
	struct proof p = { .role = a.role, .method = a.method };
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t sig[SIGNATURE_MAX];
	size_t len;

	memcpy(p.asset, asset, sizeof(asset));
	assert_ok(proof_message(&p, NULL, &bytes, &len, e), *e);
	a.is_proof = true;
	a.signature = sig;
	assert_ok(key_sign(keys[signer], false, bytes, len, sig, &a.signature_len, e), *e);
	if (named < KEYS)
		a.signer = spki[named];
	assert_int_equal(refusal_not_signed(&a, &computation, "its owner", of, NULL, e),
			 -ERR_DENIED);
	assert_int_equal(e->code, ERR_DENIED);
	assert_non_null(strstr(e->text, "not signed"));
}

static void whose_key_it_is_its_holder_is_told(void **state)
{
	static const struct {
		size_t key;
		const char *says;
	} rows[] = {
		{ ALGORITHM, PROOF_REFUSED_OTHER " the algorithm" },
		{ DATA, PROOF_REFUSED_OTHER " dataset 'iris.csv'" },
		{ MORE, PROOF_REFUSED_OTHER " dataset without a name and 1 more" },
		{ CONSUMER, PROOF_REFUSED_OTHER " results" },
		{ ALL, PROOF_REFUSED_OTHER " dataset 'c.csv', the algorithm, results" },
		{ STRANGER, PROOF_REFUSED_UNKNOWN },
	};
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	char hex[2 * KEY_FINGERPRINT_LEN + 1];
	struct err e;

	assert_ok(key_fingerprint(spki[STRANGER].data, spki[STRANGER].len, fingerprint, &e), e);
	hex_encode(fingerprint, sizeof(fingerprint), hex);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *says;

		computation.algorithm.key = &spki[rows[i].key == ALL ? ALL : ALGORITHM];
		refuse(rows[i].key, rows[i].key, asset, &e);
		says = strstr(e.text, rows[i].says);
		assert_non_null(says);
		says += strlen(rows[i].says);
		if (rows[i].key == STRANGER) {
			assert_memory_equal(says, ", ", 2);
			assert_string_equal(says + 2, hex);
		} else {
			assert_string_equal(says, "");
		}
	}
	computation.algorithm.key = &spki[ALGORITHM];
}

static void of_anybody_elses_key_nothing_is_told(void **state)
{
	struct err stranger, e;

	refuse(STRANGER, MORE, asset, &stranger);
	assert_non_null(strstr(stranger.text, PROOF_REFUSED_SIGNATURE));
	for (size_t named = 0; named < KEYS; named++)
		for (size_t signer = 0; signer < KEYS; signer++) {
			if (named == signer)
				continue;
			refuse(signer, named, asset, &e);
			assert_string_equal(e.text, stranger.text);
		}
}

static void a_signature_of_something_else_tells_nothing(void **state)
{
	static const uint8_t other[PROOF_DIGEST_LEN] = { 9 };
	struct err e;

	for (size_t i = 0; i < KEYS; i++) {
		refuse(i, i, other, &e);
		assert_non_null(strstr(e.text, PROOF_REFUSED_SIGNATURE));
		refuse(i, KEYS, asset, &e);
		assert_non_null(strstr(e.text, "not signed for this call by its owner"));
	}
}

static void a_key_that_is_none_is_no_key(void **state)
{
	uint8_t junk[SPKI_MAX + 1] = { 0x30 };
	const size_t lens[] = { 1, 64, sizeof(junk) };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		const ProtobufCBinaryData kept = spki[STRANGER];

		spki[STRANGER] = (ProtobufCBinaryData){ lens[i], junk };
		refuse(DATA, STRANGER, asset, &e);
		assert_non_null(strstr(e.text, PROOF_REFUSED_SIGNATURE));
		spki[STRANGER] = kept;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_key_it_is_its_holder_is_told),
		cmocka_unit_test(of_anybody_elses_key_nothing_is_told),
		cmocka_unit_test(a_signature_of_something_else_tells_nothing),
		cmocka_unit_test(a_key_that_is_none_is_no_key),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
