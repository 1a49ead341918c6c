/* SPDX-License-Identifier: Apache-2.0 */
/* A receipt's form: what was written is read, and nothing else. */
#include "tests/unit/attestation/receipt/receipt_build.h"

static struct receipt_build built;
static struct verdict verdict;

static int make(void **state)
{
	verify_kind_snp.setup();
	receipt_build_begin(&built, &verify_kind_snp);
	return 0;
}

static int unmake(void **state)
{
	receipt_build_end(&built);
	verify_kind_snp.teardown();
	return 0;
}

static void what_was_written_is_read(void **state)
{
	const struct receipt *w = &built.r;
	struct receipt r;
	struct err e;

	receipt_build_seal(&built);
	assert_ok(receipt_parse(built.bytes.bytes, built.bytes.len, &r, &e), e);
	assert_string_equal(r.computation, w->computation);
	assert_memory_equal(r.manifest, w->manifest, SHA3_256_LEN);
	assert_int_equal(r.results.size, 4711);
	assert_memory_equal(r.results.sha256, w->results.sha256, SHA256_LEN);
	assert_memory_equal(r.results.sha3_256, w->results.sha3_256, SHA3_256_LEN);
	assert_string_equal(r.algorithm_type, "python");
	assert_memory_equal(r.algorithm, w->algorithm, SHA3_256_LEN);
	assert_memory_equal(r.algorithm_owner, w->algorithm_owner, SHA3_256_LEN);
	assert_true(r.has_requirements);
	assert_memory_equal(r.requirements, w->requirements, SHA3_256_LEN);
	assert_int_equal(r.wheel_count, 1);
	assert_string_equal(r.wheels[0].name, built.wheel.name);
	assert_int_equal(r.dataset_count, 2);
	assert_string_equal(r.datasets[0].name, "h1.zip");
	assert_string_equal(r.datasets[1].name, "");
	assert_memory_equal(r.datasets[1].owner, built.datasets[1].owner, SHA3_256_LEN);
	assert_int_equal(r.arg_count, 2);
	assert_string_equal(r.args[1], "3");
	assert_memory_equal(&r.limits, &w->limits, sizeof(r.limits));
	assert_int_equal(r.exit, 0);
	assert_int_equal(r.platform, EVIDENCE_SNP);
	assert_int_equal(r.image_len, 48);
	assert_memory_equal(r.image, w->image, 48);
	assert_true(r.has_journal);
	assert_int_equal(r.journal.count, 12);
	assert_int_equal(r.started, w->started);
	assert_int_equal(r.ended, w->ended);
	assert_int_equal(r.proof.statement.len, built.statement.len);
	assert_memory_equal(r.proof.evidence.bytes, built.evidence.bytes, built.evidence.len);
	assert_int_equal(r.proof.log.len, 0);
	receipt_done(&r);
}

static void every_truncation_and_a_byte_more_are_refused(void **state)
{
	CLEANUP(free) uint8_t *longer = NULL;
	struct receipt r;
	struct err e;

	receipt_build_seal(&built);
	for (size_t len = 0; len < built.bytes.len; len++)
		if (receipt_parse(built.bytes.bytes, len, &r, &e) != -ERR_INVALID)
			fail_msg("%zu bytes of %zu are taken", len, built.bytes.len);
	longer = calloc(1, built.bytes.len + 1);
	assert_non_null(longer);
	memcpy(longer, built.bytes.bytes, built.bytes.len);
	assert_int_equal(receipt_parse(longer, built.bytes.len + 1, &r, &e), -ERR_INVALID);
}

/* A verdict is a yes only if both halves are one; the cheap half first. */
static bool is_taken(void)
{
	struct receipt r;
	struct err e;

	if (receipt_parse(built.bytes.bytes, built.bytes.len, &r, &e) < 0)
		return false;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_ok(receipt_judge(&r, &built.r.results, &built.in, &verdict, &e), e);
	receipt_done(&r);
	return verdict_ok(&verdict) &&
	       receipt_build_judge(&built, built.bytes.bytes, built.bytes.len, &built.r.results,
				   &verdict);
}

