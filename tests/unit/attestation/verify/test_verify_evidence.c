/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's one call: the forms that evidence comes in, within a token and without one. */
#include "attestation/snp/snp_cert_table.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"
#include "tests/unit/attestation/verify/verify_rows.h"

static void wrong_signature(struct verify_build *b)
{
	b->token.bytes[b->token.len - 1] ^= 1;
}

static void cut_token(struct verify_build *b)
{
	b->in.evidence.len--;
}

static void bare_in_eat_mode(struct verify_build *b)
{
	b->in.evidence = (struct span){ b->evidence.bytes, b->evidence.len };
}

static void bare_by_mode(struct verify_build *b)
{
	bare_in_eat_mode(b);
	b->in.mode = b->kind->mode;
}

static void nothing_at_all(struct verify_build *b)
{
	b->in.evidence = (struct span){ NULL, 0 };
}

/* The token written again, after the evidence in it was changed. */
static void seal_again(struct verify_build *b)
{
	struct err e;

	writer_done(&b->token);
	b->token = writer_up_to(1 << 20);
	assert_ok(eat_write(&b->content, b->key, &b->token, &e), e);
	b->in.evidence = (struct span){ b->token.bytes, b->token.len };
}

/* Evidence as a stock agent has it: the nonces themselves, and no token. */
static void stock_by_nonces(struct verify_build *b)
{
	struct binding own = { .report_data = { 0 } };

	memcpy(own.report_data, b->tee, b->nonce.tee_len);
	memcpy(own.tpm_nonce, b->vtpm, sizeof(own.tpm_nonce));
	writer_done(&b->evidence);
	b->kind->evidence(&own, TWIST_NONE, &b->evidence);
	bare_by_mode(b);
	verify_build_stock(b);
	b->in.manifest_count = 0;
}

/* A forger has the agent's report made over a key of his own, which quotes what he likes. */
static void stock_and_registers(struct verify_build *b)
{
	stock_by_nonces(b);
	b->policy.has_tpm = true;
}

static void token_demanded(struct verify_build *b)
{
	b->policy.token.required = true;
}

static void stock_where_a_token_is_demanded(struct verify_build *b)
{
	stock_by_nonces(b);
	token_demanded(b);
}

static void stock_where_a_young_token_is_demanded(struct verify_build *b)
{
	stock_by_nonces(b);
	b->policy.token.max_age = 600;
}

static void stock_where_claims_are_demanded(struct verify_build *b)
{
	stock_by_nonces(b);
	b->policy.token.require_ueid = true;
}

static void stock_by_other_nonces(struct verify_build *b)
{
	stock_by_nonces(b);
	b->tee[31] ^= 1;
	b->vtpm[31] ^= 1;
}

/* The TPM's nonce said by itself. */
static void stock_by_tee_nonce_and_extra_data(struct verify_build *b)
{
	stock_by_nonces(b);
	b->nonce.vtpm_len = 0;
	b->in.binding.tpm_nonce = (struct span){ b->vtpm, sizeof(b->vtpm) };
}

static void vtpm_nonce_alone(struct verify_build *b)
{
	b->nonce.tee_len = 0;
}

/* sevsnp.Attestation in place of report and table. */
static void snp_as_protobuf(struct verify_build *b)
{
	struct writer message = writer_up_to(1 << 16), chain = writer_up_to(1 << 16);
	struct snp_cert_table table;
	struct span report, rest;
	struct err e;

	snp_evidence_split((struct span){ b->evidence.bytes, b->evidence.len }, &report, &rest);
	assert_ok(snp_cert_table_parse(rest, &table, &e), e);
	tpm_forge_sevsnp(report.bytes, &message);
	tpm_forge_field(&chain, 1, table.vcek);
	tpm_forge_field(&message, 2, tpm_forge_span(&chain));
	writer_done(&chain);
	writer_done(&b->evidence);
	b->evidence = message;
	b->content.raw_report = (struct eat_bytes){ message.bytes, message.len };
	seal_again(b);
}

static void snp_as_half_a_protobuf(struct verify_build *b)
{
	snp_as_protobuf(b);
	b->content.raw_report.len /= 2;
	seal_again(b);
}

/* The TEE's report of a message that has one. */
static struct sevsnp_attestation report_of(const struct verify_build *b, size_t *head)
{
	struct tpm_evidence *a = malloc(sizeof(*a));
	struct sevsnp_attestation s;
	struct err e;

