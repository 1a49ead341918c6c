/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's one call: the run statement, its own evidence, and what a policy wants of both. */
#include "tests/unit/attestation/verify/verify_rows.h"

static void foreign_identity(struct verify_build *b)
{
	b->run.identity = b->other_spki;
	b->run.identity_len = b->other_spki_len;
}

static void identity_prefix(struct verify_build *b)
{
	b->run.identity_len--;
}

static void external(struct verify_build *b)
{
	b->run.external = true;
}

static void allow_external(struct verify_build *b)
{
	b->policy.run.allow_external_identity = true;
}

static void unknown_boot_key(struct verify_build *b)
{
	b->run.entries[b->run.entry_count++] =
		(struct run_entry){ .key = "AGENT_ANYTHING", .value = "1" };
}

static void secret_boot_key(struct verify_build *b)
{
	b->run.entries[b->run.entry_count++] = (struct run_entry){ .key = "AGENT_ANYTHING" };
}

static void allow_boot_key(struct verify_build *b)
{
	static char name[] = "AGENT_ANYTHING", level[] = "AGENT_LOG_LEVEL";
	static char *names[] = { name, level };

	b->policy.run.has_boot_keys = true;
	b->policy.run.boot_keys = names;
	b->policy.run.boot_key_count = ARRAY_LEN(names);
}

static void allow_no_boot_key(struct verify_build *b)
{
	b->policy.run.has_boot_keys = true;
}

/* As a launch fixes it: in SNP's HOST_DATA; TDX's MRCONFIGID has another hash of the same. */
static void launch_fixed(struct verify_build *b)
{
	memset(b->run.boot, 0xb0, sizeof(b->run.boot));
	if (b->kind->fix_boot)
		b->kind->fix_boot(b->run.boot);
}

static void launch_fixed_another(struct verify_build *b)
{
	launch_fixed(b);
	b->run.boot[SHA3_256_LEN - 1] ^= 1;
}

static void launch_fixed_unsaid(struct verify_build *b)
{
	launch_fixed(b);
	b->run.fixed = false;
}

static void launch_fixed_without_run(struct verify_build *b)
{
	launch_fixed(b);
	b->no_run = true;
}

static void launch_fixed_registers_moved(struct verify_build *b)
{
	launch_fixed(b);
	b->twist = TWIST_REGISTERS;
}

/* What "fixed_boot": true of a policy sets, with nothing foreseen. */
static void want_fixed(struct verify_build *b)
{
	struct policy *p = &b->policy;

	p->run.fixed_boot = p->snp.host_data_of_run = p->tdx.of_run = true;
	p->snp.host_data.count = p->tdx.mrconfigid.count = p->tdx.rtmr[3].count = 0;
}

/* The value itself, without asking for more; TDX's and the others' are foreseen anyway. */
static void foresee_fixed(struct verify_build *b)
{
	static const uint8_t value[SNP_HOST_DATA_LEN] = { [0 ... SNP_HOST_DATA_LEN - 1] = 0xb0 };

	b->policy.snp.host_data = (struct value_set){ value, 1 };
}

static void want_fixed_of_stock(struct verify_build *b)
{
	want_fixed(b);
	verify_build_stock(b);
	b->in.manifest_count = 0;
}

static void stock_and_fixed_foreseen(struct verify_build *b)
{
	foresee_fixed(b);
	verify_build_stock(b);
	b->in.manifest_count = 0;
}

static void weak_word(struct verify_build *b)
{
	b->run.weak[b->run.weak_count++] = "cocos.role_signature";
}

static void two_weak_words(struct verify_build *b)
{
	weak_word(b);
	b->run.weak[b->run.weak_count++] = "cocos.other";
}

static void allow_weak_word(struct verify_build *b)
{
	static char word[] = "cocos.role_signature";
	static char *words[] = { word };

	b->policy.run.weak_words = words;
	b->policy.run.weak_word_count = 1;
}

static void foreign_manifest(struct verify_build *b)
{
	b->run.manifest[SHA3_256_LEN - 1] ^= 1;
}

static void manifest_of_policy(struct verify_build *b)
{
	b->in.manifest_count = 0;
	b->policy.run.manifests = (struct value_set){ b->manifest[0], 1 };
}

static void foreign_manifest_of_policy(struct verify_build *b)
{
	manifest_of_policy(b);
	b->manifest[0][0] ^= 1;
}

static void no_manifest(struct verify_build *b)
{
	b->in.manifest_count = 0;
}

static void without_run(struct verify_build *b)
{
	b->no_run = true;
}

static void stock(struct verify_build *b)
{
	verify_build_stock(b);
}

static void stock_and_manifest_of_policy(struct verify_build *b)
{
	stock(b);
	manifest_of_policy(b);
}

