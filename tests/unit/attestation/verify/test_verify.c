/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's one call: what the token says and what it is asked for. Statement and evidence
 * have programs of their own beside this one. */
#include "tests/unit/attestation/verify/verify_rows.h"

static void short_nonces(struct verify_build *b)
{
	b->nonce.tee_len = b->nonce.vtpm_len = TPM_NONCE_MIN - 1;
}

static const uint8_t long_nonce[BINDING_TEE_NONCE_MAX + 1];

static void too_long_for_a_tee(struct verify_build *b)
{
	b->nonce.tee = long_nonce;
	b->nonce.tee_len = sizeof(long_nonce);
}

static void too_long_for_a_tpm(struct verify_build *b)
{
	b->nonce.vtpm = long_nonce;
	b->nonce.vtpm_len = BINDING_VTPM_NONCE_MAX + 1;
}

static void shortest_nonce(struct verify_build *b)
{
	b->nonce.tee_len = TPM_NONCE_MIN;
	b->nonce.vtpm_len = 0;
}

static void no_nonce(struct verify_build *b)
{
	b->nonce.tee_len = b->nonce.vtpm_len = 0;
}

static void other_nonce(struct verify_build *b)
{
	b->tee[0] ^= 1;
}

static void longer_nonce(struct verify_build *b)
{
	b->nonce.tee_len++; /* a zero more */
	b->tee[b->nonce.tee_len - 1] = 1;
}

static void other_kind_too(struct verify_build *b)
{
	if (b->kind->mode == EVIDENCE_VTPM)
		b->policy.has_snp = true;
	else
		b->policy.has_tpm = true;
}

static void by_mode(struct verify_build *b)
{
	b->in.mode = b->kind->mode;
}

static void other_mode(struct verify_build *b)
{
	b->in.mode = b->kind->mode == EVIDENCE_SNP ? EVIDENCE_TDX : EVIDENCE_SNP;
}

static void unused_input(struct verify_build *b)
{
	if (b->kind->mode == EVIDENCE_SNP || b->kind->mode == EVIDENCE_TDX)
		b->in.tpm.binding.named = (struct span){ b->spki, b->spki_len };
	else if (b->kind->mode == EVIDENCE_VTPM)
		b->in.product = SNP_GENOA;
	else
		b->in.product = SNP_MILAN; /* judged, and another */
}

static void raw_and_stock(struct verify_build *b)
{
	verify_build_raw_binding(b);
	verify_build_stock(b);
}

static void raw_stock_named(struct verify_build *b)
{
	raw_and_stock(b);
	b->policy.has_tpm =
		evidence_kind_rows[b->kind->mode].tpm; /* whose they are the signer says */
	b->in.manifest_count = 0;
	b->in.token_key = b->key;
}

static void named_other(struct verify_build *b)
{
	b->in.token_key = b->other;
}

static void foreign_token_nonce(struct verify_build *b)
{
	static const uint8_t nonce[32] = { 9 };

	b->content.nonce = (struct eat_bytes){ nonce, sizeof(nonce) };
}

static void says_channel(struct verify_build *b)
{
	b->content.nonce_use = EAT_USE_CHANNEL;
}

static void says_run(struct verify_build *b)
{
	b->content.nonce_use = EAT_USE_RUN;
}

static void channel(struct verify_build *b)
{
	b->by_channel = true;
	b->content.nonce_use = EAT_USE_CHANNEL;
}

static void channel_of_another(struct verify_build *b)
{
	b->in.binding.channel_spki = (struct span){ b->other_spki, b->other_spki_len };
}

static void another_channel(struct verify_build *b)
{
	static const uint8_t exporter[BINDING_EXPORTER_LEN] = { 0xe1 };
	struct err e;

	assert_ok(binding_channel(DIGEST_SHA384, b->spki, b->spki_len, exporter, NULL, &b->channel,
				  &e),
		  e);
}

static void relayed(struct verify_build *b)
{
	b->relayed = true;
}