	assert_ok(tpm_attestation_parse((struct span){ b->evidence.bytes, b->evidence.len }, a, &e),
		  e);
	assert_ok(sevsnp_attestation_parse(a->sev_snp, &s, &e), e);
	*head = (size_t)(a->sev_snp.bytes - b->evidence.bytes) - 3; /* tag, length of two bytes */
	free(a);
	return s;
}

static uint8_t tee_report[SNP_REPORT_LEN];

static void report_beside(struct verify_build *b)
{
	size_t head;

	memcpy(tee_report, report_of(b, &head).report, sizeof(tee_report));
	b->content.tee_report = (struct eat_bytes){ tee_report, sizeof(tee_report) };
	seal_again(b);
}

static void other_report_beside(struct verify_build *b)
{
	report_beside(b);
	tee_report[0x90] ^= 1;
	seal_again(b);
}

static void half_a_report_beside(struct verify_build *b)
{
	report_beside(b);
	b->content.tee_report.len /= 2;
	seal_again(b);
}

static void no_report(struct verify_build *b)
{
	size_t head;

	(void)report_of(b, &head);
	b->content.raw_report.len = head;
	seal_again(b);
}

static void other_report_alone(struct verify_build *b)
{
	other_report_beside(b);
	no_report(b);
}

/* A VCEK has to come from elsewhere then. */
static void report_alone(struct verify_build *b)
{
	static struct sevsnp_attestation s;
	size_t head;

	s = report_of(b, &head);
	report_beside(b);
	no_report(b);
	b->in.snp.vek = s.vcek;
}

static void report_of_nothing(struct verify_build *b)
{
	size_t head;

	(void)report_of(b, &head);
	b->evidence.bytes[head + 4] ^= 0x55; /* within sevsnp.Attestation */
	seal_again(b);
}

static void stock_signed_by_whom(struct verify_build *b)
{
	stock_by_nonces(b);
	b->in.token_key = b->key;
}

static void quote_nonce_alone(struct verify_build *b)
{
	verify_build_raw_binding(b);
	b->in.binding.report_data = NULL;
	b->in.token_key = b->key;
}

static void lists_of_an_ak_s_root(struct verify_build *b)
{
	b->in.tpm.binding.root = (struct span){ b->spki, b->spki_len };
	b->in.snp.require_crl = true;
}

static void lists_of_an_ek_s_root(struct verify_build *b)
{
	b->in.tpm.binding.ek_root = (struct span){ b->spki, b->spki_len };
	b->in.snp.require_crl = true;
}

/* By the policy, whoever judges by it. */
static void policy_demands_lists(struct verify_build *b)
{
	b->policy.require_crl = true;
}

static void policy_demands_young_lists(struct verify_build *b)
{
	b->policy.crl_max_age = 1;
}

static void policy_demands_an_ak_s_lists(struct verify_build *b)
{
	b->in.tpm.binding.root = (struct span){ b->spki, b->spki_len };
	policy_demands_lists(b);
}

static void policy_demands_an_ek_s_lists(struct verify_build *b)
{
	b->in.tpm.binding.ek_root = (struct span){ b->spki, b->spki_len };
	policy_demands_lists(b);
}

/* ---- the cases ---- */

enum {
	NOT_SNP = ~(1u << EVIDENCE_SNP),
	NO_REPORT = NOT_SNP & ~(1u << EVIDENCE_SNP_VTPM),
	LISTS_MISS_NOTHING = 1u << EVIDENCE_SNP | 1u << EVIDENCE_SNP_VTPM,
	NOT_VTPM = ~(1u << EVIDENCE_VTPM),
	NOT_SNP_VTPM = ~(1u << EVIDENCE_SNP_VTPM),
};

