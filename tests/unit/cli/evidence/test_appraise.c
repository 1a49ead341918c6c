/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a command talks to: tokens right in everything are taken, and with one thing changed refused
 * by its name; a later session has to be the first one's agent; what can't be shown over the channel
 * is pending, and pending is not verified.
 */
#include "attestation/token/run_statement.h"
#include "cli/evidence/appraise.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/manifest/manifest.h"
#include "tests/unit/attestation/snp/forge.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"
#include "tests/unit/attestation/verify/verify_kind.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_MAX = 1 << 20, PATH_MAX_ = 256 };

static const struct command command = {
	.name = "test",
	.options = (const struct cli_option[]){ APPRAISE_OPTIONS, { .name = NULL } },
};

static char dir[] = "/tmp/cocos-appraise-XXXXXX";
static uint8_t manifest[SHA3_256_LEN];
static EVP_PKEY *key, *other_key;
static uint8_t *key_der;
static size_t key_der_len;
static char chain[2 * PATH_MAX_ + 1];
static const struct verify_kind *kind;

/* ---- files ---- */

static const char *at(const char *name)
{
	static char paths[8][PATH_MAX_];
	static unsigned next;
	char *path = paths[next++ % ARRAY_LEN(paths)];

	snprintf(path, PATH_MAX_, "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const void *bytes, size_t len)
{
	struct err e;

	assert_ok(file_write(at(name), bytes, len, 0600, &e), e);
}

static void put_span(const char *name, struct span bytes)
{
	put(name, bytes.bytes, bytes.len);
}

/* The measurements that the kind's evidence has, as a policy in JSON; `twist` is one hex digit put in
 * place of the last. */
static void put_policy(char digit)
{
	struct policy p;
	char text[512], hex[2 * DIGEST_MAX + 1];

	policy_init(&p);
	kind->policy(&p);
	if (kind->mode == EVIDENCE_SNP) {
		char second[2 * DIGEST_MAX + 1];

		hex_encode(p.snp.measurements.values, SNP_DIGEST_LEN, hex);
		hex_encode(p.snp.measurements.values + SNP_DIGEST_LEN, SNP_DIGEST_LEN, second);
		if (digit)
			hex[95] = second[95] = digit;
		snprintf(text, sizeof(text),
			 "{\"cocos\":1,\"snp\":{\"measurements\":[\"%s\",\"%s\"]}}", hex, second);
	} else {
		hex_encode(p.tpm.pcrs[0].values.values, SHA256_LEN, hex);
		if (digit)
			hex[63] = digit;
		snprintf(text, sizeof(text),
			 "{\"cocos\":1,\"tpm\":{\"pcrs\":{\"sha256\":{\"4\":[\"%s\"]}}}}", hex);
	}
	put("policy.json", text, strlen(text));
}

/* A small manifest; its digest is what the run statement has to name. */
static void put_manifest(const char *name, int number, uint8_t digest[SHA3_256_LEN])
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	struct manifest_digests digests;
	char text[4096], *spki;
	struct err e;

	spki = base64_encode(key_der, key_der_len);
	snprintf(text, sizeof(text),
		 "{\"id\":\"7a\",\"name\":\"test %d\",\"algorithm\":{\"hash\":\"%064d\","
		 "\"user_key\":\"%s\"},\"result_consumers\":[{\"user_key\":\"%s\"}]}",
		 number, number, spki, spki);
	free(spki);
	assert_ok(manifest_from_json(text, strlen(text), &m, &e), e);
	assert_ok(manifest_digest(m, &digests, &e), e);
	memcpy(digest, digests.sha3_256, SHA3_256_LEN);
	put(name, text, strlen(text));
}

/* ---- one agent's answer ---- */

struct answer {
	EVP_PKEY *key;
	enum verify_twist
		twist; /* of evidence and statement alike: another agent, right in itself */
	bool unbound;  /* the evidence is of another session */
	bool no_run;
};

static void answer(const struct answer *want, struct authenticator *a)
{
	static uint8_t session;
	uint8_t exporter[BINDING_EXPORTER_LEN] = { ++session };
	struct writer run = writer_up_to(RUN_STATEMENT_MAX), token = writer_up_to(TOKEN_MAX);
	struct writer evidence = { 0 }, run_evidence = { 0 };
	struct eat_content content = { .issuer = "cocos-agent",
				       .platform = kind->mode,
				       .nonce_use = EAT_USE_CHANNEL,
				       .issued = kind->at - 10,
				       .expires = kind->at + 300 };
	struct run_statement statement = { .computation = "7a" };
	struct binding bound, wrong = { .report_data = { 1 } };
	struct err e;

	memset(a, 0, sizeof(*a));
	assert_ok(key_to_spki(want->key, &a->spki, &a->spki_len, &e), e);
	assert_ok(binding_channel(DIGEST_SHA256, a->spki, a->spki_len, exporter, NULL, &a->binding,
				  &e),
		  e);
	statement.identity = a->spki;
	statement.identity_len = a->spki_len;
	memcpy(statement.manifest, manifest, SHA3_256_LEN);
	assert_ok(run_statement_write(&statement, &run, &e), e);
	assert_ok(binding_run(run.bytes, run.len, &bound, &e), e);
	kind->evidence(&bound, want->twist, &run_evidence);
	kind->evidence(want->unbound ? &wrong : &a->binding, want->twist, &evidence);
	content.nonce = (struct eat_bytes){ a->binding.tpm_nonce, BINDING_TPM_NONCE_LEN };
	content.raw_report = (struct eat_bytes){ evidence.bytes, evidence.len };
	if (!want->no_run) {
		content.run = (struct eat_bytes){ run.bytes, run.len };
		content.run_evidence = (struct eat_bytes){ run_evidence.bytes, run_evidence.len };
	}
	assert_ok(eat_write(&content, want->key, &token, &e), e);
	a->evidence = writer_take(&token, &a->evidence_len);
	writer_done(&run);
	writer_done(&evidence);
	writer_done(&run_evidence);
}

static int session(struct appraise *a, const struct answer *want, struct err *e)
{
	struct authenticator auth;
	int status;

	*e = (struct err){ 0 };
	answer(want, &auth);
	status = appraise_session(a, &auth, e);
	authenticator_done(&auth);
	if ((status == 0) !=
	    (appraise_is_verified(a) || appraise_wants_credential(a) || appraise_wants_log(a)))
		fail_msg("status %d, and the session says otherwise", status);
	return status;
}

/* ---- options ---- */

struct option {
	const char *name, *value;
};

static int open_with(const struct option *more, struct appraise **a, struct err *e)
{
	struct appraise_settings settings = { .at = kind->at };
	struct cli cli;
	int status = 0;

	cli_init(&cli, &command);
	if (kind->mode == EVIDENCE_SNP) {
		assert_ok(cli_give(&cli, "trusted_root", at("root.der"), e), *e);
		assert_ok(cli_give(&cli, "CA_bundles_paths", chain, e), *e);
	}
	assert_ok(cli_give(&cli, "offline", NULL, e), *e);
	assert_ok(cli_give(&cli, "cache", at("cache"), e), *e);
	for (; more && more->name; more++)
		assert_ok(cli_give(&cli, more->name, more->value, e), *e);
	status = appraise_new(&cli, &settings, a, e);
	cli_done(&cli);
	return status;
}

static struct appraise *opened(const struct option *more)
{
	struct appraise *a = NULL;
	struct err e;

	assert_ok(open_with(more, &a, &e), e);
	return a;
}

#define POLICY   { "attestation-policy", at("policy.json") }
#define MANIFEST { "manifest", at("manifest.json") }
#define AK       { "ak", at("ak") }

static void use_kind(const struct verify_kind *k)
{
	struct verify_input in = { .mode = EVIDENCE_EAT };

	kind = k;
	kind->setup();
	kind->endorse(&in);
	if (kind->mode == EVIDENCE_SNP) {
		struct span root = in.snp.trusted_root;

		put_span("root.der", root);
		put_span("ask.der", in.snp.intermediate);
		snprintf(chain, sizeof(chain), "%s,%s", at("ask.der"), at("root.der"));
	} else {
		put_span("ak", in.tpm.binding.named);
	}
	put_policy(0);
}

static const struct verify_kind *const kinds[] = { &verify_kind_snp, &verify_kind_vtpm };

/* The options that are right for the kind; `extra` behind them. */
static struct appraise *right(const struct option *extra)
{
	const struct option both[] = {
		POLICY, MANIFEST, extra ? *extra : (struct option){ 0 }, { NULL, NULL }
	};
	const struct option tpm[] = {
		POLICY, MANIFEST, AK, extra ? *extra : (struct option){ 0 }, { NULL, NULL }
	};

	return opened(kind->mode == EVIDENCE_VTPM ? tpm : both);
}

static int setup(void **state)
{
	struct err e;

	assert_non_null(mkdtemp(dir));
	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_generate(KEY_ECDSA, &other_key, &e), e);
	assert_ok(key_to_spki(key, &key_der, &key_der_len, &e), e);
	put_manifest("other.json", 2, manifest);
	put_manifest("manifest.json", 1, manifest);
	return 0;
}