static void too_much_skew(struct verify_build *b)
{
	b->in.skew = SNP_SKEW_MAX + 1;
}

/* Of kex_group.h: hybrid and x25519. */
static const uint32_t hybrid = 1, x25519 = 2, plaintext = 0;

static void over_x25519(struct verify_build *b)
{
	b->in.binding.group = &x25519;
}

static void hybrid_demanded(struct verify_build *b)
{
	b->policy.tls_groups = hybrid;
}

static void hybrid_had(struct verify_build *b)
{
	hybrid_demanded(b);
	b->in.binding.group = &hybrid;
}

static void hybrid_not_had(struct verify_build *b)
{
	hybrid_demanded(b);
	over_x25519(b);
}

static void one_of_two_had(struct verify_build *b)
{
	b->policy.tls_groups = hybrid | x25519;
	over_x25519(b);
}

static void hybrid_demanded_in_the_clear(struct verify_build *b)
{
	hybrid_demanded(b);
	b->in.binding.group = &plaintext;
}

static void two_bindings(struct verify_build *b)
{
	b->in.binding.report_data = b->report_data;
}

static void all_bindings(struct verify_build *b)
{
	b->in.binding.channel = &b->channel;
	b->in.binding.nonce = &b->nonce;
}

static void no_binding(struct verify_build *b)
{
	b->in.binding = (struct verify_binding){ .report_data = NULL };
}

static void other_extra_data(struct verify_build *b)
{
	b->in.binding.tpm_nonce = (struct span){ b->tee, 32 };
}

static void same_extra_data(struct verify_build *b)
{
	b->in.binding.tpm_nonce = (struct span){ b->content.nonce.bytes, b->content.nonce.len };
}

static void hcl_report_too(struct verify_build *b)
{
	b->in.hcl_report = (struct span){ b->tee, sizeof(b->tee) };
}

/* The quote is asked for by its nonce; report data would have nothing to be in. */
static void report_data_too(struct verify_build *b)
{
	verify_build_raw_binding(b);
	b->in.binding.report_data = b->report_data;
}

static void event_log_too(struct verify_build *b)
{
	b->in.tpm.event_log = (struct span){ b->tee, sizeof(b->tee) };
}

static void id_block_too(struct verify_build *b)
{
	b->in.snp.id_block = (struct span){ b->tee, sizeof(b->tee) };
}

static void id_auth_too(struct verify_build *b)
{
	b->in.snp.id_auth = (struct span){ b->tee, sizeof(b->tee) };
}

static void crl_too(struct verify_build *b)
{
	b->in.snp.crls[b->in.snp.crl_count++] = (struct span){ b->tee, sizeof(b->tee) };
}

/* One named root, as the command line hands it on: of the TEE's report, where there is one. */
static void one_root_for_all(struct verify_build *b)
{
	b->in.tpm.binding.root = b->in.snp.trusted_root;
}

/* Nothing leads it anywhere, so that it says nothing, whatever it is. */
static void ak_certificate_without_a_root(struct verify_build *b)
{
	static const uint8_t none[] = "this is no certificate";

	b->in.tpm.binding.cert = (struct span){ none, sizeof(none) - 1 };
	b->in.tpm.binding.root = (struct span){ NULL, 0 };
}

static void no_policy(struct verify_build *b)
{
	b->in.policy = NULL;
}

static void empty_policy(struct verify_build *b)
{
	policy_done(&b->policy);
}

static void genuine_only(struct verify_build *b)
{
	b->in.policy = NULL;
	b->in.manifest_count = 0;
	b->in.genuine_only = true;
}

static void genuine_by_policy(struct verify_build *b)
{
	genuine_only(b);
	b->in.policy = &b->policy;
}

static void genuine_by_manifest(struct verify_build *b)
{
	genuine_only(b);
	b->in.manifest_count = 1;
}

static void genuine_raw(struct verify_build *b)
{
	genuine_only(b);
	verify_build_raw_binding(b);
}

