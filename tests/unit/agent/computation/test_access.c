/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/access.h"
#include "common/base/encode.h"
#include "common/crypto/key.h"
#include "tests/unit.h"
#include "tests/unit_rsa.h"

#define METHOD "/agent.AgentService/Data"

static EVP_PKEY *key, *other;
static ProtobufCBinaryData spki, other_spki;
static struct challenges challenges;
static const uint8_t manifest[PROOF_DIGEST_LEN] = { 1 }, asset[PROOF_DIGEST_LEN] = { 2 };
static const uint8_t tls_session[PROOF_SESSION_LEN] = { 3 };

static int make_keys(void **state)
{
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_generate(KEY_ED25519, &other, &e), e);
	assert_ok(key_to_spki(key, &spki.data, &spki.len, &e), e);
	assert_ok(key_to_spki(other, &other_spki.data, &other_spki.len, &e), e);
	return 0;
}

static int free_keys(void **state)
{
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	free(spki.data);
	free(other_spki.data);
	return 0;
}

static void add(struct rpc_metadata *m, const char *name, const char *text)
{
	struct err e;

	assert_ok(rpc_metadata_add(m, name, text, &e), e);
}

static void add_signature(struct rpc_metadata *m, const char *name, EVP_PKEY *signer,
			  const void *bytes, size_t len)
{
	uint8_t sig[SIGNATURE_MAX];
	size_t sig_len;
	CLEANUP(free) char *text = NULL;
	struct err e;

	assert_ok(key_sign(signer, false, bytes, len, sig, &sig_len, &e), e);
	text = base64_encode(sig, sig_len);
	add(m, name, text);
}

static struct proof good_proof(void)
{
	struct proof p = { .role = PROOF_ROLE_DATA, .method = METHOD };

	memcpy(p.manifest, manifest, sizeof(manifest));
	memcpy(p.session, tls_session, sizeof(tls_session));
	memcpy(p.asset, asset, sizeof(asset));
	return p;
}

static void add_proof(struct rpc_metadata *m, EVP_PKEY *signer, const struct proof *p,
		      const char *parameter)
{
	CLEANUP_WRITER struct writer parameters = writer_up_to(1024);
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	proof_parameter_text(&parameters, "filename", parameter);
	assert_ok(proof_message(p, &parameters, &bytes, &len, &e), e);
	add_signature(m, PROOF_KEY, signer, bytes, len);
}

static int verify(struct access *a, const ProtobufCBinaryData *owner, const char *parameter,
		  struct err *e)
{
	CLEANUP_WRITER struct writer parameters = writer_up_to(1024);

	proof_parameter_text(&parameters, "filename", parameter);
	a->method = METHOD;
	return access_verify(a, owner, manifest, asset, &parameters, e);
}

static int is_signed(const struct access *a, const ProtobufCBinaryData *owner,
		     const char *parameter, struct err *e)
{
	CLEANUP_WRITER struct writer parameters = writer_up_to(1024);

	proof_parameter_text(&parameters, "filename", parameter);
	return access_is_signed(a, owner, manifest, asset, &parameters, e);
}

static int read_plain(struct rpc_metadata *m, struct access *a, struct err *e)
{
	return access_read_metadata(m, PROOF_ROLE_DATA, false, NULL, &challenges, a, e);
}

static int read_tls(struct rpc_metadata *m, bool role_signature, struct access *a, struct err *e)
{
	return access_read_metadata(m, PROOF_ROLE_DATA, role_signature, tls_session, &challenges, a,
				    e);
}

static void a_proof_serves_its_call_and_no_other(void **state)
{
	struct proof p = good_proof();
	struct rpc_metadata m = { 0 };
	struct access a;
	struct err e;

	add(&m, "user-id", PROOF_ROLE_DATA);
	add_proof(&m, key, &p, "f");
	assert_ok(read_tls(&m, false, &a, &e), e);
	assert_true(a.is_proof);
	assert_ok(verify(&a, &spki, "f", &e), e);
	assert_int_equal(verify(&a, &spki, "g", &e), -ERR_DENIED);
	assert_int_equal(verify(&a, &other_spki, "f", &e), -ERR_DENIED);
	a.role = PROOF_ROLE_CONSUMER;
	assert_int_equal(verify(&a, &spki, "f", &e), -ERR_DENIED);
	access_done(&a);
	rpc_metadata_done(&m);
}

/* Each part of what is signed is changed alone. */
static void every_part_counts(void **state)
{
	for (int part = 0; part < 5; part++) {
		struct proof p = good_proof();
		struct rpc_metadata m = { 0 };
		struct access a;
		struct err e;

		if (part == 0)
			p.role = PROOF_ROLE_ALGORITHM;
		else if (part == 1)
			p.method = "/agent.AgentService/Algo";
		else if (part == 2)
			p.manifest[31] ^= 1;
		else if (part == 3)
			p.session[0] ^= 1;
		else
			p.asset[5] ^= 1;
		add(&m, "user-id", PROOF_ROLE_DATA);
		add_proof(&m, key, &p, "f");
		assert_ok(read_tls(&m, false, &a, &e), e);
		assert_int_equal(verify(&a, &spki, "f", &e), -ERR_DENIED);
		access_done(&a);
		rpc_metadata_done(&m);
	}
}