static int teardown(void **state)
{
	struct err e;

	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	free(key_der);
	assert_ok(dir_remove(dir, &e), e);
	return 0;
}

static void without_a_policy_there_is_no_judge(void **state)
{
	struct appraise *a = NULL;
	struct err e;

	use_kind(&verify_kind_snp);
	assert_refused(open_with(NULL, &a, &e), e, ERR_INVALID, "policy create");
	assert_null(a);
	kind->teardown();
}

static void a_context_is_32_bytes_in_either_spelling(void **state)
{
	static const char hex[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F";
	static const char base64[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
	const char *const good[] = { hex, base64 };
	const char *const bad[] = { "", "00", "AAECAwQ=", hex + 1, base64 + 1 };
	struct appraise *a;
	struct err e;

	use_kind(&verify_kind_snp);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		a = right(&(struct option){ "attestation-request-context", good[i] });
		for (uint8_t byte = 0; byte < 32; byte++)
			assert_int_equal(appraise_context(a)[byte], byte);
		appraise_free(a);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct option options[] = { POLICY,
						  { "attestation-request-context", bad[i] },
						  { NULL, NULL } };

		a = NULL;
		assert_refused(open_with(options, &a, &e), e, ERR_INVALID, "request context");
	}
	a = right(NULL);
	assert_null(appraise_context(a));
	appraise_free(a);
	kind->teardown();
}

static void an_agent_as_the_policy_wants_it_is_verified(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct appraise *a;
		struct err e;

		use_kind(kinds[i]);
		a = right(NULL);
		assert_false(appraise_is_verified(a));
		assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
		assert_true(appraise_is_verified(a));
		assert_int_equal(appraise_wire_type(a),
				 (uint8_t)evidence_kind_rows[kind->mode].type);
		/* And again, over another connection or the same. */
		assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
		appraise_free(a);
		kind->teardown();
	}
}