static void stock_and_boot_keys(struct verify_build *b)
{
	stock(b);
	allow_boot_key(b);
	b->in.manifest_count = 0;
}

static void stock_without_manifest(struct verify_build *b)
{
	verify_build_stock(b);
	b->in.manifest_count = 0;
}

static void run_evidence_absent(struct verify_build *b)
{
	static const uint8_t none[1];

	b->run_evidence = (struct eat_bytes){ none, 0 };
}

static void run_evidence_token(struct verify_build *b)
{
	static const uint8_t head[] = { 0xd2, 0x84, 0x40 };

	b->run_evidence = (struct eat_bytes){ head, sizeof(head) };
}

static void run_evidence_junk(struct verify_build *b)
{
	static const uint8_t junk[] = { 0x05, 0, 0, 0 };

	b->run_evidence = (struct eat_bytes){ junk, sizeof(junk) };
}

static void run_evidence_of_channel(struct verify_build *b)
{
	b->run_by_channel = true;
}

static void run_cut(struct verify_build *b)
{
	b->cut_run = true;
}

/* The statement's own guest is another than the policy wants, the evidence beside it is not. */
static void only_the_first_guest(struct verify_build *b)
{
	b->twist = TWIST_MEASUREMENT;
}

static void want_one_guest(struct verify_build *b)
{
	b->policy.snp.measurements.count = 1;
	b->policy.tdx.mrtd.count = 1;
}

static enum verify_twist twist_now;

static void twisted(struct verify_build *b)
{
	b->twist = twist_now;
}

/* ---- the cases ---- */

static void before_run(struct verify_build *b)
{
	b->in.before_run = true;
	b->in.manifest_count = 0;
}

/* The evidence is over these bytes, and whether the token's key is in them, nobody can tell. */
static void before_run_unbound(struct verify_build *b)
{
	before_run(b);
	verify_build_raw_binding(b);
}

static void before_run_with_manifest(struct verify_build *b)
{
	b->in.before_run = true;
}