static void a_challenge_stands_in_for_tls_once(void **state)
{
	struct proof p = good_proof();
	struct rpc_metadata m = { 0 };
	char hex[2 * PROOF_SESSION_LEN + 1];
	struct access a, second;
	struct err e;

	assert_ok(challenges_begin(&challenges, &e), e);
	assert_ok(challenge_make(&challenges, uv_hrtime() / 1000000, p.session, &e), e);
	hex_encode(p.session, sizeof(p.session), hex);
	add(&m, "user-id", PROOF_ROLE_DATA);
	add_proof(&m, key, &p, "f");
	assert_refused(access_read_metadata(&m, PROOF_ROLE_DATA, true, NULL, &challenges, &a, &e),
		       e, ERR_UNAUTHENTICATED, "proof-challenge is missing");
	add(&m, PROOF_CHALLENGE_KEY, hex);
	/* What does not hold, or is of a key that nobody names, uses up nothing. */
	for (int i = 0; i < 2; i++) {
		assert_ok(read_plain(&m, &a, &e), e);
		assert_int_equal(verify(&a, &other_spki, "f", &e), -ERR_DENIED);
		assert_int_equal(verify(&a, &spki, "g", &e), -ERR_DENIED);
		assert_ok(is_signed(&a, &spki, "f", &e), e);
		access_done(&a);
	}
	assert_ok(read_plain(&m, &a, &e), e);
	assert_refused(read_plain(&m, &second, &e), e, ERR_DENIED, "used or expired");
	assert_ok(verify(&a, &spki, "f", &e), e);
	assert_ok(verify(&a, &spki, "f", &e), e); /* of the same call */
	access_done(&a);
	assert_refused(read_plain(&m, &a, &e), e, ERR_DENIED, "used or expired");
	rpc_metadata_done(&m);
	challenges_end(&challenges);
}

static void a_role_signature_is_taken_only_where_allowed(void **state)
{
	struct rpc_metadata m = { 0 };
	struct access a;
	struct err e;

	add(&m, "user-id", PROOF_ROLE_DATA);
	add_signature(&m, "signature", key, PROOF_ROLE_DATA, strlen(PROOF_ROLE_DATA));
	assert_refused(read_tls(&m, false, &a, &e), e, ERR_DENIED, "could be replayed");
	assert_ok(read_tls(&m, true, &a, &e), e);
	assert_false(a.is_proof);
	assert_ok(verify(&a, &spki, "anything", &e), e);
	assert_int_equal(verify(&a, &other_spki, "anything", &e), -ERR_DENIED);
	access_done(&a);
	rpc_metadata_done(&m);
}

/* A proof that fails is not saved by a good role signature beside it. */
static void a_proof_goes_before_a_role_signature(void **state)
{
	struct proof p = good_proof();
	struct rpc_metadata m = { 0 };
	struct access a;
	struct err e;

	add(&m, "user-id", PROOF_ROLE_DATA);
	add_signature(&m, "signature", key, PROOF_ROLE_DATA, strlen(PROOF_ROLE_DATA));
	add_proof(&m, other, &p, "f");
	assert_ok(read_tls(&m, true, &a, &e), e);
	assert_int_equal(verify(&a, &spki, "f", &e), -ERR_DENIED);
	access_done(&a);
	rpc_metadata_done(&m);
}

static void malformed_claims_are_refused_by_name(void **state)
{
	static const struct {
		const char *keys[3], *values[3];
		enum err_code code;
		const char *words;
	} cases[] = {
		{ { NULL }, { NULL }, ERR_UNAUTHENTICATED, "user-id is missing" },
		{ { "user-id" }, { "consumer" }, ERR_DENIED, "for the role data-provider" },
		{ { "user-id" }, { "data-provider" }, ERR_UNAUTHENTICATED, "proof is missing" },
		{ { "user-id", "user-id" },
		  { "data-provider", "data-provider" },
		  ERR_INVALID,
		  "user-id: more than once" },
		{ { "user-id", "proof" }, { "data-provider", "!" }, ERR_INVALID, "not base64" },
		{ { "user-id", "proof", "proof" },
		  { "data-provider", "AA==", "AA==" },
		  ERR_INVALID,
		  "proof: more than once" },
		{ { "user-id", "proof", "proof-key" },
		  { "data-provider", "AA==", "!" },
		  ERR_INVALID,
		  "proof-key: not base64" },
		{ { "user-id", "proof", "asset-digest" },
		  { "data-provider", "AA==", "00" },
		  ERR_INVALID,
		  "asset-digest" },
		{ { "user-id", "proof", "upload-offset" },
		  { "data-provider", "AA==", "5" },
		  ERR_INVALID,
		  "needs asset-digest" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rpc_metadata m = { 0 };
		struct access a;

		for (size_t k = 0; k < 3 && cases[i].keys[k]; k++)
			add(&m, cases[i].keys[k], cases[i].values[k]);
		assert_refused(read_tls(&m, true, &a, &e), e, cases[i].code, cases[i].words);
		rpc_metadata_done(&m);
	}
}

/* With a digest or without, and never more than something to look at. */
static void sizes_are_decimal(void **state)
{
	static const char *const good[] = { "0", "1", "999999999999999999" };
	static const char *const bad[] = { "", "-1", "01", "1x", "9999999999999999999", " 1" };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool is_good = i < ARRAY_LEN(good);
		struct rpc_metadata m = { 0 };
		struct access a = { 0 };

		add(&m, "user-id", PROOF_ROLE_DATA);
		add(&m, PROOF_KEY, "AA==");
		add(&m, PROOF_SIZE_KEY, is_good ? good[i] : bad[i - ARRAY_LEN(good)]);
		assert_int_equal(read_tls(&m, true, &a, &e), is_good ? 0 : -ERR_INVALID);
		if (is_good) {
			assert_int_equal(a.size, strtoull(good[i], NULL, 10));
			access_done(&a);
		}
		rpc_metadata_done(&m);
	}
}