static void each_other_agent_is_refused_by_name(void **state)
{
	struct appraise *a;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		use_kind(kinds[i]);
		a = right(NULL);
		assert_refused(session(a, &(struct answer){ .key = key, .unbound = true }, &e), e,
			       ERR_DENIED, kind->bound);
		assert_false(appraise_is_verified(a));
		assert_refused(session(a, &(struct answer){ .key = key, .no_run = true }, &e), e,
			       ERR_DENIED, "run.statement");
		appraise_free(a);
		put_policy('0');
		a = right(NULL);
		assert_refused(session(a, &(struct answer){ .key = key }, &e), e, ERR_DENIED,
			       "attestation: policy.");
		appraise_free(a);
		put_policy(0);
		const struct option other[] = { POLICY,
						{ "manifest", at("other.json") },
						kind->mode == EVIDENCE_VTPM ? (struct option)AK
									    : (struct option){ 0 },
						{ NULL, NULL } };
		a = opened(other);
		assert_refused(session(a, &(struct answer){ .key = key }, &e), e, ERR_DENIED,
			       "run.manifest");
		appraise_free(a);
		kind->teardown();
	}
}

static void garbage_is_refused_and_leaves_nothing_verified(void **state)
{
	struct authenticator auth = { .evidence = (uint8_t *)(uintptr_t)"x",
				      .evidence_len = 1,
				      .spki = (uint8_t *)(uintptr_t)"y",
				      .spki_len = 1 };
	struct appraise *a;
	struct err e;

	use_kind(&verify_kind_snp);
	a = right(NULL);
	assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
	assert_int_equal(appraise_session(a, &auth, &e), -ERR_DENIED);
	assert_false(appraise_is_verified(a));
	auth.evidence_len = 0;
	assert_int_equal(appraise_session(a, &auth, &e), -ERR_DENIED);
	assert_false(appraise_is_verified(a));
	assert_refused(appraise_again(a, &e), e, ERR_PRECONDITION, "no session");
	appraise_free(a);
	kind->teardown();
}