/* All bits of a whole one: payload, signature, statement, evidence with its certificate, heads. */
static void every_bit_counts(void **state)
{
	receipt_build_seal(&built);
	assert_true(is_taken());
	for (size_t bit = 0; bit < 8 * built.bytes.len; bit++) {
		built.bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (is_taken())
			fail_msg("bit %zu of byte %zu of %zu counts for nothing", bit % 8, bit / 8,
				 built.bytes.len);
		built.bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* ---- limits ---- */

static int write_and_read(struct err *e)
{
	struct receipt r;

	receipt_build_seal(&built);
	if (receipt_parse(built.bytes.bytes, built.bytes.len, &r, e) < 0)
		return err_code(e);
	receipt_done(&r);
	return 0;
}

static struct receipt_dataset datasets[RECEIPT_DATASETS_MAX + 1];
static struct receipt_wheel wheels[RECEIPT_WHEELS_MAX + 1];
static const char *args[RECEIPT_ARGS_MAX + 1];

static void as_many_as_there_may_be(void **state)
{
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(datasets); i++)
		datasets[i].name = "a";
	for (size_t i = 0; i < ARRAY_LEN(wheels); i++)
		wheels[i].name = "b";
	for (size_t i = 0; i < ARRAY_LEN(args); i++)
		args[i] = "";
	built.r.datasets = datasets;
	built.r.wheels = wheels;
	built.r.args = args;
	built.r.dataset_count = RECEIPT_DATASETS_MAX;
	built.r.wheel_count = RECEIPT_WHEELS_MAX;
	built.r.arg_count = RECEIPT_ARGS_MAX;
	assert_ok(write_and_read(&e), e);
}

static void one_more_is_not_written(void **state)
{
	size_t *const counts[] = { &built.r.dataset_count, &built.r.wheel_count, &built.r.arg_count,
				   &built.r.image_len };
	static const size_t max[] = { RECEIPT_DATASETS_MAX, RECEIPT_WHEELS_MAX, RECEIPT_ARGS_MAX,
				      RECEIPT_IMAGE_MAX };
	struct err e;

	built.r.datasets = datasets;
	built.r.wheels = wheels;
	built.r.args = args;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(RECEIPT_PAYLOAD_MAX);
		size_t good = *counts[i];

		*counts[i] = max[i] + 1;
		assert_int_equal(receipt_payload_write(&built.r, &w, &e), -ERR_EXHAUSTED);
		*counts[i] = good;
	}
}

/* Written by hand, since receipt_payload_write() does not: `key`'s value is replaced by what `put`
 * writes. */
typedef void put_fn(struct writer *w);

static int read_with(enum receipt_key key, put_fn *put, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(2 * RECEIPT_PAYLOAD_MAX);
	struct datum *tree = NULL;
	struct receipt r;

	assert_ok(datum_parse(built.payload.bytes, built.payload.len, &tree, e), *e);
	datum_put_map(&w, RECEIPT_KEYS);
	for (size_t i = 0; i < RECEIPT_KEYS; i++) {
		const struct datum *value = &tree->items[2 * i + 1];

		datum_put_uint(&w, i);
		if (i == (size_t)key)
			put(&w);
		else
			writer_bytes(&w, built.payload.bytes + value->start,
				     value->end - value->start);
	}
	datum_free(tree);
	struct writer good = built.payload;
	built.payload = w;
	receipt_build_sign(&built);
	built.payload = good;
	if (receipt_parse(built.bytes.bytes, built.bytes.len, &r, e) < 0)
		return err_code(e);
	receipt_done(&r);
	return 0;
}

static void put_null(struct writer *w)
{
	datum_put_null(w);
}

static void put_short(struct writer *w)
{
	datum_put_bytes(w, "0123456789012345678901234567890", 31);
}

static void put_text(struct writer *w)
{
	datum_put_text(w, "snp");
}

static void put_9999(struct writer *w)
{
	datum_put_uint(w, RECEIPT_TIME_MAX);
}

static void put_after_9999(struct writer *w)
{
	datum_put_uint(w, RECEIPT_TIME_MAX + 1);
}

static void put_empty(struct writer *w)
{
	datum_put_array(w, 0);
}

static void put_two(struct writer *w)
{
	datum_put_uint(w, 2);
}

static void put_datasets(struct writer *w)
{
	datum_put_array(w, RECEIPT_DATASETS_MAX + 1);
	for (size_t i = 0; i < RECEIPT_DATASETS_MAX + 1; i++) {
		datum_put_array(w, 3);
		datum_put_text(w, "");
		datum_put_bytes(w, datasets[0].digest, SHA3_256_LEN);
		datum_put_bytes(w, datasets[0].digest, SHA3_256_LEN);
	}
}

static void put_wheels(struct writer *w)
{
	datum_put_array(w, RECEIPT_WHEELS_MAX + 1);
	for (size_t i = 0; i < RECEIPT_WHEELS_MAX + 1; i++) {
		datum_put_array(w, 2);
		datum_put_text(w, "");
		datum_put_bytes(w, datasets[0].digest, SHA3_256_LEN);
	}
}