static const struct verify_row rows[] = {
	{ "manifest of the policy", nothing, manifest_of_policy, NULL, 0 },
	{ "no manifest named", foreign_manifest, no_manifest, NULL, 0 },
	{ "external identity allowed", external, allow_external, NULL, 0 },
	{ "boot key allowed", unknown_boot_key, allow_boot_key, NULL, 0 },
	{ "secret boot key allowed", secret_boot_key, allow_boot_key, NULL, 0 },
	{ "a boot fixed at launch", launch_fixed, want_fixed, NULL, 0 },
	{ "a boot fixed as foreseen", launch_fixed, foresee_fixed, NULL, 0 },
	{ "weak word allowed", weak_word, allow_weak_word, NULL, 0 },
	{ "stock, no run statement", without_run, stock_without_manifest, NULL, 0 },
	{ "no run statement", without_run, nothing, "run.statement", 0 },
	{ "stock and a manifest", without_run, stock, "run.manifest", 0 },
	{ "stock, a statement with nothing asked of it", nothing, stock_without_manifest, NULL, 0 },
	{ "stock, a statement of any manifest", foreign_manifest, stock_without_manifest, NULL, 0 },
	{ "stock, a statement of a fixed boot", launch_fixed, stock_and_fixed_foreseen, NULL, 0 },
	{ "stock, a statement and its manifest", nothing, stock, "run.manifest", 0 },
	{ "stock, a statement and the policy's manifest", nothing, stock_and_manifest_of_policy,
	  "run.manifest", 0 },
	{ "stock, a policy's manifest", without_run, stock_and_manifest_of_policy, "run.manifest",
	  0 },
	{ "stock, a statement and a fixed boot", launch_fixed, want_fixed_of_stock,
	  "run.fixed_boot", 0 },
	{ "stock, a statement and boot keys", nothing, stock_and_boot_keys, "run.boot_keys", 0 },
	{ "stock and boot keys", without_run, stock_and_boot_keys, "run.boot_keys", 0 },
	{ "stock, a statement without evidence", run_evidence_absent, stock_without_manifest,
	  "run.statement", 0 },
	{ "stock, a statement cut", run_cut, stock_without_manifest, "run.form", 0 },
	{ "stock, a weak word", weak_word, stock_without_manifest, "run.weak_words", 0 },
	{ "stock, an unknown boot key", unknown_boot_key, stock_without_manifest, "run.boot_keys",
	  0 },
	{ "a statement without evidence", run_evidence_absent, nothing, "run.statement", 0 },
	{ "a statement cut", run_cut, nothing, "run.form", 0 },
	{ "another's statement", foreign_identity, nothing, "run.identity", 0 },
	{ "a statement of half a key", identity_prefix, nothing, "run.identity", 0 },
	{ "a key from outside", external, nothing, "run.identity_made_inside", 0 },
	{ "an unknown boot key", unknown_boot_key, nothing, "run.boot_keys", 0 },
	{ "an unknown secret boot key", secret_boot_key, nothing, "run.boot_keys", 0 },
	{ "a boot key that the policy forbids", nothing, allow_no_boot_key, "run.boot_keys", 0 },
	{ "a boot not fixed at launch", launch_fixed_unsaid, want_fixed, "run.fixed_boot", 0 },
	{ "a boot fixed as foreseen, which nobody compared", launch_fixed_unsaid, foresee_fixed,
	  "run.fixed_boot", 1 << EVIDENCE_VTPM },
	{ "a boot fixed as foreseen, another told", launch_fixed_another, foresee_fixed,
	  "run.host_data", 1 << EVIDENCE_TDX | 1 << EVIDENCE_VTPM },
	{ "another boot fixed than told", launch_fixed_another, want_fixed, "run.host_data",
	  1 << EVIDENCE_TDX | 1 << EVIDENCE_VTPM },
	{ "registers moved since the statement", launch_fixed_registers_moved, want_fixed,
	  "run.same_rtmrs", 1 << EVIDENCE_SNP | 1 << EVIDENCE_SNP_VTPM | 1 << EVIDENCE_VTPM },
	{ "host data of zero", nothing, want_fixed, "policy.host_data",
	  1 << EVIDENCE_TDX | 1 << EVIDENCE_VTPM },
	{ "host data that nobody asked for", launch_fixed, nothing, "policy.host_data",
	  1 << EVIDENCE_TDX | 1 << EVIDENCE_VTPM },
	{ "a fixed boot of a stock agent", launch_fixed_without_run, want_fixed_of_stock,
	  "run.fixed_boot", 0 },
	{ "a weak word", weak_word, nothing, "run.weak_words", 0 },
	{ "one weak word too many", two_weak_words, allow_weak_word, "run.weak_words", 0 },
	{ "another manifest", foreign_manifest, nothing, "run.manifest", 0 },
	{ "another manifest in the policy", nothing, foreign_manifest_of_policy, "run.manifest",
	  0 },
	{ "a statement of a stock agent that lies", foreign_identity, stock_without_manifest,
	  "run.identity", 0 },
	{ "a token as a statement's evidence", run_evidence_token, nothing, "run.evidence", 0 },
	{ "junk as a statement's evidence", run_evidence_junk, nothing, "run.evidence", 0 },
	{ "a statement's evidence of a channel", run_evidence_of_channel, nothing, "run.evidence",
	  0 },
	{ "before the run, by a key in a nonce", without_run, before_run, NULL, 0 },
	{ "before the run, by a key that nothing binds", without_run, before_run_unbound, "run.key",
	  0 },
	{ "before the run, with a manifest named", without_run, before_run_with_manifest, "run.key",
	  0 },
	{ "a statement of a guest that is not wanted", only_the_first_guest, want_one_guest,
	  "run.evidence_policy", 1 << EVIDENCE_VTPM },
};

static void judge(const struct verify_kind *kind)
{
	size_t judged;

	kind->setup();
	judged = verify_rows_judge(kind, rows, ARRAY_LEN(rows));
	for (const struct verify_same *same = kind->same; same->check; same++) {
		const struct verify_row row = { same->check, twisted, nothing, same->check, 0 };

		twist_now = same->twist;
		judged += verify_rows_judge(kind, &row, 1);
	}
	print_message("# %s: %zu cases\n", evidence_kind_platform(kind->mode), judged);
	kind->teardown();
}

static void snp_run_statements_are_judged_by_each_rule(void **state)
{
	judge(&verify_kind_snp);
}

static void tdx_run_statements_are_judged_by_each_rule(void **state)
{
	judge(&verify_kind_tdx);
}

static void vtpm_run_statements_are_judged_by_each_rule(void **state)
{
	judge(&verify_kind_vtpm);
}

static void snp_vtpm_run_statements_are_judged_by_each_rule(void **state)
{
	judge(&verify_kind_snp_vtpm);
}

/* ---- what a yes says of the run ---- */

static size_t count_run(enum check_outcome outcome)
{
	size_t count = 0;

	for (size_t i = 0; i < verify_rows_verdict.count; i++) {
		const struct check *c = &verify_rows_verdict.checks[i];

		count += c->outcome == outcome && strncmp(c->name, "run.", 4) == 0;
	}
	return count;
}

static const struct verify_kind *const kinds[] = { &verify_kind_snp, &verify_kind_tdx,
						   &verify_kind_vtpm, &verify_kind_snp_vtpm };