/* Each is right in itself, and as the policy wants it. */
static void a_later_session_is_the_first_ones_agent(void **state)
{
	static const struct {
		struct answer later;
		const char *check;
	} rows[] = {
		{ { .twist = TWIST_CHIP }, "same.chip" },
		{ { .twist = TWIST_MEASUREMENT }, "same.measurement" },
		{ { .twist = TWIST_GUEST }, "same.report_id" },
	};
	struct appraise *a;
	struct err e;

	use_kind(&verify_kind_snp);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct answer later = rows[i].later;

		later.key = key;
		a = right(NULL);
		assert_ok(session(a, &later, &e), e); /* as the first it would do */
		appraise_free(a);
		a = right(NULL);
		assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
		assert_refused(session(a, &later, &e), e, ERR_DENIED, rows[i].check);
		assert_false(appraise_is_verified(a));
		assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
		appraise_free(a);
	}
	a = right(NULL);
	assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
	assert_refused(session(a, &(struct answer){ .key = other_key }, &e), e, ERR_DENIED,
		       "same.key");
	appraise_free(a);
	kind->teardown();
	use_kind(&verify_kind_vtpm);
	a = right(NULL);
	assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
	assert_refused(session(a, &(struct answer){ .key = key, .twist = TWIST_BOOT }, &e), e,
		       ERR_DENIED, "same.boot");
	appraise_free(a);
	kind->teardown();
}

/* ---- what a channel's own evidence can't show ---- */

static EVP_PKEY *ek_root_key, *ek;
static struct span ek_cert;

static void put_ek(void)
{
	static const uint8_t purpose[] = {
		0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x01
	}; /* an EK's */
	static uint8_t root_der[FORGE_CERT_MAX], ek_der[FORGE_CERT_MAX];
	struct forge_cert want = { .subject = "Maker",
				   .issuer = "Maker",
				   .algorithm = FORGE_ECDSA,
				   .serial = 1,
				   .not_before = kind->at - 1000,
				   .not_after = kind->at + 1000,
				   .constraints = "critical,CA:TRUE",
				   .usage = "critical,keyCertSign" };

	ek_root_key = EVP_EC_gen("P-256");
	ek = EVP_RSA_gen(2048);
	want.key = want.issuer_key = ek_root_key;
	put("ek_root.der", root_der, forge_make(&want, root_der));
	want.subject = "A TPM";
	want.key = ek;
	want.constraints = "critical,CA:FALSE";
	want.usage = "critical,keyEncipherment";
	forge_add(&want, "2.5.29.37", purpose, sizeof(purpose));
	ek_cert = (struct span){ ek_der, forge_make(&want, ek_der) };
}

static void drop_ek(void)
{
	EVP_PKEY_free(ek_root_key);
	EVP_PKEY_free(ek);
}

static struct appraise *with_ek(void)
{
	const struct option options[] = {
		POLICY, MANIFEST, { "ek_root", at("ek_root.der") }, { NULL, NULL }
	};

	return opened(options);
}

static void an_ek_makes_a_session_wait_for_its_tpm(void **state)
{
	const struct credential *c;
	struct appraise *a;
	struct err e;

	use_kind(&verify_kind_vtpm);
	put_ek();
	a = with_ek();
	assert_refused(session(a, &(struct answer){ .key = key }, &e), e, ERR_DENIED,
		       "ak.activated");
	appraise_allow_pending(a, true);
	assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
	assert_true(appraise_wants_credential(a));
	assert_false(appraise_is_verified(a));
	assert_refused(appraise_challenge(a, NULL, 0, &c, &e), e, ERR_DENIED, "no EK certificate");
	assert_ok(appraise_challenge(a, &ek_cert, 1, &c, &e), e);
	assert_false(appraise_is_verified(a));
	assert_ok(appraise_answer(a, c->secret, sizeof(c->secret), &e), e);
	assert_false(appraise_is_verified(a));
	assert_ok(appraise_again(a, &e), e);
	assert_true(appraise_is_verified(a));
	/* Once shown it holds for later sessions of that AK. */
	appraise_allow_pending(a, false);
	assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
	assert_true(appraise_is_verified(a));
	appraise_free(a);
	drop_ek();
	kind->teardown();
}