static void offsets_are_decimal(void **state)
{
	static const char *const good[] = { "0", "1", "999999999999999999" };
	static const char *const bad[] = { "", "-1", "01", "1x", "9999999999999999999", " 1" };
	char digest[65];
	struct err e;

	memset(digest, 'a', 64);
	digest[64] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool is_good = i < ARRAY_LEN(good);
		struct rpc_metadata m = { 0 };
		struct access a = { 0 };

		add(&m, "user-id", PROOF_ROLE_DATA);
		add(&m, PROOF_KEY, "AA==");
		add(&m, PROOF_DIGEST_KEY, digest);
		add(&m, PROOF_OFFSET_KEY, is_good ? good[i] : bad[i - ARRAY_LEN(good)]);
		assert_int_equal(read_tls(&m, true, &a, &e), is_good ? 0 : -ERR_INVALID);
		if (is_good) {
			assert_true(a.has_offset && a.has_digest);
			access_done(&a);
		}
		rpc_metadata_done(&m);
	}
}

/* A caller may name any key: an RSA modulus that is no sound one is looked at no closer than others. */
static void nobody_has_the_named_key_examined(void **state)
{
	CLEANUP(free) uint8_t *der = NULL;
	struct rpc_metadata m = { 0 };
	struct proof p = good_proof();
	struct access a;
	struct err e;
	size_t len;

	unsound_rsa(17, &der, &len);
	add(&m, "user-id", PROOF_ROLE_DATA);
	add_proof(&m, key, &p, "f");
	assert_ok(read_tls(&m, false, &a, &e), e);
	const ProtobufCBinaryData named = { .data = der, .len = len };
	assert_refused(verify(&a, &named, "f", &e), e, ERR_DENIED, "signature");
	access_done(&a);
	rpc_metadata_done(&m);
}

/* No key is the beginning of another. */
static void a_key_is_named_whole(void **state)
{
	uint8_t bytes[] = { 1, 2, 3, 4 };
	const ProtobufCBinaryData own = { .data = bytes, .len = 3 };

	for (size_t len = 0; len <= sizeof(bytes); len++) {
		const struct access a = { .signer = { .data = bytes, .len = len } };

		assert_int_equal(access_names(&a, &own), len == own.len);
	}
	uint8_t changed[] = { 1, 2, 4 };
	const struct access a = { .signer = { .data = changed, .len = sizeof(changed) } };
	assert_false(access_names(&a, &own));
}

static void the_signers_key_has_a_limit(void **state)
{
	struct err e;

	for (size_t i = 0; i < 3; i++) {
		size_t len = 2 * SPKI_MAX + (i == 1 ? 4 : 0);
		struct rpc_metadata m = { 0 };
		char text[2 * SPKI_MAX + 5];
		struct access a;

		memset(text, 'A', sizeof(text));
		text[len] = '\0';
		add(&m, "user-id", PROOF_ROLE_DATA);
		add(&m, PROOF_KEY, "AA==");
		add(&m, PROOF_SIGNER_KEY, text);
		if (i == 2)
			add(&m, PROOF_SIGNER_KEY, text);
		if (i) {
			assert_refused(read_tls(&m, true, &a, &e), e, ERR_INVALID,
				       i == 1 ? "not base64 of a public key" : "more than once");
		} else {
			assert_ok(read_tls(&m, true, &a, &e), e);
			assert_int_equal(a.signer.len, len / 4 * 3);
			access_done(&a);
		}
		rpc_metadata_done(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_serves_its_call_and_no_other),
		cmocka_unit_test(every_part_counts),
		cmocka_unit_test(a_challenge_stands_in_for_tls_once),
		cmocka_unit_test(a_role_signature_is_taken_only_where_allowed),
		cmocka_unit_test(a_proof_goes_before_a_role_signature),
		cmocka_unit_test(malformed_claims_are_refused_by_name),
		cmocka_unit_test(sizes_are_decimal),
		cmocka_unit_test(offsets_are_decimal),
		cmocka_unit_test(nobody_has_the_named_key_examined),
		cmocka_unit_test(a_key_is_named_whole),
		cmocka_unit_test(the_signers_key_has_a_limit),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
