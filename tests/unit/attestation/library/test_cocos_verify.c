/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of evidence through the installed library's interface, and what several threads may
 * share. tests/integration/library.py has genuine evidence. */
#include "attestation/library/cocos/attestation.h"
#include "tests/unit/attestation/library/library_call.h"
#include "tests/unit/attestation/snp/forge.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"

#include <pthread.h>

static const struct verify_kind *const kinds[] = { &verify_kind_snp, &verify_kind_tdx,
						   &verify_kind_vtpm, &verify_kind_snp_vtpm };
static const enum cocos_mode modes[] = { COCOS_SNP, COCOS_TDX, COCOS_VTPM, COCOS_SNP_VTPM };

static int setup(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		kinds[i]->setup();
	return 0;
}

static int teardown(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		kinds[i]->teardown();
	return 0;
}

static void assert_yes(const struct cocos_verdict *v)
{
	if (!cocos_verdict_ok(v))
		fail_msg("%s", cocos_verdict_reason(v));
}

static void assert_no(const struct cocos_verdict *v, const char *check)
{
	assert_non_null(v);
	assert_false(cocos_verdict_ok(v));
	if (strncmp(cocos_verdict_reason(v), check, strlen(check)) != 0)
		fail_msg("'%s' is not about %s", cocos_verdict_reason(v), check);
	assert_null(cocos_verdict_identity(v));
	assert_null(cocos_verdict_manifest(v));
}

static void judge_token(size_t kind, bool by_channel, enum cocos_mode mode)
{
	uint8_t identity[SHA256_LEN];
	struct cocos_verdict *v;
	struct verify_build b;
	struct library_call c;
	struct err e;

	verify_build_begin(&b, kinds[kind]);
	b.by_channel = by_channel;
	if (by_channel)
		b.content.nonce_use = EAT_USE_CHANNEL;
	verify_build_seal(&b);
	assert_int_equal(library_call_make(&c, &b, mode), 0);
	v = library_call_judge(&c);
	assert_yes(v);
	assert_ok(digest(DIGEST_SHA256, b.spki, b.spki_len, identity, &e), e);
	assert_non_null(cocos_verdict_identity(v));
	assert_memory_equal(cocos_verdict_identity(v), identity, sizeof(identity));
	assert_non_null(cocos_verdict_manifest(v));
	assert_memory_equal(cocos_verdict_manifest(v), b.manifest[0], SHA3_256_LEN);
	assert_int_equal(cocos_verdict_mode(v), modes[kind]);
	assert_int_equal(cocos_verdict_tdx_status(v) != NULL, modes[kind] == COCOS_TDX);
	/* Nothing in it points into what it was made of. */
	library_call_done(&c);
	verify_build_end(&b);
	assert_string_equal(cocos_check_outcome(cocos_verdict_find(v, "run.statement")), "passed");
	cocos_verdict_free(v);
}

static void a_token_of_each_kind_is_verified_by_nonce_and_by_channel(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		judge_token(i, false, COCOS_EAT);
		judge_token(i, true, COCOS_EAT);
		judge_token(i, false, modes[i]);
	}
}

static void another_nonce_channel_manifest_or_moment_is_a_no(void **state)
{
	enum { NONCE, MANIFEST, MOMENT, CHANNEL, WRONGS };

	for (int wrong = NONCE; wrong < WRONGS; wrong++)
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			struct cocos_verdict *v;
			struct verify_build b;
			struct library_call c;

			verify_build_begin(&b, kinds[i]);
			verify_build_seal(&b);
			b.tee[0] ^= wrong == NONCE;
			b.manifest[0][0] ^= wrong == MANIFEST;
			b.in.at += wrong == MOMENT ? 86400 * 365 : 0;
			if (wrong == CHANNEL)
				b.in.binding = (struct verify_binding){ .channel = &b.channel };
			assert_int_equal(library_call_make(&c, &b, COCOS_EAT), 0);
			v = library_call_judge(&c);
			assert_no(v, wrong == NONCE      ? "token.nonce"
				     : wrong == MANIFEST ? "run."
							 : "token.");
			cocos_verdict_free(v);
			library_call_done(&c);
			verify_build_end(&b);
		}
}