static void a_pending_session_without_its_answer_is_none(void **state)
{
	uint8_t wrong[CREDENTIAL_SECRET_LEN] = { 0 };
	const struct credential *c;
	struct appraise *a;
	struct err e;

	use_kind(&verify_kind_vtpm);
	put_ek();
	for (unsigned step = 0; step < 3; step++) {
		a = with_ek();
		appraise_allow_pending(a, true);
		assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
		if (step > 0)
			assert_ok(appraise_challenge(a, &ek_cert, 1, &c, &e), e);
		if (step > 1)
			assert_ok(appraise_answer(a, wrong, sizeof(wrong), &e), e);
		assert_refused(appraise_again(a, &e), e, ERR_DENIED, "ak.activated");
		assert_false(appraise_is_verified(a));
		appraise_free(a);
	}
	/* Waiting for the EK excuses nothing else. */
	put_policy('0');
	a = with_ek();
	appraise_allow_pending(a, true);
	assert_refused(session(a, &(struct answer){ .key = key }, &e), e, ERR_DENIED,
		       "policy.pcr4");
	appraise_free(a);
	drop_ek();
	kind->teardown();
}

/* ---- receipts ---- */

static unsigned count_files(const char *path, const char *ending, mode_t mode)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		size_t len = strlen(entry->d_name), tail = strlen(ending);
		struct stat about;

		if (len < tail || strcmp(entry->d_name + len - tail, ending) != 0)
			continue;
		assert_int_equal(fstatat(dirfd(d), entry->d_name, &about, 0), 0);
		assert_int_equal(about.st_mode & 07777, mode);
		count++;
	}
	closedir(d);
	return count;
}

static void evidence_and_verdict_of_each_session_are_kept(void **state)
{
	char path[PATH_MAX_];
	const struct option keep = { "receipt-dir", path };
	struct appraise *a;
	struct err e;

	snprintf(path, sizeof(path), "%s/receipts", dir);
	use_kind(&verify_kind_snp);
	a = right(&keep);
	assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
	assert_ok(session(a, &(struct answer){ .key = key }, &e), e);
	assert_int_equal(session(a, &(struct answer){ .key = other_key }, &e), -ERR_DENIED);
	appraise_free(a);
	assert_int_equal(count_files(keep.value, ".eat", 0600), 3);
	assert_int_equal(count_files(keep.value, ".json", 0600), 3);
	kind->teardown();
}

static void a_session_whose_receipt_cannot_be_kept_is_none(void **state)
{
	char path[PATH_MAX_];
	const struct option keep = { "receipt-dir", path };
	struct appraise *a;
	struct err e;

	snprintf(path, sizeof(path), "%s/policy.json/below", dir);
	use_kind(&verify_kind_snp);
	a = right(&keep);
	assert_true(session(a, &(struct answer){ .key = key }, &e) < 0);
	assert_non_null(strstr(e.text, "receipt"));
	assert_false(appraise_is_verified(a));
	appraise_free(a);
	kind->teardown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_policy_there_is_no_judge),
		cmocka_unit_test(a_context_is_32_bytes_in_either_spelling),
		cmocka_unit_test(an_agent_as_the_policy_wants_it_is_verified),
		cmocka_unit_test(each_other_agent_is_refused_by_name),
		cmocka_unit_test(garbage_is_refused_and_leaves_nothing_verified),
		cmocka_unit_test(a_later_session_is_the_first_ones_agent),
		cmocka_unit_test(an_ek_makes_a_session_wait_for_its_tpm),
		cmocka_unit_test(a_pending_session_without_its_answer_is_none),
		cmocka_unit_test(evidence_and_verdict_of_each_session_are_kept),
		cmocka_unit_test(a_session_whose_receipt_cannot_be_kept_is_none),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
