/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts of each kind of evidence: a right one is a yes, and each thing that is wrong is a no by its
 * name. */
#include "tests/unit/attestation/receipt/receipt_build.h"

typedef void change_fn(struct receipt_build *b);

static void nothing(struct receipt_build *b)
{
	(void)b;
}

static void another_computation(struct receipt_build *b)
{
	b->run.computation = "7b";
}

static void another_manifest(struct receipt_build *b)
{
	b->r.manifest[0] ^= 1;
}

static void manifest_not_named(struct receipt_build *b)
{
	b->manifest[0][0] ^= 1;
}

static void no_journal_key(struct receipt_build *b)
{
	b->run.journal = NULL;
	b->run.journal_len = 0;
}

static void signed_by_another(struct receipt_build *b)
{
	b->signer = b->other;
}

/* It is the agent's, and not for this. */
static void signed_by_the_identity(struct receipt_build *b)
{
	b->signer = b->identity;
}

static void signed_as_a_journal(struct receipt_build *b)
{
	b->aad = JOURNAL_HEAD_AAD;
}

static void evidence_of_another_statement(struct receipt_build *b)
{
	b->other_binding = true;
}

static void another_image(struct receipt_build *b)
{
	b->other_image = true;
}

static void ends_before_it_starts(struct receipt_build *b)
{
	b->r.started = b->r.ended + 1;
}

static void ends_with_the_skew(struct receipt_build *b)
{
	b->r.ended = (uint64_t)b->kind->at + RECEIPT_BUILD_SKEW;
}

static void ends_after_the_skew(struct receipt_build *b)
{
	b->r.ended = (uint64_t)b->kind->at + RECEIPT_BUILD_SKEW + 1;
}

static void external_identity(struct receipt_build *b)
{
	b->run.external = true;
}

static void weak_word(struct receipt_build *b)
{
	b->run.weak[b->run.weak_count++] = "development";
}

static void unknown_boot_key(struct receipt_build *b)
{
	b->run.entries[b->run.entry_count++] =
		(struct run_entry){ .key = "AGENT_ANYTHING", .value = "1" };
}

static void no_policy(struct receipt_build *b)
{
	b->in.policy = NULL;
}

static void no_manifest_named(struct receipt_build *b)
{
	b->in.manifest_count = 0;
}

/* Anybody gets a stock agent's evidence over a statement of his own. */
static void stock_policy(struct receipt_build *b)
{
	b->policy.run.relayable = true;
}

/* The journal's key signed it: no log of events of that machine, or of one that has none. */
static void strange_log(struct receipt_build *b)
{
	b->r.proof.log = (struct span){ (const uint8_t *)"no events", 9 };
}

static void without_a_journal(struct receipt_build *b)
{
	b->r.has_journal = false;
}

#define BOUND "(bound)"
#define LOG   "(log)"

static const struct row {
	const char *name;
	change_fn *change;
	const char *check; /* NULL: a yes */
} rows[] = {
	{ "a right one", nothing, NULL },
	{ "no manifest named", no_manifest_named, NULL },
	{ "a run without a journal", without_a_journal, NULL },
	{ "as late as clocks may differ", ends_with_the_skew, NULL },
	{ "of another computation", another_computation, "receipt.computation" },
	{ "of another manifest than its statement", another_manifest, "receipt.manifest" },
	{ "of a manifest that nobody named", manifest_not_named, "run.manifest" },
	{ "a statement without a journal's key", no_journal_key, "receipt.key" },
	{ "signed by nobody's key", signed_by_another, "receipt.signature" },
	{ "signed by the identity", signed_by_the_identity, "receipt.signature" },
	{ "signed as a journal's head", signed_as_a_journal, "receipt.signature" },
	{ "evidence of another run statement", evidence_of_another_statement, BOUND },
	{ "another image than the evidence's", another_image, "receipt.image" },
	{ "an end before the start", ends_before_it_starts, "receipt.time" },
	{ "later than clocks may differ", ends_after_the_skew, "receipt.time" },
	{ "an identity from outside", external_identity, "run.identity_made_inside" },
	{ "a weakening word", weak_word, "run.weak_words" },
	{ "a policy for stock agents", stock_policy, "run.statement" },
	{ "an unknown boot key", unknown_boot_key, "run.boot_keys" },
	{ "no policy", no_policy, "policy.given" },
	{ "a log that is none", strange_log, LOG },
};