static void without_a_policy_nothing_is_verified(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct cocos_verdict *v;
		struct verify_build b;
		struct library_call c;

		verify_build_begin(&b, kinds[i]);
		verify_build_seal(&b);
		b.in.manifest_count = 0;
		assert_int_equal(library_call_make(&c, &b, COCOS_EAT), 0);
		assert_int_equal(cocos_verify(c.request, c.endorsements, NULL, &v, NULL), 0);
		assert_no(v, "policy.given");
		cocos_verdict_free(v);
		/* It may be real hardware's all the same. */
		assert_int_equal(cocos_request_flags(c.request, COCOS_GENUINE_ONLY, NULL), 0);
		assert_int_equal(cocos_verify(c.request, c.endorsements, NULL, &v, NULL), 0);
		assert_yes(v);
		assert_non_null(strstr(cocos_verdict_word(v), "genuine"));
		cocos_verdict_free(v);
		/* And nobody looks at a policy then. */
		assert_int_equal(cocos_verify(c.request, c.endorsements, &c.policy, &v, NULL),
				 -COCOS_INVALID);
		assert_null(v);
		cocos_verdict_free(v);
		library_call_done(&c);
		verify_build_end(&b);
	}
}

/* ---- an EK that vouches ---- */

struct ek_room {
	EVP_PKEY *root_key, *ek;
	uint8_t root[FORGE_CERT_MAX], cert[FORGE_CERT_MAX];
	size_t root_len, cert_len;
	struct forge_tpm forge;
	struct forge_tpm_parts parts;
	struct verify_build build;
	struct library_call call;
};

static size_t certify(const struct ek_room *r, const char *subject, EVP_PKEY *key,
		      const char *constraints, const char *usage, uint8_t *der)
{
	static const uint8_t purpose[] = { 0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x01 };
	struct forge_cert want = { .subject = subject,
				   .issuer = "Maker's root",
				   .key = key,
				   .issuer_key = r->root_key,
				   .algorithm = FORGE_ECDSA,
				   .serial = 7,
				   .not_before = FORGE_AT - 86400,
				   .not_after = FORGE_AT + 86400,
				   .constraints = constraints,
				   .usage = usage };

	forge_add(&want, "2.5.29.37", purpose, sizeof(purpose)); /* an EK's */
	return forge_make(&want, der);
}

/* A bare quote whose AK nobody names. */
static void ek_room_open(struct ek_room *r)
{
	memset(r, 0, sizeof(*r));
	r->root_key = EVP_EC_gen("P-256");
	r->ek = EVP_RSA_gen(2048);
	r->root_len = certify(r, "Maker's root", r->root_key, "critical,CA:TRUE",
			      "critical,keyCertSign", r->root);
	r->cert_len = certify(r, "TPM 4711", r->ek, "critical,CA:FALSE", "critical,keyEncipherment",
			      r->cert);
	tpm_forge_init(&r->forge);
	tpm_forge_parts(&r->forge, &r->parts);
	verify_build_begin(&r->build, &verify_kind_vtpm);
	r->build.in.tpm.binding.named.len = 0;
	r->build.in.manifest_count = 0;
	r->build.in.evidence = tpm_forge_span(&r->parts.message);
	r->build.in.binding =
		(struct verify_binding){ .tpm_nonce = { r->forge.nonce, sizeof(r->forge.nonce) } };
	r->build.in.at = FORGE_AT;
	assert_int_equal(library_call_make(&r->call, &r->build, COCOS_VTPM), 0);
	assert_int_equal(cocos_request_flags(r->call.request, COCOS_GENUINE_ONLY, NULL), 0);
	r->call.without_policy = true;
	assert_int_equal(cocos_endorsements_add(r->call.endorsements, COCOS_TPM_EK_CERT, r->cert,
						r->cert_len, NULL),
			 0);
	assert_int_equal(cocos_endorsements_add(r->call.endorsements, COCOS_TPM_EK_ROOT, r->root,
						r->root_len, NULL),
			 0);
}

static void ek_room_close(struct ek_room *r)
{
	library_call_done(&r->call);
	verify_build_end(&r->build);
	tpm_forge_parts_done(&r->parts);
	tpm_forge_done(&r->forge);
	EVP_PKEY_free(r->root_key);
	EVP_PKEY_free(r->ek);
}