static void expired(struct verify_build *b)
{
	b->content.issued = b->kind->at - 1000;
	b->content.expires = b->kind->at - VERIFY_BUILD_SKEW - 1;
}

static void just_expiring(struct verify_build *b)
{
	b->content.issued = b->kind->at - 1000;
	b->content.expires = b->kind->at - VERIFY_BUILD_SKEW;
}

static void issued_later(struct verify_build *b)
{
	b->content.issued = b->kind->at + VERIFY_BUILD_SKEW + 1;
}

static void issued_long_ago(struct verify_build *b)
{
	b->content.issued = b->kind->at - 1000;
}

static void young_only(struct verify_build *b)
{
	b->policy.token.max_age = 1000 - VERIFY_BUILD_SKEW - 1;
}

static void young_enough(struct verify_build *b)
{
	b->policy.token.max_age = 1000 - VERIFY_BUILD_SKEW;
}

static void measurement_claim_lies(struct verify_build *b)
{
	static const uint8_t lie[48] = { 1 };

	b->content.measurement = (struct eat_bytes){ lie, sizeof(lie) };
}

static void wants_ueid(struct verify_build *b)
{
	b->policy.token.require_ueid = true;
}

static void wants_measurements(struct verify_build *b)
{
	b->policy.token.require_measurements = true;
}

static void report_data_of_policy(struct verify_build *b)
{
	b->policy.has_report_data = true;
}

/* A token that was kept: its end is compared with the moment at which it came, all else with now. */
static void kept_since_then(struct verify_build *b)
{
	b->in.token_at = b->kind->at - 900;
}

static void kept_when_ended(struct verify_build *b)
{
	b->in.token_at = b->kind->at;
}

static void kept_before_issued(struct verify_build *b)
{
	b->in.token_at = b->kind->at - 1001 - VERIFY_BUILD_SKEW;
}

static void kept_with_the_skew(struct verify_build *b)
{
	b->in.token_at = b->kind->at + VERIFY_BUILD_SKEW;
}

static void kept_later(struct verify_build *b)
{
	b->in.token_at = b->kind->at + VERIFY_BUILD_SKEW + 1;
}

static void kept_and_young_only(struct verify_build *b)
{
	kept_since_then(b);
	young_only(b);
}

/* ---- the cases ---- */