static void judge_row(const struct verify_kind *kind, const struct row *row)
{
	CLEANUP(free) struct receipt_build *b = malloc(sizeof(*b));
	CLEANUP(free) struct verdict *v = malloc(sizeof(*v));
	const char *wanted = row->check;

	if (wanted && strcmp(wanted, BOUND) == 0)
		wanted = kind->bound;
	if (wanted && strcmp(wanted, LOG) == 0)
		wanted = kind->mode == EVIDENCE_SNP ? "receipt.image" : "log.parse";

	assert_true(b && v);
	receipt_build_begin(b, kind);
	row->change(b);
	receipt_build_seal(b);
	bool yes = receipt_build_judge(b, b->bytes.bytes, b->bytes.len, &b->opening.results, v);
	if (yes != !wanted || (wanted && !strstr(verdict_reason(v).text, wanted)))
		fail_msg("%s, %s: %s, wanted %s", evidence_kind_name(kind->mode), row->name,
			 yes ? "yes" : verdict_reason(v).text, wanted ? wanted : "yes");
	receipt_build_end(b);
}

static void judge_all(const struct verify_kind *kind)
{
	kind->setup();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		judge_row(kind, &rows[i]);
	kind->teardown();
}

static void of_snp(void **state)
{
	judge_all(&verify_kind_snp);
}

static void of_tdx(void **state)
{
	judge_all(&verify_kind_tdx);
}

static void of_a_tpm(void **state)
{
	judge_all(&verify_kind_vtpm);
}

static void of_snp_with_a_tpm(void **state)
{
	judge_all(&verify_kind_snp_vtpm);
}

static void wants_another_kind_too(struct receipt_build *b)
{
	if (b->kind->mode == EVIDENCE_VTPM)
		b->policy.has_snp = true;
	else
		b->policy.has_tpm = true;
}

/* Who shows the receipt says of which kind it is: that must not choose what of the policy counts. */
static void no_kind_that_the_policy_has_is_left_out(void **state)
{
	static const struct verify_kind *const kinds[] = { &verify_kind_snp, &verify_kind_tdx,
							   &verify_kind_vtpm };
	static const struct row row = { "a kind left out", wants_another_kind_too, "token.whole" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		kinds[i]->setup();
		judge_row(kinds[i], &row);
		kinds[i]->teardown();
	}
}

/* ---- other files, other proofs ---- */

static void the_file_has_to_be_that_of_the_receipt(void **state)
{
	CLEANUP(free) struct receipt_build *b = malloc(sizeof(*b));
	CLEANUP(free) struct verdict *v = malloc(sizeof(*v));
	struct receipt_results other[3];

	assert_true(b && v);
	verify_kind_snp.setup();
	receipt_build_begin(b, &verify_kind_snp);
	receipt_build_seal(b);
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		other[i] = b->opening.results;
	other[0].size++;
	other[1].sha256[31] ^= 1;
	other[2].sha3_256[31] ^= 1;
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		assert_false(receipt_build_judge(b, b->bytes.bytes, b->bytes.len, &other[i], v));
		assert_non_null(strstr(verdict_reason(v).text, "receipt.results"));
	}
	/* Nobody shows a file: nothing is said of one. */
	assert_true(receipt_build_judge(b, b->bytes.bytes, b->bytes.len, NULL, v));
	assert_null(verdict_find(v, CHECK_RECEIPT_RESULTS));
	receipt_build_end(b);
	verify_kind_snp.teardown();
}

