/* SPDX-License-Identifier: Apache-2.0 */
/* Identity, run statement and token: what they say, and what they never do. */
#include "agent/core/identity.h"
#include "agent/core/statement.h"
#include "agent/evidence/evidence.h"
#include "agent/evidence/evidence_token.h"
#include "attestation/token/run_statement.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "tests/self_signed.h"
#include "tests/unit.h"

#include <stdio.h>

/* ---- identity ---- */

static void an_identity_is_new_and_its_certificate_its_own(void **state)
{
	CLEANUP(X509_free) X509 *cert = NULL;
	struct identity a, b;
	struct err e;

	assert_ok(identity_make(&a, &e), e);
	assert_ok(identity_make(&b, &e), e);
	assert_false(a.external);
	assert_int_equal(a.spki_len, b.spki_len);
	assert_memory_not_equal(a.spki, b.spki, a.spki_len);
	const uint8_t *at = a.leaf;
	cert = d2i_X509(NULL, &at, (long)a.leaf_len);
	assert_non_null(cert);
	assert_int_equal(X509_verify(cert, a.key), 1);
	assert_int_equal(X509_verify(cert, b.key), 0);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), a.key), 1);
	assert_non_null(strstr(a.chain_pem, "BEGIN CERTIFICATE"));
	assert_null(strstr(a.chain_pem, "PRIVATE"));
	identity_done(&a);
	identity_done(&b);
}

static void a_manifests_key_has_to_be_p256(void **state)
{
	static const struct {
		const char *group;
		bool taken;
	} rows[] = { { "P-256", true }, { "P-384", false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(EVP_PKEY_free) EVP_PKEY *key = EVP_EC_gen(rows[i].group);
		CLEANUP(X509_free) X509 *cert = self_signed(key, "agent", NULL, 0);
		struct agent_config config = { .attested_tls = true };
		struct identity identity;
		struct err e;

		assert_ok(key_to_private_pem(key, &config.key, &e), e);
		config.cert = self_signed_pem(cert);
		if (rows[i].taken) {
			assert_ok(identity_take(&config, &identity, &e), e);
			assert_true(identity.external);
			assert_int_equal(EVP_PKEY_eq(identity.key, key), 1);
			assert_string_equal(identity.chain_pem, config.cert);
			identity_done(&identity);
		} else {
			assert_refused(identity_take(&config, &identity, &e), e, ERR_INVALID,
				       "P-256");
		}
		agent_config_done(&config);
	}
}

/* ---- statement ---- */

static struct config config;
static struct computation computation;
static Cvms__ComputationRunReq request = CVMS__COMPUTATION_RUN_REQ__INIT;
static struct identity identity;

static void configure(const char *environment)
{
	config = (struct config){ 0 };
	config.boot.files[BOOTCONFIG_ENVIRONMENT].bytes = (uint8_t *)environment;
	config.boot.files[BOOTCONFIG_ENVIRONMENT].len = strlen(environment);
	request.id = (char *)"c-1";
	computation = (struct computation){ .manifest = &request };
	memset(computation.digests.sha3_256, 0x5a, SHA3_256_LEN);
}

static const struct statement_input input = {
	&config, &computation, &identity, { (const uint8_t *)"journal", 7 }, true
};

static const struct run_entry *entry_of(const struct run_statement *s, const char *key)
{
	for (size_t i = 0; i < s->entry_count; i++)
		if (strcmp(s->entries[i].key, key) == 0)
			return &s->entries[i];
	return NULL;
}

static void a_statement_says_what_the_host_chose(void **state)
{
	static const char environment[] = "AGENT_LOG_LEVEL=info\nAGENT_CVM_ID=\n"
					  "AGENT_CERTS_TOKEN=hush\nAWS_SECRET_ACCESS_KEY=hush\n"
					  "AWS_ACCESS_KEY_ID=hush\n";
	static const char *const secrets[] = { "AGENT_CERTS_TOKEN", "AWS_SECRET_ACCESS_KEY",
					       "AWS_ACCESS_KEY_ID" };
	CLEANUP(free) uint8_t *bytes = NULL;
	struct run_statement s;
	struct bootconfig_digests boot;
	size_t len = 0;
	struct err e;

	configure(environment);
	assert_ok(statement_make(&input, &bytes, &len, &e), e);
	assert_null(memmem(bytes, len, "hush", 4));
	assert_ok(run_statement_parse(bytes, len, &s, &e), e);
	assert_string_equal(s.computation, "c-1");
	assert_ok(bootconfig_digest(&config.boot, &boot, &e), e);
	assert_memory_equal(s.boot, boot.sha3_256, sizeof(s.boot));
	assert_memory_equal(s.manifest, computation.digests.sha3_256, sizeof(s.manifest));
	assert_true(s.fixed);
	assert_false(s.external);
	assert_int_equal(s.weak_count, 0);
	assert_int_equal(s.entry_count, 4); /* an empty value is an absent one */
	assert_string_equal(entry_of(&s, "AGENT_LOG_LEVEL")->value, "info");
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		const struct run_entry *entry = entry_of(&s, secrets[i]);
		const struct digest_part parts[] = { { entry->salt, RUN_SALT_LEN }, { "hush", 4 } };
		uint8_t wanted[SHA256_LEN];

		assert_null(entry->value);
		assert_ok(digest_parts(DIGEST_SHA256, parts, 2, wanted, &e), e);
		assert_memory_equal(entry->digest, wanted, sizeof(wanted));
	}
	run_statement_done(&s);
}