static const struct verify_row rows[] = {
	{ "a token", nothing, nothing, NULL, 0 },
	{ "a token, its mode named", nothing, by_mode, NULL, 0 },
	{ "a token on a channel", channel, nothing, NULL, 0 },
	{ "a token without use", nothing, nothing, NULL, 0 },
	{ "a channel by the key exchange that is demanded", channel, hybrid_had, NULL, 0 },
	{ "a channel by one of two that are", channel, one_of_two_had, NULL, 0 },
	{ "a nonce by the key exchange that is demanded", nothing, hybrid_had, NULL, 0 },
	{ "a file, where a key exchange is demanded", nothing, hybrid_demanded, NULL, 0 },
	{ "the shortest nonce", shortest_nonce, nothing, NULL, 0 },
	{ "genuine only", nothing, genuine_only, NULL, 0 },
	{ "raw binding", nothing, verify_build_raw_binding, NULL, 0 },
	{ "raw binding, stock, signer named", nothing, raw_stock_named, NULL, 0 },
	{ "old, yet young enough", issued_long_ago, young_enough, NULL, 0 },
	{ "about to expire", just_expiring, nothing, NULL, 0 },
	{ "a nonce and its extraData", nothing, same_extra_data, NULL, 0 },
	{ "one root for report and TPM", nothing, one_root_for_all, NULL, 0 },
	{ "a nonce and another extraData", nothing, other_extra_data, "token.nonce_named", 0 },
	{ "a channel and another extraData", channel, other_extra_data, "token.nonce_named", 0 },
	{ "Azure's report beside another kind", nothing, hcl_report_too, "input.used",
	  1 << EVIDENCE_SNP_VTPM },
	{ "AMD's CRL beside another kind", nothing, crl_too, "input.used",
	  1 << EVIDENCE_SNP | 1 << EVIDENCE_SNP_VTPM },
	{ "report data beside a TPM alone", nothing, report_data_too, "input.used",
	  ~(1u << EVIDENCE_VTPM) },
	{ "an event log beside a report", nothing, event_log_too, "input.used",
	  ~(1u << EVIDENCE_SNP) },
	{ "an ID block beside another kind", nothing, id_block_too, "input.used",
	  1 << EVIDENCE_SNP | 1 << EVIDENCE_SNP_VTPM },
	{ "an ID authentication beside another kind", nothing, id_auth_too, "input.used",
	  1 << EVIDENCE_SNP | 1 << EVIDENCE_SNP_VTPM },
	{ "nonces of 15 bytes", short_nonces, nothing, "token.nonce_length", 0 },
	{ "a nonce that no TEE takes", nothing, too_long_for_a_tee, "token.nonce_length", 0 },
	{ "a nonce that no TPM takes", nothing, too_long_for_a_tpm, "token.nonce_length", 0 },
	{ "another nonce", nothing, other_nonce, "token.nonce", 0 },
	{ "a nonce with more behind", nothing, longer_nonce, "token.nonce", 0 },
	{ "relayed evidence", relayed, nothing, VERIFY_BOUND, 0 },
	{ "relayed evidence on a channel", channel, another_channel, "token.nonce", 0 },
	{ "a kind left out", nothing, other_kind_too, "token.whole", 1 << EVIDENCE_SNP_VTPM },
	{ "another mode", nothing, other_mode, "token.platform", 0 },
	{ "an input without effect", nothing, unused_input, "input.used", 1 << EVIDENCE_SNP_VTPM },
	{ "an AK's certificate without a root", nothing, ak_certificate_without_a_root,
	  "input.used", 0 },
	{ "another product", nothing, unused_input, "binding.product_named",
	  1 << EVIDENCE_SNP | 1 << EVIDENCE_TDX | 1 << EVIDENCE_VTPM },
	{ "a signer nobody vouches for", nothing, raw_and_stock, "token.vouched", 0 },
	{ "such a signer, genuine only", nothing, genuine_raw, "token.vouched", 0 },
	{ "another signer than named", nothing, named_other, "token.signature", 0 },
	{ "a token of another nonce", foreign_token_nonce, nothing, "token.nonce", 0 },
	{ "a channel's token for a nonce", says_channel, nothing, "token.nonce_use", 0 },
	{ "a run's token for a nonce", says_run, nothing, "token.nonce_use", 0 },
	{ "a channel with another key", channel, channel_of_another, "token.binding", 0 },
	{ "a channel by another key exchange", channel, hybrid_not_had, "channel.group", 0 },
	{ "a channel by one that nobody says", channel, hybrid_demanded, "channel.group", 0 },
	{ "a nonce by another key exchange", nothing, hybrid_not_had, "channel.group", 0 },
	{ "a nonce in the clear", nothing, hybrid_demanded_in_the_clear, "channel.group", 0 },
	{ "expired", expired, nothing, "token.time", 0 },
	{ "expired since it was kept", expired, kept_since_then, NULL, 0 },
	{ "expired when it was kept", expired, kept_when_ended, "token.time", 0 },
	{ "kept before it was made", expired, kept_before_issued, "token.time", 0 },
	{ "kept as late as clocks may differ", nothing, kept_with_the_skew, NULL, 0 },
	{ "kept after the moment", nothing, kept_later, "token.time", 0 },
	{ "kept, and too old for the policy", issued_long_ago, kept_and_young_only, "token.age",
	  0 },
	{ "from the future", issued_later, nothing, "token.time", 0 },
	{ "too old for the policy", issued_long_ago, young_only, "token.age", 0 },
	{ "no ueid", nothing, wants_ueid, "token.claims", 0 },
	{ "no measurements", nothing, wants_measurements, "token.claims", 0 },
	{ "a claim that lies", measurement_claim_lies, nothing, "token.agrees", 0 },
	{ "a TPM's claim, demanded", measurement_claim_lies, wants_measurements, "token.agrees",
	  1 << EVIDENCE_SNP | 1 << EVIDENCE_TDX | 1 << EVIDENCE_SNP_VTPM },
	{ "no policy", nothing, no_policy, "policy.given", 0 },
	{ "a policy of nothing", nothing, empty_policy, "policy.given", 0 },
	{ "report data of the policy", nothing, report_data_of_policy,
	  "policy.report_data_of_policy", 1 << EVIDENCE_VTPM },
};