/* A forger has a stock agent make the evidence for his own statement and key: a yes is none to either. */
static void a_statement_says_nothing_where_a_stock_agent_is_taken(void **state)
{
	struct err e;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		kinds[k]->setup();
		assert_ok(verify_rows_run(kinds[k], nothing, nothing, &e), e);
		assert_true(count_run(CHECK_PASSED) > 6);
		assert_int_equal(count_run(CHECK_NOT_ASKED), 0);
		assert_true(verify_rows_result.has_manifest && verify_rows_result.has_identity);
		assert_ok(verify_rows_run(kinds[k], nothing, stock_without_manifest, &e), e);
		assert_int_equal(count_run(CHECK_PASSED), 0);
		assert_true(count_run(CHECK_NOT_ASKED) > 5);
		assert_false(verify_rows_result.has_manifest || verify_rows_result.has_identity);
		kinds[k]->teardown();
	}
}

static bool is_noted(enum note_id id)
{
	for (size_t i = 0; i < verify_rows_verdict.note_count; i++)
		if (verify_rows_verdict.notes[i].id == id)
			return true;
	return false;
}

/* The manifest is the agent's, and a yes compares it with nothing where nobody named one. */
static void a_manifest_that_nobody_named_is_not_asked(void **state)
{
	static const struct {
		verify_change_fn *statement, *call;
		enum check_outcome outcome;
	} cases[] = {
		{ nothing, nothing, CHECK_PASSED },
		{ nothing, manifest_of_policy, CHECK_PASSED },
		{ nothing, no_manifest, CHECK_NOT_ASKED },
		{ foreign_manifest, no_manifest, CHECK_NOT_ASKED },
	};
	struct err e;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		kinds[k]->setup();
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			const struct check *check;

			assert_ok(verify_rows_run(kinds[k], cases[i].statement, cases[i].call, &e),
				  e);
			check = verdict_find(&verify_rows_verdict, CHECK_RUN_MANIFEST);
			assert_non_null(check);
			assert_int_equal(check->outcome, cases[i].outcome);
			assert_int_equal(is_noted(NOTE_MANIFEST),
					 cases[i].outcome == CHECK_NOT_ASKED);
			assert_true(verify_rows_result.has_manifest);
		}
		kinds[k]->teardown();
	}
}

/* ---- before the run ---- */

static void before_run_of_fixed(struct verify_build *b)
{
	before_run(b);
	want_fixed(b);
}

static void before_run_of_foreseen(struct verify_build *b)
{
	before_run(b);
	foresee_fixed(b);
}

/* Whatever the host has fixed: a run statement would say of what it is, and there is none yet. */
static void what_was_fixed_is_not_asked_before_the_run(void **state)
{
	static const enum check_id fixed[TEES][2] = {
		[TEE_SNP] = { CHECK_POLICY_HOST_DATA, CHECK_POLICY_HOST_DATA },
		[TEE_TDX] = { CHECK_POLICY_MRCONFIGID, CHECK_POLICY_RTMR3 },
	};
	static verify_change_fn *const calls[] = { before_run_of_foreseen, before_run_of_fixed };
	struct err e;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		enum tee tee = evidence_kind_rows[kinds[k]->mode].tee;

		kinds[k]->setup();
		for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
			assert_ok(verify_rows_run(kinds[k], launch_fixed_without_run, calls[i], &e),
				  e);
			assert_true(is_noted(NOTE_NO_MANIFEST_YET));
			assert_int_equal(is_noted(NOTE_BOOT_UNCOMPARED), i && tee);
			for (size_t c = 0; tee && c < 2; c++)
				assert_int_equal(
					verdict_find(&verify_rows_verdict, fixed[tee][c])->outcome,
					i ? CHECK_NOT_ASKED : CHECK_PASSED);
		}
		if (tee == TEE_SNP) /* nothing fixed is refused all the same */
			assert_refused(
				verify_rows_run(kinds[k], without_run, before_run_of_fixed, &e), e,
				ERR_DENIED, checks_row(fixed[tee][0])->name);
		kinds[k]->teardown();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_statement_says_nothing_where_a_stock_agent_is_taken),
		cmocka_unit_test(a_manifest_that_nobody_named_is_not_asked),
		cmocka_unit_test(what_was_fixed_is_not_asked_before_the_run),
		cmocka_unit_test(snp_run_statements_are_judged_by_each_rule),
		cmocka_unit_test(tdx_run_statements_are_judged_by_each_rule),
		cmocka_unit_test(vtpm_run_statements_are_judged_by_each_rule),
		cmocka_unit_test(snp_vtpm_run_statements_are_judged_by_each_rule),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
