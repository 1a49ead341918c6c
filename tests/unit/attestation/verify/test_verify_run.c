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
	b->policy.run.relayable = true;
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
	b->policy.run.relayable = true;
}

static void stock_without_manifest(struct verify_build *b)
{
	b->policy.run.relayable = true;
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
	{ "a statement of a stock agent that lies", foreign_identity, stock, "run.identity", 0 },
	{ "a token as a statement's evidence", run_evidence_token, nothing, "run.evidence", 0 },
	{ "junk as a statement's evidence", run_evidence_junk, nothing, "run.evidence", 0 },
	{ "a statement's evidence of a channel", run_evidence_of_channel, nothing, "run.evidence",
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snp_run_statements_are_judged_by_each_rule),
		cmocka_unit_test(tdx_run_statements_are_judged_by_each_rule),
		cmocka_unit_test(vtpm_run_statements_are_judged_by_each_rule),
		cmocka_unit_test(snp_vtpm_run_statements_are_judged_by_each_rule),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