static void put_args(struct writer *w)
{
	datum_put_array(w, RECEIPT_ARGS_MAX + 1);
	for (size_t i = 0; i < RECEIPT_ARGS_MAX + 1; i++)
		datum_put_text(w, "");
}

static void put_zero_in_text(struct writer *w)
{
	static const uint8_t text[] = { 0x63, '7', 0, 'a' };

	writer_bytes(w, text, sizeof(text));
}

static void put_long_image(struct writer *w)
{
	static const uint8_t image[RECEIPT_IMAGE_MAX + 1];

	datum_put_array(w, 2);
	datum_put_text(w, "snp");
	datum_put_bytes(w, image, sizeof(image));
}

static void put_unknown_kind(struct writer *w)
{
	datum_put_array(w, 2);
	datum_put_text(w, "eat");
	datum_put_bytes(w, "", 0);
}

static void what_is_of_another_form_is_refused_by_name(void **state)
{
	static const struct {
		enum receipt_key key;
		put_fn *put;
		const char *what;
	} bad[] = {
		{ RECEIPT_KEY_VERSION, put_two, "version" },
		{ RECEIPT_KEY_COMPUTATION, put_null, "computation" },
		{ RECEIPT_KEY_COMPUTATION, put_zero_in_text, "computation" },
		{ RECEIPT_KEY_MANIFEST, put_short, "manifest" },
		{ RECEIPT_KEY_RESULTS, put_empty, "results" },
		{ RECEIPT_KEY_ALGORITHM, put_empty, "algorithm" },
		{ RECEIPT_KEY_REQUIREMENTS, put_short, "requirements" },
		{ RECEIPT_KEY_WHEELS, put_null, "wheels" },
		{ RECEIPT_KEY_WHEELS, put_wheels, "wheels" },
		{ RECEIPT_KEY_DATASETS, put_text, "datasets" },
		{ RECEIPT_KEY_DATASETS, put_datasets, "datasets" },
		{ RECEIPT_KEY_ARGUMENTS, put_null, "arguments" },
		{ RECEIPT_KEY_ARGUMENTS, put_args, "arguments" },
		{ RECEIPT_KEY_LIMITS, put_empty, "limits" },
		{ RECEIPT_KEY_EXIT, put_text, "exit" },
		{ RECEIPT_KEY_IMAGE, put_long_image, "image" },
		{ RECEIPT_KEY_IMAGE, put_unknown_kind, "image" },
		{ RECEIPT_KEY_JOURNAL, put_empty, "journal" },
		{ RECEIPT_KEY_STARTED, put_null, "start" },
		{ RECEIPT_KEY_STARTED, put_after_9999, "start" },
		{ RECEIPT_KEY_ENDED, put_after_9999, "end" },
		{ RECEIPT_KEY_ENDED, put_text, "end" },
		{ RECEIPT_KEY_PROOF, put_short, "digest" },
	};
	struct err e;

	receipt_build_seal(&built);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (read_with(bad[i].key, bad[i].put, &e) != -ERR_INVALID)
			fail_msg("row %zu is taken", i);
		if (!strstr(e.text, bad[i].what))
			fail_msg("row %zu: %s, which does not name its %s", i, e.text, bad[i].what);
	}
	assert_ok(read_with(RECEIPT_KEY_JOURNAL, put_null, &e), e); /* the one that may be absent */
	assert_ok(read_with(RECEIPT_KEY_REQUIREMENTS, put_null, &e), e);
	assert_ok(read_with(RECEIPT_KEY_ENDED, put_9999, &e), e);
}

/* ---- what stands beside it ---- */

static int read_beside(const void *bytes, size_t len, struct err *e)
{
	CLEANUP_WRITER struct writer out = writer_up_to(2 * RECEIPT_MAX);
	struct cose message = { 0 };
	struct receipt r;

	assert_ok(cose_parse(built.message.bytes, built.message.len, NULL, 0, &message, e), *e);
	assert_ok(cose_put_beside(&message, RECEIPT_LABEL_PROOF, bytes, len, &out, e), *e);
	cose_done(&message);
	if (receipt_parse(out.bytes, out.len, &r, e) < 0)
		return err_code(e);
	receipt_done(&r);
	return 0;
}