static const struct verify_row rows[] = {
	{ "stock evidence over the nonces", nothing, stock_by_nonces, NULL, 0 },
	{ "stock evidence and registers", nothing, stock_and_registers, "ak.binding",
	  ~(1u << EVIDENCE_SNP_VTPM) },
	{ "a token where one is demanded", nothing, token_demanded, NULL, 0 },
	{ "stock evidence where a token is", nothing, stock_where_a_token_is_demanded, "token.form",
	  0 },
	{ "stock evidence where a young token is", nothing, stock_where_a_young_token_is_demanded,
	  "token.form", 0 },
	{ "stock evidence where a claim is", nothing, stock_where_claims_are_demanded, "token.form",
	  0 },
	{ "stock evidence, extraData by itself", nothing, stock_by_tee_nonce_and_extra_data, NULL,
	  1 << EVIDENCE_SNP | 1 << EVIDENCE_TDX | 1 << EVIDENCE_VTPM },
	{ "the TPM's nonce alone", vtpm_nonce_alone, nothing, NULL, 0 },
	{ "a protobuf of go-sev-guest", nothing, snp_as_protobuf, NULL, NOT_SNP },
	{ "the report as it was, beside", nothing, report_beside, NULL, NOT_SNP_VTPM },
	{ "the report as it was, alone", nothing, report_alone, NULL, NOT_SNP_VTPM },
	{ "half a protobuf", nothing, snp_as_half_a_protobuf, "parse.protobuf", NOT_SNP },
	{ "another report beside", nothing, other_report_beside, "token.agrees", NOT_SNP_VTPM },
	{ "half a report beside", nothing, half_a_report_beside, "token.agrees", NOT_SNP_VTPM },
	{ "no report", nothing, no_report, "parse.report_there", NOT_SNP_VTPM },
	{ "another report alone", nothing, other_report_alone, "chain.vek", NOT_SNP_VTPM },
	{ "a report that is none", nothing, report_of_nothing, "parse.protobuf", NOT_SNP_VTPM },
	{ "a TPM's nonce and no report data", nothing, quote_nonce_alone, "ak.report",
	  NOT_SNP_VTPM },
	{ "lists of an AK's root", nothing, lists_of_an_ak_s_root, "crl.ak", NOT_VTPM },
	{ "lists of an EK's root", nothing, lists_of_an_ek_s_root, "crl.ek", NOT_VTPM },
	{ "lists that the policy demands", nothing, policy_demands_lists, "crl.required",
	  NO_REPORT },
	{ "lists where all are there", nothing, policy_demands_lists, NULL, LISTS_MISS_NOTHING },
	{ "lists that are older than the policy says", nothing, policy_demands_young_lists,
	  "crl.age", ~(1u << EVIDENCE_TDX) },
	{ "lists of an AK's root, by the policy", nothing, policy_demands_an_ak_s_lists, "crl.ak",
	  NOT_VTPM },
	{ "lists of an EK's root, by the policy", nothing, policy_demands_an_ek_s_lists, "crl.ek",
	  NOT_VTPM },
	{ "stock evidence over other nonces", nothing, stock_by_other_nonces, VERIFY_BOUND, 0 },
	{ "a signer named where nothing is signed", nothing, stock_signed_by_whom, "input.used",
	  0 },
	{ "bare evidence for a nonce", nothing, bare_by_mode, "token.binding", 0 },
	{ "bare evidence in mode eat", nothing, bare_in_eat_mode, "token.form", 0 },
	{ "nothing", nothing, nothing_at_all, "token.form", 0 },
	{ "a token cut", nothing, cut_token, "token.form", 0 },
	{ "a signature changed", nothing, wrong_signature, "token.signature", 0 },
};

static void judge(const struct verify_kind *kind)
{
	kind->setup();
	print_message("# %s: %zu cases\n", evidence_kind_platform(kind->mode),
		      verify_rows_judge(kind, rows, ARRAY_LEN(rows)));
	kind->teardown();
}

static void snp_evidence_is_judged_by_each_rule(void **state)
{
	judge(&verify_kind_snp);
}

static void tdx_evidence_is_judged_by_each_rule(void **state)
{
	judge(&verify_kind_tdx);
}

static void vtpm_evidence_is_judged_by_each_rule(void **state)
{
	judge(&verify_kind_vtpm);
}

static void snp_vtpm_evidence_is_judged_by_each_rule(void **state)
{
	judge(&verify_kind_snp_vtpm);
}

/* A policy that was judged by is not told as one that says nothing of what was judged. */
static void a_policy_that_speaks_is_told_so(void **state)
{
	const struct verify_kind *kinds[] = { &verify_kind_snp, &verify_kind_tdx,
					      &verify_kind_snp_vtpm };
	struct err e;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		kinds[k]->setup();
		assert_ok(verify_rows_run(kinds[k], nothing, nothing, &e), e);
		const struct check *c = verdict_find(&verify_rows_verdict, CHECK_POLICY_GIVEN);
		assert_int_equal(c->outcome, CHECK_PASSED);
		assert_non_null(strstr(c->found, "a policy that speaks of"));
		kinds[k]->teardown();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snp_evidence_is_judged_by_each_rule),
		cmocka_unit_test(tdx_evidence_is_judged_by_each_rule),
		cmocka_unit_test(vtpm_evidence_is_judged_by_each_rule),
		cmocka_unit_test(snp_vtpm_evidence_is_judged_by_each_rule),
		cmocka_unit_test(a_policy_that_speaks_is_told_so),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
