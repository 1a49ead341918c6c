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
static void refuse_with(struct challenge_claim *challenge, size_t signer, size_t named,
			const uint8_t *of, struct err *e)
{
	struct access a = { .challenge = challenge,
			    .role = PROOF_ROLE_DATA,
			    .method = "/agent.AgentService/Data" };
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
	const int failed = refusal_not_signed(&a, &computation, "its owner", of, NULL, e);

	assert_int_equal(failed, -(int)e->code);
	assert_true(failed == -ERR_DENIED || challenge);
}

static void refuse(size_t signer, size_t named, const uint8_t *of, struct err *e)
{
	refuse_with(NULL, signer, named, of, e);
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

static struct challenges challenges;

static struct challenge_claim *held(uint8_t v[PROOF_SESSION_LEN])
{
	struct challenge_claim *claim = NULL;
	struct err e;

	assert_ok(challenge_make(&challenges, 0, v, &e), e);
	assert_ok(challenge_hold(&challenges, 0, v, &claim, &e), e);
	return claim;
}

/* Whoever the manifest names has shown the key, if for the wrong call; of others nothing is kept. */
static void a_key_that_is_named_has_used_its_challenge(void **state)
{
	uint8_t v[PROOF_SESSION_LEN];
	struct err e;

	assert_ok(challenges_begin(&challenges, &e), e);
	for (size_t i = 0; i < KEYS; i++) {
		struct challenge_claim *claim = held(v), *again = NULL;

		refuse_with(claim, i, i, asset, &e);
		challenge_release(claim);
		assert_int_equal(challenge_hold(&challenges, 0, v, &again, &e),
				 i == STRANGER ? 0 : -ERR_DENIED);
		challenge_release(again);
	}
	assert_int_equal(challenges.user_count, KEYS - 1);
	challenges_end(&challenges);
}

static void who_has_used_too_many_is_told_so(void **state)
{
	const struct span key = { spki[DATA].data, spki[DATA].len };
	const uint64_t now_ms = uv_hrtime() / 1000000;
	struct challenge_claim *claim = NULL;
	uint8_t v[PROOF_SESSION_LEN];
	struct err e;

	assert_ok(challenges_begin(&challenges, &e), e);
	for (int i = 0; i <= CHALLENGES_OF_ONE; i++) {
		challenge_release(claim);
		assert_ok(challenge_make(&challenges, now_ms, v, &e), e);
		assert_ok(challenge_hold(&challenges, now_ms, v, &claim, &e), e);
		if (i < CHALLENGES_OF_ONE)
			assert_ok(challenge_use(claim, now_ms, key, &e), e);
	}
	refuse_with(claim, DATA, DATA, asset, &e);
	assert_int_equal(e.code, ERR_EXHAUSTED);
	assert_non_null(strstr(e.text, "this key has used"));
	refuse_with(claim, DATA, KEYS, asset, &e); /* where the call did not name its key, too */
	assert_int_equal(e.code, ERR_EXHAUSTED);
	challenge_release(claim);
	challenges_end(&challenges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_key_it_is_its_holder_is_told),
		cmocka_unit_test(of_anybody_elses_key_nothing_is_told),
		cmocka_unit_test(a_signature_of_something_else_tells_nothing),
		cmocka_unit_test(a_key_that_is_none_is_no_key),
		cmocka_unit_test(a_key_that_is_named_has_used_its_challenge),
		cmocka_unit_test(who_has_used_too_many_is_told_so),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