/* Else what a short secret is could be looked up in a table that serves for every statement. */
static void each_secret_has_a_salt_of_its_own(void **state)
{
	static const char *const keys[] = { "AGENT_CERTS_TOKEN", "AWS_ACCESS_KEY_ID" };
	uint8_t salts[2 * ARRAY_LEN(keys)][RUN_SALT_LEN];
	size_t count = 0;

	configure("AGENT_CERTS_TOKEN=hush\nAWS_ACCESS_KEY_ID=hush\n");
	for (unsigned i = 0; i < 2; i++) {
		CLEANUP(free) uint8_t *bytes = NULL;
		struct run_statement s;
		size_t len = 0;
		struct err e;

		assert_ok(statement_make(&input, &bytes, &len, &e), e);
		assert_ok(run_statement_parse(bytes, len, &s, &e), e);
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			memcpy(salts[count++], entry_of(&s, keys[k])->salt, RUN_SALT_LEN);
		run_statement_done(&s);
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(salts[i], salts[k], RUN_SALT_LEN);
}

/* Neither is for the agent to say: the keeper compares them. */
static void whose_key_it_is_and_what_was_fixed_are_said_as_they_are(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct statement_input as = input;
		struct identity own = identity;
		CLEANUP(free) uint8_t *bytes = NULL;
		struct run_statement s;
		size_t len = 0;
		struct err e;

		configure("AGENT_LOG_LEVEL=info\n");
		own.external = i & 1;
		as.identity = &own;
		as.fixed = i & 2;
		assert_ok(statement_make(&as, &bytes, &len, &e), e);
		assert_ok(run_statement_parse(bytes, len, &s, &e), e);
		assert_int_equal(s.external, own.external);
		assert_int_equal(s.fixed, as.fixed);
		run_statement_done(&s);
	}
}

static void weakening_words_are_said(void **state)
{
	static const struct {
		bool development, role_signature;
		const char *word;
	} rows[] = { { true, true, "development" }, { false, true, CONFIG_ROLE_SIGNATURE_WORD } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) uint8_t *bytes = NULL;
		struct run_statement s;
		size_t len = 0;
		struct err e;

		configure("AGENT_LOG_LEVEL=info\n");
		config.options.development = rows[i].development;
		config.role_signature = rows[i].role_signature;
		assert_ok(statement_make(&input, &bytes, &len, &e), e);
		assert_ok(run_statement_parse(bytes, len, &s, &e), e);
		assert_int_equal(s.weak_count, 1);
		assert_string_equal(s.weak[0], rows[i].word);
		run_statement_done(&s);
	}
}

static void a_boot_configuration_over_the_limit_is_refused(void **state)
{
	for (int count = RUN_ENTRIES_MAX; count <= RUN_ENTRIES_MAX + 1; count++) {
		CLEANUP_WRITER struct writer w = writer_up_to(65536);
		CLEANUP(free) uint8_t *bytes = NULL;
		size_t len = 0;
		struct err e;

		for (int i = 0; i < count; i++)
			writer_printf(&w, "KEY_%d=1\n", i);
		writer_u8(&w, 0);
		configure((const char *)w.bytes);
		if (count <= RUN_ENTRIES_MAX)
			assert_ok(statement_make(&input, &bytes, &len, &e), e);
		else
			assert_refused(statement_make(&input, &bytes, &len, &e), e, ERR_EXHAUSTED,
				       "more than 64 entries");
	}
}