static void judge(const struct verify_kind *kind)
{
	kind->setup();
	print_message("# %s: %zu cases\n", evidence_kind_platform(kind->mode),
		      verify_rows_judge(kind, rows, ARRAY_LEN(rows)));
	kind->teardown();
}

static void snp_tokens_are_judged_by_each_rule(void **state)
{
	judge(&verify_kind_snp);
}

static void tdx_tokens_are_judged_by_each_rule(void **state)
{
	judge(&verify_kind_tdx);
}

static void vtpm_tokens_are_judged_by_each_rule(void **state)
{
	judge(&verify_kind_vtpm);
}

static void snp_vtpm_tokens_are_judged_by_each_rule(void **state)
{
	judge(&verify_kind_snp_vtpm);
}

/* What the table of judges has no row for is never a yes, whatever the evidence holds. */
static void a_kind_that_nobody_judges_is_refused(void **state)
{
	static const enum evidence_kind kinds[] = { EVIDENCE_AZURE, EVIDENCE_NONE };
	const struct verify_kind *kind = &verify_kind_tdx;
	struct verify_build b;
	struct verdict *v = malloc(sizeof(*v));
	struct err e;

	assert_non_null(v);
	kind->setup();
	verify_build_begin(&b, kind);
	verify_build_seal(&b);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		b.in.mode = kinds[i];
		assert_true(verify(&b.in, v, NULL, &e) < 0 || !verdict_ok(v));
		b.in.evidence = (struct span){ b.evidence.bytes, b.evidence.len };
		assert_true(verify(&b.in, v, NULL, &e) < 0 || !verdict_ok(v));
		assert_false(verdict_ok(v));
		b.in.evidence = (struct span){ b.token.bytes, b.token.len };
	}
	b.in.mode = EVIDENCE_KINDS;
	assert_refused(verify(&b.in, v, NULL, &e), e, ERR_INVALID, "no such kind");
	verify_build_end(&b);
	kind->teardown();
	free(v);
}

/* Parts are judged beside the input that they were made from, and no other. */
static void parts_of_other_evidence_are_refused(void **state)
{
	CLEANUP(evidence_parts_free) struct evidence_parts *parts = NULL;
	const struct verify_kind *kind = &verify_kind_tdx;
	struct verify_build b;
	struct verdict *v = malloc(sizeof(*v));
	struct err e;

	assert_non_null(v);
	kind->setup();
	verify_build_begin(&b, kind);
	verify_build_seal(&b);
	assert_ok(evidence_parts_new(&b.in, &parts, &e), e);
	assert_ok(verify_parts(&b.in, parts, v, NULL, &e), e);
	assert_true(verdict_ok(v));
	assert_true(verdict_ok(v));
	b.in.evidence.len--;
	assert_refused(verify_parts(&b.in, parts, v, NULL, &e), e, ERR_INVALID, "other evidence");
	assert_false(verdict_ok(v));
	b.in.evidence.len++;
	b.in.mode = kind->mode;
	assert_refused(verify_parts(&b.in, parts, v, NULL, &e), e, ERR_INVALID, "other evidence");
	b.in.mode = EVIDENCE_EAT;
	b.in.hcl_report = b.in.evidence;
	assert_refused(verify_parts(&b.in, parts, v, NULL, &e), e, ERR_INVALID, "other evidence");
	verify_build_end(&b);
	kind->teardown();
	free(v);
}

