/* SPDX-License-Identifier: Apache-2.0 */
/* What the service makes of evidence: before an agent has a manifest, and with one. */
#include "attestation/token/run_statement.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "computations/core/appraisal.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"
#include "tests/unit/attestation/verify/verify_kind.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { TOKEN_MAX = 1 << 20 };

static const struct verify_kind *const kind = &verify_kind_vtpm;
static char dir[] = "/tmp/cocos-appraisal-XXXXXX", policy_path[64], ak_path[64];
static EVP_PKEY *key;
static uv_loop_t loop;
static struct appraisal *appraisal;
static const uint8_t manifest[SHA3_256_LEN] = { 7 };

static int setup(void **state)
{
	struct verify_input in = { .mode = EVIDENCE_EAT };
	struct config config = { .state_dir = dir,
				 .attestation_policy = policy_path,
				 .attestation_ak = ak_path,
				 .attestation_offline = true };
	char text[256], hex[2 * SHA256_LEN + 1];
	struct policy p;
	struct err e;

	kind->setup();
	kind->endorse(&in);
	policy_init(&p);
	kind->policy(&p);
	assert_non_null(mkdtemp(dir));
	snprintf(policy_path, sizeof(policy_path), "%s/policy", dir);
	snprintf(ak_path, sizeof(ak_path), "%s/ak", dir);
	hex_encode(p.tpm.pcrs[0].values.values, SHA256_LEN, hex);
	snprintf(text, sizeof(text),
		 "{\"cocos\":1,\"tpm\":{\"pcrs\":{\"sha256\":{\"4\":[\"%s\"]}}}}", hex);
	assert_ok(file_write(policy_path, text, strlen(text), 0600, &e), e);
	assert_ok(
		file_write(ak_path, in.tpm.binding.named.bytes, in.tpm.binding.named.len, 0600, &e),
		e);
	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	uv_loop_init(&loop);
	assert_ok(appraisal_new(&loop, &config, &appraisal, &e), e);
	assert_int_equal(appraisal_type(appraisal), 1);
	return 0;
}

static int teardown(void **state)
{
	struct err e;

	appraisal_free(appraisal);
	uv_loop_close(&loop);
	EVP_PKEY_free(key);
	kind->teardown();
	assert_ok(dir_remove(dir, &e), e);
	return 0;
}

/* What an agent would answer; `run`: it has a manifest. */
static void make_token(const struct appraisal_case *which, bool run, struct writer *token)
{
	const struct binding_nonce nonce = { .type = (uint8_t)evidence_kind_rows[kind->mode].type,
					     .tee = which->nonce,
					     .tee_len = APPRAISAL_NONCE_LEN };
	struct writer statement = writer_up_to(RUN_STATEMENT_MAX), evidence = { 0 }, quote = { 0 };
	struct run_statement said = { .computation = "7a" };
	struct eat_content content = { .issuer = "cocos-agent",
				       .platform = kind->mode,
				       .nonce_use = EAT_USE_NONCE,
				       .issued = time(NULL) - 10,
				       .expires = time(NULL) + 300 };
	CLEANUP(free) uint8_t *spki = NULL;
	struct binding bound, said_bound;
	size_t len;
	struct err e;

	*token = writer_up_to(TOKEN_MAX);
	assert_ok(key_to_spki(key, &spki, &len, &e), e);
	assert_ok(binding_nonce(&nonce, spki, len, &bound, &e), e);
	kind->evidence(&bound, TWIST_NONE, &evidence);
	content.nonce = (struct eat_bytes){ bound.tpm_nonce, BINDING_TPM_NONCE_LEN };
	content.raw_report = (struct eat_bytes){ evidence.bytes, evidence.len };
	said.identity = spki;
	said.identity_len = len;
	memcpy(said.manifest, manifest, sizeof(manifest));
	assert_ok(run_statement_write(&said, &statement, &e), e);
	assert_ok(binding_run(statement.bytes, statement.len, &said_bound, &e), e);
	if (run) {
		kind->evidence(&said_bound, TWIST_NONE, &quote);
		content.run = (struct eat_bytes){ statement.bytes, statement.len };
		content.run_evidence = (struct eat_bytes){ quote.bytes, quote.len };
	}
	assert_ok(eat_write(&content, key, token, &e), e);
	writer_done(&statement);
	writer_done(&evidence);
	writer_done(&quote);
}

static void keep(void *data, const struct appraisal_verdict *verdict)
{
	*(struct appraisal_verdict *)data = *verdict;
}