/* The credential of that room's EK and AK, answered by a TPM that recovers it, or by one that guesses. */
static struct cocos_credential *activate(const struct ek_room *r, bool recovers)
{
	struct cocos_credential *made = NULL;
	uint8_t secret[CREDENTIAL_SECRET_LEN];
	struct span ak = tpm_forge_span(&r->parts.ak_public);

	assert_int_equal(cocos_credential_make(r->cert, r->cert_len, ak.bytes, ak.len, &made, NULL),
			 0);
	assert_true(cocos_credential_blob(made).len && cocos_credential_encrypted(made).len);
	assert_int_equal(cocos_request_credential(r->call.request, made, NULL), -COCOS_INVALID);
	memcpy(secret, made->credential.secret, sizeof(secret));
	secret[0] ^= !recovers;
	assert_int_equal(cocos_credential_answer(made, secret, sizeof(secret) - 1, NULL),
			 -COCOS_INVALID);
	assert_int_equal(cocos_credential_answer(made, secret, sizeof(secret), NULL), 0);
	return made;
}

static void an_ek_vouches_by_a_credential_and_by_nothing_else(void **state)
{
	static const char *const outcomes[] = { "ak.activated", "ak.activated", "" };

	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		struct cocos_credential *credential = NULL;
		struct cocos_verdict *v;
		struct ek_room r;

		ek_room_open(&r);
		if (i > 0) {
			credential = activate(&r, i == 2);
			assert_int_equal(cocos_request_credential(r.call.request, credential, NULL),
					 0);
			assert_int_equal(cocos_request_credential(r.call.request, credential, NULL),
					 -COCOS_INVALID);
		}
		v = library_call_judge(&r.call);
		if (*outcomes[i])
			assert_no(v, outcomes[i]);
		else
			assert_yes(v);
		cocos_verdict_free(v);
		cocos_credential_free(credential);
		ek_room_close(&r);
	}
}

/* ---- threads ---- */

enum { THREADS = 4, TURNS = 10 };

struct shared {
	struct library_call *call;
	unsigned yes; /* of this thread's turns */
};

static void *judge_often(void *data)
{
	struct shared *s = data;

	for (unsigned turn = 0; turn < TURNS; turn++) {
		struct cocos_verdict *v = NULL;
		char *text;

		if (cocos_verify(s->call->request, s->call->endorsements, &s->call->policy, &v,
				 NULL) != 0)
			continue;
		text = cocos_verdict_json(v);
		s->yes += cocos_verdict_ok(v) && text && strstr(text, "\"verified\"");
		cocos_text_free(text);
		cocos_verdict_free(v);
	}
	return NULL;
}

/* Without a memory and with one that all of them use. */
static void threads_share_request_endorsements_policy_and_memory(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct shared shared[THREADS];
		pthread_t threads[THREADS];
		struct cocos_memory *memory = NULL;
		struct verify_build b;
		struct library_call c;

		verify_build_begin(&b, kinds[i]);
		verify_build_seal(&b);
		assert_int_equal(library_call_make(&c, &b, COCOS_EAT), 0);
		assert_int_equal(cocos_memory_new(NULL, NULL), -COCOS_INVALID);
		assert_int_equal(cocos_request_memory(c.request, NULL, NULL), -COCOS_INVALID);
		assert_int_equal(cocos_memory_new(&memory, NULL), 0);
		if (i < 2)
			assert_int_equal(cocos_request_memory(c.request, memory, NULL), 0);
		for (size_t n = 0; n < THREADS; n++) {
			shared[n] = (struct shared){ &c, 0 };
			assert_int_equal(pthread_create(&threads[n], NULL, judge_often, &shared[n]),
					 0);
		}
		for (size_t n = 0; n < THREADS; n++) {
			pthread_join(threads[n], NULL);
			assert_int_equal(shared[n].yes, TURNS);
		}
		library_call_done(&c);
		cocos_memory_free(memory);
		verify_build_end(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_of_each_kind_is_verified_by_nonce_and_by_channel),
		cmocka_unit_test(another_nonce_channel_manifest_or_moment_is_a_no),
		cmocka_unit_test(without_a_policy_nothing_is_verified),
		cmocka_unit_test(an_ek_vouches_by_a_credential_and_by_nothing_else),
		cmocka_unit_test(threads_share_request_endorsements_policy_and_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