/* The identity is told only where the binding holds the key. */
static void the_identity_is_that_of_the_binding(void **state)
{
	const struct verify_kind *kind = &verify_kind_tdx;
	struct err e;

	kind->setup();
	assert_ok(verify_rows_run(kind, nothing, nothing, &e), e);
	assert_true(verify_rows_result.has_identity && verify_rows_result.has_manifest);
	assert_ok(verify_rows_run(kind, channel, nothing, &e), e);
	assert_true(verify_rows_result.has_identity);
	assert_ok(verify_rows_run(kind, nothing, raw_stock_named, &e), e);
	assert_false(verify_rows_result.has_identity);
	assert_ok(verify_rows_run(kind, nothing, genuine_only, &e), e);
	assert_true(verify_rows_result.has_identity);
	assert_false(verify_rows_result.has_manifest);
	kind->teardown();
}

static void other_kind_too_by_mode(struct verify_build *b)
{
	other_kind_too(b);
	by_mode(b);
}

static bool has_note(const char *words)
{
	for (size_t i = 0; i < verify_rows_verdict.note_count; i++)
		if (strstr(verify_rows_verdict.notes[i].text, words))
			return true;
	return false;
}

/* Who names the mode leaves the rest of the policy out, and the verdict says so. */
static void what_a_mode_leaves_out_is_noted(void **state)
{
	const struct verify_kind *kinds[] = { &verify_kind_snp, &verify_kind_tdx,
					      &verify_kind_vtpm };
	struct err e;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		kinds[k]->setup();
		assert_ok(verify_rows_run(kinds[k], nothing, by_mode, &e), e);
		assert_false(has_note("was not looked at"));
		assert_ok(verify_rows_run(kinds[k], nothing, other_kind_too_by_mode, &e), e);
		assert_true(has_note("was not looked at"));
		kinds[k]->teardown();
	}
}

/* Demanded or not, asked or not: it says which it was. */
static void the_key_exchange_is_named(void **state)
{
	static const struct {
		void (*change)(struct verify_build *b);
		enum check_outcome outcome;
		const char *found;
	} cases[] = {
		{ over_x25519, CHECK_NOT_ASKED, "x25519" },
		{ hybrid_had, CHECK_PASSED, "X25519MLKEM768" },
		{ hybrid_not_had, CHECK_FAILED, "x25519" },
		{ hybrid_demanded, CHECK_FAILED, "none that is known" },
		{ nothing, CHECK_PASSED, NULL },
	};
	const struct verify_kind *kind = &verify_kind_snp;
	struct err e;

	kind->setup();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct check *check;

		assert_int_equal(verify_rows_run(kind, channel, cases[i].change, &e) != 0,
				 cases[i].outcome == CHECK_FAILED);
		check = verdict_find(&verify_rows_verdict, CHECK_CHANNEL_GROUP);
		assert_int_equal(check != NULL, cases[i].found != NULL);
		assert_int_equal(verdict_ok(&verify_rows_verdict),
				 cases[i].outcome != CHECK_FAILED);
		if (!check)
			continue;
		assert_int_equal(check->outcome, cases[i].outcome);
		assert_string_equal(check->found, cases[i].found);
	}
	kind->teardown();
}

static void image_with_stock_kernel(struct verify_build *b)
{
	b->policy.run.kernel = POLICY_KERNEL_STOCK;
}

static void image_with_own_kernel(struct verify_build *b)
{
	b->policy.run.kernel = POLICY_KERNEL_OWN;
}