/* ---- token ---- */

static const uint8_t nonce[BINDING_TPM_NONCE_LEN] = { 9 };

/* A TPM's token whose logs have these lengths, within `max`: what of them stands where. */
static void logs_in_token(size_t whole, size_t own, size_t max, size_t in_raw, size_t claim)
{
	CLEANUP_WRITER struct writer out = writer_up_to(EAT_MAX);
	CLEANUP(free) uint8_t *logs = calloc(1, whole + own + 1);
	const struct keeper_evidence raw = {
		.platform = EVIDENCE_VTPM,
		.raw = { (const uint8_t *)"raw", 3 },
		.nonce = { nonce, sizeof(nonce) },
		.log = { whole ? logs : NULL, whole },
		.own_log = { own ? logs + whole : NULL, own },
	};
	const struct evidence_run run = { { (const uint8_t *)"statement", 9 },
					  { (const uint8_t *)"evidence", 8 } };
	const struct evidence_token token = { &raw, EAT_USE_CHANNEL, &run, max };
	struct eat eat;
	struct err e;

	assert_ok(evidence_token_write(&token, identity.key, &out, &e), e);
	assert_true(out.len <= max);
	assert_ok(eat_parse(out.bytes, out.len, &eat, &e), e);
	assert_ok(eat_verify(&eat, identity.key, &e), e);
	assert_int_equal(eat.nonce_use, EAT_USE_CHANNEL);
	assert_memory_equal(eat.run.bytes, "statement", 9);
	assert_memory_equal(eat.run_evidence.bytes, "evidence", 8);
	assert_int_equal(eat.spki_len, identity.spki_len);
	assert_memory_equal(eat.spki, identity.spki, eat.spki_len);
	assert_int_equal(eat.event_log.len, claim);
	assert_memory_equal(eat.raw_report.bytes, "raw", 3);
	if (in_raw)
		assert_in_range(eat.raw_report.len, in_raw + 3 + 2, in_raw + 3 + 5);
	else
		assert_int_equal(eat.raw_report.len, 3);
	eat_done(&eat);
}

static void event_logs_go_along_as_far_as_they_fit(void **state)
{
	const size_t max = EVIDENCE_CHANNEL_MAX;

	logs_in_token(40000, 400, max, 40000, 400);
	logs_in_token(max, 400, max, 0, 400);
	logs_in_token(0, 400, max, 0, 400);
	logs_in_token(max, max, max, 0, 0);
	logs_in_token(0, 0, max, 0, 0);
}

static void a_token_that_cannot_fit_is_refused(void **state)
{
	CLEANUP_WRITER struct writer out = writer_up_to(EAT_MAX);
	const struct keeper_evidence raw = { .platform = EVIDENCE_VTPM,
					     .raw = { (const uint8_t *)"raw", 3 },
					     .nonce = { nonce, sizeof(nonce) } };
	const struct evidence_run run = { { NULL, 0 }, { NULL, 0 } };
	struct evidence_token token = { &raw, EAT_USE_NONCE, &run, EAT_MAX };
	struct err e;

	assert_ok(evidence_token_write(&token, identity.key, &out, &e), e);
	token.max = out.len - 8; /* signatures differ in length by less */
	out.len = 0;
	assert_refused(evidence_token_write(&token, identity.key, &out, &e), e, ERR_EXHAUSTED,
		       "more than");
	assert_int_equal(out.len, 0);
}

static int make_identity(void **state)
{
	struct err e;

	return identity_make(&identity, &e);
}

static int drop_identity(void **state)
{
	identity_done(&identity);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_identity_is_new_and_its_certificate_its_own),
		cmocka_unit_test(a_manifests_key_has_to_be_p256),
		cmocka_unit_test(a_statement_says_what_the_host_chose),
		cmocka_unit_test(each_secret_has_a_salt_of_its_own),
		cmocka_unit_test(whose_key_it_is_and_what_was_fixed_are_said_as_they_are),
		cmocka_unit_test(weakening_words_are_said),
		cmocka_unit_test(a_boot_configuration_over_the_limit_is_refused),
		cmocka_unit_test(event_logs_go_along_as_far_as_they_fit),
		cmocka_unit_test(a_token_that_cannot_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, make_identity, drop_identity);
}