static struct appraisal_verdict judge(const struct appraisal_case *which, const uint8_t *token,
				      size_t len)
{
	struct appraisal_verdict verdict = { .line = "none" };
	struct err e;

	assert_ok(appraisal_start(appraisal, which, token, len, keep, &verdict, &e), e);
	assert_string_equal(verdict.line, "none"); /* never at once */
	uv_run(&loop, UV_RUN_DEFAULT);
	return verdict;
}

static struct appraisal_case fresh(bool has_manifest)
{
	struct appraisal_case which = { .cvm_id = "cvm", .has_manifest = has_manifest };
	struct err e;

	assert_ok(random_bytes(which.nonce, sizeof(which.nonce), &e), e);
	memcpy(which.manifest, manifest, sizeof(manifest));
	return which;
}

static void check(const struct appraisal_case *which, bool run, bool verified, const char *words)
{
	CLEANUP_WRITER struct writer token = { 0 };
	struct appraisal_verdict verdict;

	make_token(which, run, &token);
	verdict = judge(which, token.bytes, token.len);
	if (verdict.verified != verified || !strstr(verdict.line, words))
		fail_msg("'%s'", verdict.line);
}

static void without_a_policy_there_is_none(void **state)
{
	struct config config = { .state_dir = dir };
	struct appraisal *none = appraisal;
	struct err e;

	assert_ok(appraisal_new(&loop, &config, &none, &e), e);
	assert_null(none);
	config.attestation_policy = ak_path;
	assert_int_equal(appraisal_new(&loop, &config, &none, &e), -ERR_INVALID);
	assert_null(none);
}

static void before_its_manifest_an_agent_is_verified_without_a_run(void **state)
{
	struct appraisal_case which = fresh(false);

	check(&which, false, true, "no manifest yet");
	check(&which, false, true, "operator trusted");
	check(&which, true, true, "verified: vtpm");
}

static void with_a_manifest_all_of_the_policy_counts(void **state)
{
	struct appraisal_case which = fresh(true);

	check(&which, true, true, "verified: vtpm");
	check(&which, false, false, "run.statement");
	which.manifest[31] ^= 1;
	check(&which, true, false, "run.manifest");
}

static void anothers_nonce_is_refused(void **state)
{
	struct appraisal_case which = fresh(false), other = fresh(false);
	CLEANUP_WRITER struct writer token = { 0 };
	struct appraisal_verdict verdict;

	make_token(&which, false, &token);
	verdict = judge(&other, token.bytes, token.len);
	assert_false(verdict.verified);
	assert_non_null(strstr(verdict.line, "refused: "));
	for (size_t len = 0; len < token.len; len += 97)
		assert_false(judge(&which, token.bytes, len).verified);
	assert_true(judge(&which, token.bytes, token.len).verified);
}

static void each_of_many_gets_its_own_answer(void **state)
{
	enum { MANY = 6 };
	static const char *const ids[MANY] = { "a", "b", "c", "d", "e", "f" };
	struct appraisal_case cases[MANY];
	struct appraisal_verdict verdicts[MANY];
	struct err e;

	for (unsigned i = 0; i < MANY; i++) {
		CLEANUP_WRITER struct writer token = { 0 };
		struct appraisal_case wrong = fresh(false);

		cases[i] = fresh(false);
		cases[i].cvm_id = wrong.cvm_id = ids[i];
		make_token(&cases[i], false, &token);
		assert_ok(appraisal_start(appraisal, i % 2 ? &wrong : &cases[i], token.bytes,
					  token.len, keep, &verdicts[i], &e),
			  e);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(verdicts[i].verified, i % 2 == 0);
}

static void too_large_a_token_is_refused_at_once(void **state)
{
	struct appraisal_case which = fresh(false);
	uint8_t *large = calloc(1, APPRAISAL_TOKEN_MAX + 1);
	struct appraisal_verdict verdict;
	struct err e;

	assert_false(judge(&which, large, APPRAISAL_TOKEN_MAX).verified);
	assert_refused(appraisal_start(appraisal, &which, large, APPRAISAL_TOKEN_MAX + 1, keep,
				       &verdict, &e),
		       e, ERR_EXHAUSTED, "at most");
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_policy_there_is_none),
		cmocka_unit_test(before_its_manifest_an_agent_is_verified_without_a_run),
		cmocka_unit_test(with_a_manifest_all_of_the_policy_counts),
		cmocka_unit_test(anothers_nonce_is_refused),
		cmocka_unit_test(each_of_many_gets_its_own_answer),
		cmocka_unit_test(too_large_a_token_is_refused_at_once),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