/* Of every kind of evidence, and never where nothing is said about what runs. */
static void whose_kernel_a_policy_names_is_noted(void **state)
{
	const struct verify_kind *kinds[] = { &verify_kind_snp, &verify_kind_tdx, &verify_kind_vtpm,
					      &verify_kind_snp_vtpm };
	struct err e;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		kinds[k]->setup();
		assert_ok(verify_rows_run(kinds[k], nothing, image_with_stock_kernel, &e), e);
		assert_true(verdict_ok(&verify_rows_verdict) && has_note("host's code runs"));
		assert_ok(verify_rows_run(kinds[k], nothing, image_with_own_kernel, &e), e);
		assert_true(verdict_ok(&verify_rows_verdict) && has_note("our own kernel"));
		assert_false(has_note("host's code runs"));
		assert_ok(verify_rows_run(kinds[k], nothing, nothing, &e), e);
		assert_false(has_note("kernel"));
		assert_ok(verify_rows_run(kinds[k], nothing, genuine_only, &e), e);
		assert_false(has_note("kernel"));
		kinds[k]->teardown();
	}
}

static void by_register_16(struct verify_build *b)
{
	verify_kind_vtpm_by_16(&b->policy);
}

static void by_register_16_beside_snp(struct verify_build *b)
{
	by_register_16(b);
	by_mode(b);
	b->policy.has_snp = true;
}

static void by_register_16_beside_tdx(struct verify_build *b)
{
	by_register_16(b);
	by_mode(b);
	b->policy.has_tdx = true;
}

/* Whatever the policy asks of a TEE: of a TPM alone nobody asks it. */
static void a_yes_by_registers_that_can_be_reset_is_noted(void **state)
{
	static verify_change_fn *const open[] = { by_register_16, by_register_16_beside_snp,
						  by_register_16_beside_tdx };
	const char *words = "can be reset by software";
	struct err e;

	verify_kind_vtpm.setup();
	for (size_t i = 0; i < ARRAY_LEN(open); i++) {
		assert_ok(verify_rows_run(&verify_kind_vtpm, nothing, open[i], &e), e);
		assert_true(verdict_ok(&verify_rows_verdict) && has_note(words));
	}
	assert_ok(verify_rows_run(&verify_kind_vtpm, nothing, nothing, &e), e);
	assert_true(verdict_ok(&verify_rows_verdict) && !has_note(words));
	assert_ok(verify_rows_run(&verify_kind_vtpm, nothing, genuine_only, &e), e);
	assert_true(verdict_ok(&verify_rows_verdict) && !has_note(words));
	verify_kind_vtpm.teardown();
}

/* What makes no sense is no verify_rows_verdict. */
static void a_call_without_sense_is_an_error(void **state)
{
	static const struct {
		verify_change_fn *call;
		const char *words;
	} calls[] = {
		{ too_much_skew, "skew" },
		{ two_bindings, "two ways" },
		{ all_bindings, "two ways" },
		{ no_binding, "nothing says" },
		{ no_nonce, "an empty nonce" },
		{ genuine_by_policy, "says what has to run" },
		{ genuine_by_manifest, "says what has to run" },
	};
	const struct verify_kind *kinds[] = { &verify_kind_tdx, &verify_kind_vtpm };
	struct err e;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		kinds[k]->setup();
		for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
			assert_refused(verify_rows_run(kinds[k], nothing, calls[i].call, &e), e,
				       ERR_INVALID, calls[i].words);
			assert_false(verdict_ok(&verify_rows_verdict));
		}
		kinds[k]->teardown();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snp_tokens_are_judged_by_each_rule),
		cmocka_unit_test(tdx_tokens_are_judged_by_each_rule),
		cmocka_unit_test(vtpm_tokens_are_judged_by_each_rule),
		cmocka_unit_test(snp_vtpm_tokens_are_judged_by_each_rule),
		cmocka_unit_test(a_kind_that_nobody_judges_is_refused),
		cmocka_unit_test(parts_of_other_evidence_are_refused),
		cmocka_unit_test(the_identity_is_that_of_the_binding),
		cmocka_unit_test(what_a_mode_leaves_out_is_noted),
		cmocka_unit_test(the_key_exchange_is_named),
		cmocka_unit_test(whose_kernel_a_policy_names_is_noted),
		cmocka_unit_test(a_yes_by_registers_that_can_be_reset_is_noted),
		cmocka_unit_test(a_call_without_sense_is_an_error),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