/* Both are right by themselves, and of two runs of one image. */
static void a_proof_of_another_run_is_refused(void **state)
{
	CLEANUP(free) struct receipt_build *one = malloc(sizeof(*one));
	CLEANUP(free) struct receipt_build *other = malloc(sizeof(*other));
	CLEANUP(free) struct verdict *v = malloc(sizeof(*v));
	CLEANUP_WRITER struct writer mixed = writer_up_to(RECEIPT_MAX);
	struct err e;

	assert_true(one && other && v);
	verify_kind_snp.setup();
	receipt_build_begin(one, &verify_kind_snp);
	receipt_build_seal(one);
	receipt_build_begin(other, &verify_kind_snp);
	receipt_build_seal(other);
	assert_ok(receipt_put((struct span){ one->message.bytes, one->message.len },
			      (struct span){ other->proof.bytes, other->proof.len },
			      (struct span){ one->opened.bytes, one->opened.len }, &mixed, &e),
		  e);
	assert_false(receipt_build_judge(one, mixed.bytes, mixed.len, NULL, v));
	assert_int_equal(verdict_find(v, CHECK_RECEIPT_PROOF)->outcome, CHECK_FAILED);
	/* Nothing of it is looked at. */
	assert_null(verdict_find(v, CHECK_RECEIPT_SIGNATURE));
	receipt_build_end(one);
	receipt_build_end(other);
	verify_kind_snp.teardown();
}

static void genuine_only_says_nothing_of_the_run(void **state)
{
	CLEANUP(free) struct receipt_build *b = malloc(sizeof(*b));
	CLEANUP(free) struct verdict *v = malloc(sizeof(*v));

	assert_true(b && v);
	verify_kind_snp.setup();
	receipt_build_begin(b, &verify_kind_snp);
	weak_word(b);
	receipt_build_seal(b);
	b->in.genuine_only = true;
	b->in.policy = NULL;
	b->in.manifest_count = 0;
	assert_true(receipt_build_judge(b, b->bytes.bytes, b->bytes.len, &b->opening.results, v));
	assert_string_equal(verdict_word(v), "genuine");
	receipt_build_end(b);
	verify_kind_snp.teardown();
}

/* ---- calls that make no sense ---- */

static void a_statement_is_the_only_binding(void **state)
{
	static const uint8_t data[BINDING_REPORT_DATA_LEN] = { 1 };
	CLEANUP(free) struct receipt_build *b = malloc(sizeof(*b));
	CLEANUP(free) struct verdict *v = malloc(sizeof(*v));
	struct receipt r;
	struct verify_input in;
	struct err e;

	assert_true(b && v);
	verify_kind_snp.setup();
	receipt_build_begin(b, &verify_kind_snp);
	receipt_build_seal(b);
	assert_ok(receipt_parse(b->bytes.bytes, b->bytes.len, &r, &e), e);
	in = b->in;
	receipt_evidence(&r, &in);
	in.binding.report_data = data;
	assert_int_equal(verify(&in, v, NULL, &e), -ERR_INVALID);
	assert_false(verdict_ok(v));
	in.binding.report_data = NULL;
	in.before_run = true;
	assert_int_equal(verify(&in, v, NULL, &e), -ERR_INVALID);
	/* A token would bring a statement of its own. */
	in.before_run = false;
	in.mode = EVIDENCE_EAT;
	in.evidence = (struct span){ b->bytes.bytes, b->bytes.len };
	assert_ok(verify(&in, v, NULL, &e), e);
	assert_false(verdict_ok(v));
	assert_non_null(strstr(verdict_reason(v).text, "run.evidence"));
	receipt_done(&r);
	receipt_build_end(b);
	verify_kind_snp.teardown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_snp),
		cmocka_unit_test(of_tdx),
		cmocka_unit_test(of_a_tpm),
		cmocka_unit_test(of_snp_with_a_tpm),
		cmocka_unit_test(no_kind_that_the_policy_has_is_left_out),
		cmocka_unit_test(the_file_has_to_be_that_of_the_receipt),
		cmocka_unit_test(a_proof_of_another_run_is_refused),
		cmocka_unit_test(genuine_only_says_nothing_of_the_run),
		cmocka_unit_test(a_statement_is_the_only_binding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