static void the_evidence_beside_has_one_form(void **state)
{
	static const uint8_t two[] = { 0x82, 0x40, 0x40 }, three[] = { 0x83, 0x40, 0x40, 0x40 },
			     text[] = { 0x83, 0x40, 0x60, 0x40 },
			     wide[] = { 0x83, 0x40, 0x58, 0, 0x40 };
	CLEANUP_WRITER struct writer out = writer_up_to(RECEIPT_MAX);
	CLEANUP(free) uint8_t *large = calloc(1, RECEIPT_PROOF_MAX + 1);
	struct cose message = { 0 };
	struct receipt r;
	struct err e;

	assert_non_null(large);
	receipt_build_seal(&built);
	assert_ok(read_beside(three, sizeof(three), &e), e);
	assert_int_equal(read_beside(two, sizeof(two), &e), -ERR_INVALID);
	assert_int_equal(read_beside(text, sizeof(text), &e), -ERR_INVALID);
	assert_int_equal(read_beside(wide, sizeof(wide), &e), -ERR_INVALID);
	assert_int_equal(read_beside(large, RECEIPT_PROOF_MAX + 1, &e), -ERR_INVALID);
	/* None, or under another label. */
	assert_int_equal(receipt_parse(built.message.bytes, built.message.len, &r, &e),
			 -ERR_INVALID);
	assert_ok(cose_parse(built.message.bytes, built.message.len, NULL, 0, &message, &e), e);
	assert_ok(
		cose_put_beside(&message, RECEIPT_LABEL_PROOF - 1, three, sizeof(three), &out, &e),
		e);
	cose_done(&message);
	assert_int_equal(receipt_parse(out.bytes, out.len, &r, &e), -ERR_INVALID);
	/* A second one can't be put there. */
	assert_ok(cose_parse(built.bytes.bytes, built.bytes.len, NULL, 0, &message, &e), e);
	assert_int_equal(
		cose_put_beside(&message, RECEIPT_LABEL_PROOF, three, sizeof(three), &out, &e),
		-ERR_INVALID);
	cose_done(&message);
}

static void the_largest_evidence_is_taken(void **state)
{
	CLEANUP(free) uint8_t *log = calloc(1, RECEIPT_PROOF_MAX);
	CLEANUP_WRITER struct writer proof = writer_up_to(RECEIPT_PROOF_MAX);
	const size_t heads = 1 + 1 + 1 + 5;
	struct receipt_proof p = { .log = { log, RECEIPT_PROOF_MAX - heads } };
	struct err e;

	assert_non_null(log);
	receipt_build_seal(&built);
	assert_ok(receipt_proof_write(&p, &proof, &e), e);
	assert_int_equal(proof.len, RECEIPT_PROOF_MAX);
	assert_ok(read_beside(proof.bytes, proof.len, &e), e);
	p.log.len++;
	CLEANUP_WRITER struct writer more = writer_up_to(RECEIPT_PROOF_MAX);
	assert_int_equal(receipt_proof_write(&p, &more, &e), -ERR_EXHAUSTED);
}

static void a_payload_as_long_as_any(void **state)
{
	CLEANUP(free) char *text = calloc(1, RECEIPT_PAYLOAD_MAX);
	const char *arg[1] = { text };
	struct err e;

	assert_non_null(text);
	built.r.args = arg;
	built.r.arg_count = 1;
	memset(text, 'x', 70000);
	assert_ok(write_and_read(&e), e);
	size_t left = RECEIPT_PAYLOAD_MAX - built.payload.len;
	memset(text, 'x', 70000 + left + 1);
	CLEANUP_WRITER struct writer over = writer_up_to(RECEIPT_PAYLOAD_MAX);
	assert_int_equal(receipt_payload_write(&built.r, &over, &e), -ERR_EXHAUSTED);
	text[70000 + left] = 0;
	CLEANUP_WRITER struct writer full = writer_up_to(RECEIPT_PAYLOAD_MAX);
	assert_ok(receipt_payload_write(&built.r, &full, &e), e);
	assert_int_equal(full.len, RECEIPT_PAYLOAD_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_is_read, make, unmake),
		cmocka_unit_test_setup_teardown(every_truncation_and_a_byte_more_are_refused, make,
						unmake),
		cmocka_unit_test_setup_teardown(every_bit_counts, make, unmake),
		cmocka_unit_test_setup_teardown(as_many_as_there_may_be, make, unmake),
		cmocka_unit_test_setup_teardown(one_more_is_not_written, make, unmake),
		cmocka_unit_test_setup_teardown(what_is_of_another_form_is_refused_by_name, make,
						unmake),
		cmocka_unit_test_setup_teardown(the_evidence_beside_has_one_form, make, unmake),
		cmocka_unit_test_setup_teardown(the_largest_evidence_is_taken, make, unmake),
		cmocka_unit_test_setup_teardown(a_payload_as_long_as_any, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
