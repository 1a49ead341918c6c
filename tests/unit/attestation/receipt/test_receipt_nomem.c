/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation fails once while a receipt is written, read and judged: never a yes to a wrong one,
 * and none that was written without an error and is not whole. Of what the judging of its evidence
 * allocates CI takes a sample (tests/sample.h): test_verify_nomem.c has all of that.
 */
#include "tests/sample.h"
#include "tests/unit/attestation/receipt/receipt_build.h"
#include "tests/unit/nomem/nomem.h"

#include <stdio.h>

enum { SAMPLE = 61 };

static struct receipt_build b;

static int prepare(void **state)
{
	verify_kind_snp.setup();
	receipt_build_begin(&b, &verify_kind_snp);
	receipt_build_seal(&b);
	return 0;
}

static int leave(void **state)
{
	receipt_build_end(&b);
	verify_kind_snp.teardown();
	return 0;
}

static int write_receipt(struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer proof = writer_up_to(RECEIPT_PROOF_MAX);
	CLEANUP_WRITER struct writer opened = writer_up_to(RECEIPT_MAX);
	CLEANUP_WRITER struct writer payload = writer_up_to(RECEIPT_PAYLOAD_MAX);
	CLEANUP_WRITER struct writer message = writer_up_to(RECEIPT_PAYLOAD_MAX + 1024);
	struct receipt r = b.r;

	if (receipt_proof_write(&r.proof, &proof, e) < 0 ||
	    digest(DIGEST_SHA256, proof.bytes, proof.len, r.proof_digest, e) < 0 ||
	    receipt_opening_write(&b.opening, &opened, e) < 0 ||
	    receipt_commit((struct span){ opened.bytes, opened.len }, r.results, e) < 0 ||
	    receipt_image(b.kind->mode, r.proof.evidence, r.image, &r.image_len, e) < 0 ||
	    receipt_payload_write(&r, &payload, e) < 0)
		return err_code(e);
	const struct cose_content content = { .payload = payload.bytes,
					      .payload_len = payload.len,
					      .aad = b.aad,
					      .aad_len = strlen(b.aad),
					      .content_type = JOURNAL_RECEIPT_TYPE };
	if (cose_sign(&content, b.signer, &message, e) < 0)
		return err_code(e);
	return receipt_put((struct span){ message.bytes, message.len },
			   (struct span){ proof.bytes, proof.len },
			   (struct span){ opened.bytes, opened.len }, out, e);
}

static int attempt_write(void *data, struct err *e)
{
	CLEANUP_WRITER struct writer out = writer_up_to(RECEIPT_MAX);
	struct verdict v;

	if (write_receipt(&out, e) < 0)
		return err_code(e);
	nomem_pause();
	assert_true(receipt_build_judge(&b, out.bytes, out.len, &b.opening.results, &v));
	nomem_go_on();
	return 0;
}

static int attempt_read(void *data, struct err *e)
{
	struct receipt r;

	if (receipt_parse(b.bytes.bytes, b.bytes.len, &r, e) < 0)
		return err_code(e);
	assert_string_equal(r.computation, b.r.computation);
	assert_int_equal(r.dataset_count, RECEIPT_BUILD_DATASETS);
	receipt_done(&r);
	return 0;
}

/* Without a verdict of yes: whether it is a no, or could not be judged. */
static int judge(const struct receipt_results *found, struct verdict *v, struct err *e)
{
	struct verify_input in = b.in;
	struct receipt r;
	int failed;

	verdict_init(v, VERDICT_SCOPE_FULL);
	if (receipt_parse(b.bytes.bytes, b.bytes.len, &r, e) < 0)
		return err_code(e);
	receipt_evidence(&r, &in);
	failed = verify(&in, v, NULL, e);
	if (!failed)
		failed = receipt_judge(&r, found, &in, v, e);
	receipt_done(&r);
	return failed;
}

/* A no for want of memory is said to be an error. */
static int attempt_judge(void *data, struct err *e)
{
	struct verdict v;
	int failed = judge(&b.opening.results, &v, e);

	if (!failed && !verdict_ok(&v))
		return err_set(e, ERR_EXHAUSTED, "a no");
	return failed;
}

static int attempt_judge_wrong(void *data, struct err *e)
{
	struct receipt_results other = b.opening.results;
	struct verdict v;

	other.sha256[0] ^= 1;
	int failed = judge(&other, &v, e);
	assert_true(failed || !verdict_ok(&v));
	return failed;
}

static int attempt_results(void *data, struct err *e)
{
	struct receipt_results results;

	if (receipt_results_of(fileno(data), &results, e) < 0)
		return err_code(e);
	assert_int_equal(results.size, 7);
	return 0;
}

static void a_receipt_is_written_whole_or_refused(void **state)
{
	nomem_each("written", attempt_write, NULL, 1);
}

static void a_receipt_is_read_whole_or_refused(void **state)
{
	nomem_each("read", attempt_read, NULL, 1);
}

static void a_right_receipt_is_right_or_could_not_be_judged(void **state)
{
	nomem_each("judged", attempt_judge, NULL, sample_is_whole() ? 1 : SAMPLE);
}

static void a_wrong_receipt_is_wrong_whatever_fails(void **state)
{
	nomem_each("judged, and wrong", attempt_judge_wrong, NULL, sample_is_whole() ? 1 : SAMPLE);
}

static void results_are_measured_whole_or_not_at_all(void **state)
{
	CLEANUP(fclose) FILE *file = tmpfile();

	assert_true(file && fputs("results", file) >= 0 && fflush(file) == 0);
	nomem_each("results", attempt_results, file, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_receipt_is_written_whole_or_refused),
		cmocka_unit_test(a_receipt_is_read_whole_or_refused),
		cmocka_unit_test(a_right_receipt_is_right_or_could_not_be_judged),
		cmocka_unit_test(a_wrong_receipt_is_wrong_whatever_fails),
		cmocka_unit_test(results_are_measured_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, prepare, leave);
}
