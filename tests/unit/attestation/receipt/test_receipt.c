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
	assert_memory_equal(r.results, w->results, SHA3_256_LEN);
	assert_true(r.is_open);
	assert_memory_equal(&r.opening, &built.opening, sizeof(r.opening));
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

/* The leave, and which run the dataset came in; of the others nothing is said. */
static void a_kept_dataset_is_told(void **state)
{
	static const char *const leaves[] = { "retry", "algorithm" };
	struct receipt r;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
		built.datasets[1].leave = leaves[i];
		memset(built.datasets[1].kept_of, 0x41, SHA3_256_LEN);
		receipt_build_seal(&built);
		assert_ok(receipt_parse(built.bytes.bytes, built.bytes.len, &r, &e), e);
		assert_int_equal(receipt_version(&r), RECEIPT_VERSION_KEPT);
		assert_null(r.datasets[0].leave);
		assert_string_equal(r.datasets[1].leave, leaves[i]);
		assert_memory_equal(r.datasets[1].kept_of, built.datasets[1].kept_of, SHA3_256_LEN);
		receipt_done(&r);
		assert_true(receipt_build_judge(&built, built.bytes.bytes, built.bytes.len,
						&built.opening.results, &verdict));
		receipt_build_end(&built);
		receipt_build_begin(&built, &verify_kind_snp);
	}
	receipt_build_seal(&built);
	assert_ok(receipt_parse(built.bytes.bytes, built.bytes.len, &r, &e), e);
	assert_int_equal(receipt_version(&r), RECEIPT_VERSION);
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
	assert_ok(receipt_judge(&r, &built.opening.results, &built.in, &verdict, &e), e);
	receipt_done(&r);
	return verdict_ok(&verdict) &&
	       receipt_build_judge(&built, built.bytes.bytes, built.bytes.len,
				   &built.opening.results, &verdict);
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

static void put_three(struct writer *w)
{
	datum_put_uint(w, RECEIPT_VERSION_KEPT + 1);
}

static void put_dataset(struct writer *w, size_t items, size_t of_kept, const char *leave)
{
	datum_put_array(w, 1);
	datum_put_array(w, items);
	datum_put_text(w, "");
	datum_put_bytes(w, datasets[0].digest, SHA3_256_LEN);
	datum_put_bytes(w, datasets[0].digest, SHA3_256_LEN);
	for (size_t i = 3; i < items; i++) {
		datum_put_array(w, of_kept);
		datum_put_text(w, leave);
		for (size_t k = 1; k < of_kept; k++)
			datum_put_bytes(w, datasets[0].digest, SHA3_256_LEN);
	}
}

static void put_kept_in_the_first_version(struct writer *w)
{
	put_dataset(w, 4, 2, "retry");
}

static void put_kept_by_no_leave(struct writer *w)
{
	put_dataset(w, 4, 2, "");
}

static void put_kept_by_another_leave(struct writer *w)
{
	put_dataset(w, 4, 2, "always and for ever");
}

static void put_kept_of_nothing(struct writer *w)
{
	put_dataset(w, 4, 1, "retry");
}

static void put_kept_of_two(struct writer *w)
{
	put_dataset(w, 4, 3, "retry");
}

static void put_kept_twice(struct writer *w)
{
	put_dataset(w, 5, 2, "retry");
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
		{ RECEIPT_KEY_VERSION, put_three, "version" },
		{ RECEIPT_KEY_DATASETS, put_kept_in_the_first_version, "version" },
		{ RECEIPT_KEY_DATASETS, put_kept_by_no_leave, "datasets" },
		{ RECEIPT_KEY_DATASETS, put_kept_by_another_leave, "datasets" },
		{ RECEIPT_KEY_DATASETS, put_kept_of_nothing, "datasets" },
		{ RECEIPT_KEY_DATASETS, put_kept_of_two, "datasets" },
		{ RECEIPT_KEY_DATASETS, put_kept_twice, "datasets" },
		{ RECEIPT_KEY_COMPUTATION, put_null, "computation" },
		{ RECEIPT_KEY_COMPUTATION, put_zero_in_text, "computation" },
		{ RECEIPT_KEY_MANIFEST, put_short, "manifest" },
		{ RECEIPT_KEY_RESULTS, put_short, "results" },
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

/* All is there, each key once: in another order than the one that all others are compared with. */
static void keys_in_another_order_are_refused(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RECEIPT_PAYLOAD_MAX);
	struct datum *tree = NULL;
	struct receipt r;
	struct err e;

	receipt_build_seal(&built);
	assert_ok(datum_parse(built.payload.bytes, built.payload.len, &tree, &e), e);
	datum_put_map(&w, RECEIPT_KEYS);
	for (size_t i = 0; i < RECEIPT_KEYS; i++) {
		/* the last two change places */
		size_t from = i < RECEIPT_KEYS - 2 ? i : 2 * RECEIPT_KEYS - 3 - i;
		const struct datum *value = &tree->items[2 * from + 1];

		datum_put_uint(&w, from);
		writer_bytes(&w, built.payload.bytes + value->start, value->end - value->start);
	}
	datum_free(tree);
	struct writer good = built.payload;
	built.payload = w;
	receipt_build_sign(&built);
	built.payload = good;
	assert_refused(receipt_parse(built.bytes.bytes, built.bytes.len, &r, &e), e, ERR_INVALID,
		       "deterministic");
	receipt_build_sign(&built);
	assert_ok(receipt_parse(built.bytes.bytes, built.bytes.len, &r, &e), e);
	receipt_done(&r);
}

/* ---- its headers ---- */

static int read_signed(const struct cose_content *content, EVP_PKEY *key, struct err *e)
{
	const struct cose_beside proof = { RECEIPT_LABEL_PROOF, built.proof.bytes,
					   built.proof.len };
	CLEANUP_WRITER struct writer message = writer_up_to(2 * RECEIPT_PAYLOAD_MAX),
				     out = writer_up_to(2 * RECEIPT_MAX);
	struct cose cose = { 0 };
	struct receipt r;

	assert_ok(cose_sign(content, key, &message, e), *e);
	assert_ok(cose_parse(message.bytes, message.len, NULL, 0, &cose, e), *e);
	if (cose.unprotected->count) /* nothing more can be put there */
		writer_bytes(&out, message.bytes, message.len);
	else
		assert_ok(cose_put_beside(&cose, &proof, 1, &out, e), *e);
	cose_done(&cose);
	if (receipt_parse(out.bytes, out.len, &r, e) < 0)
		return err_code(e);
	receipt_done(&r);
	return 0;
}

/* What the same key signs otherwise, and what a sloppier reader would take. */
static void its_headers_have_one_form(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *other = EVP_EC_gen("P-384");
	CLEANUP(free) uint8_t *large = calloc(1, RECEIPT_PAYLOAD_MAX + 1);
	struct err e;

	assert_true(other && large);
	receipt_build_seal(&built);
	const struct cose_content good = { .payload = built.payload.bytes,
					   .payload_len = built.payload.len,
					   .aad = JOURNAL_RECEIPT_AAD,
					   .aad_len = strlen(JOURNAL_RECEIPT_AAD),
					   .content_type = JOURNAL_RECEIPT_TYPE };
	struct cose_content c = good;
	assert_ok(read_signed(&c, built.journal, &e), e);
	assert_refused(read_signed(&c, other, &e), e, ERR_INVALID, "not ES256");
	c.content_type = JOURNAL_HEAD_TYPE;
	assert_refused(read_signed(&c, built.journal, &e), e, ERR_INVALID, "content type");
	c.content_type = NULL;
	assert_refused(read_signed(&c, built.journal, &e), e, ERR_INVALID, "content type");
	c = good;
	c.extra_label = 99;
	c.extra = "x";
	c.extra_len = 1;
	assert_refused(read_signed(&c, built.journal, &e), e, ERR_INVALID, "content type");
	c = good;
	c.kid = "x";
	c.kid_len = 1;
	assert_refused(read_signed(&c, built.journal, &e), e, ERR_INVALID, "evidence");
	c = good;
	c.payload = large;
	c.payload_len = RECEIPT_PAYLOAD_MAX + 1;
	assert_refused(read_signed(&c, built.journal, &e), e, ERR_INVALID, "longer than any");
}

/* ---- what stands beside it ---- */

/* An opening but for its count of items, or the length of its salt. */
static void put_opening_of(struct writer *w, size_t items, size_t salt)
{
	datum_put_array(w, items);
	datum_put_bytes(w, built.opening.salt, salt);
	datum_put_uint(w, 1);
	for (size_t i = 2; i < items; i++)
		datum_put_bytes(w, built.opening.salt, RECEIPT_SALT_LEN);
}

/* The opening as it is now, under a commitment to it. */
static int commit_and_read(struct receipt *r, struct err *e)
{
	writer_done(&built.payload);
	built.payload = writer_up_to(RECEIPT_PAYLOAD_MAX);
	assert_ok(receipt_commit((struct span){ built.opened.bytes, built.opened.len },
				 built.r.results, e),
		  *e);
	assert_ok(receipt_payload_write(&built.r, &built.payload, e), *e);
	receipt_build_sign(&built);
	return receipt_parse(built.bytes.bytes, built.bytes.len, r, e);
}

static int read_beside(const void *bytes, size_t len, struct err *e)
{
	CLEANUP_WRITER struct writer out = writer_up_to(2 * RECEIPT_MAX);
	struct cose message = { 0 };
	struct receipt r;

	assert_ok(cose_parse(built.message.bytes, built.message.len, NULL, 0, &message, e), *e);
	assert_ok(cose_put_beside(&message,
				  &(struct cose_beside){ RECEIPT_LABEL_PROOF, bytes, len }, 1, &out,
				  e),
		  *e);
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
	const struct cose_beside other = { RECEIPT_LABEL_PROOF + 1, three, sizeof(three) };
	assert_ok(cose_put_beside(&message, &other, 1, &out, &e), e);
	cose_done(&message);
	assert_int_equal(receipt_parse(out.bytes, out.len, &r, &e), -ERR_INVALID);
	/* A second one can't be put there. */
	assert_ok(cose_parse(built.bytes.bytes, built.bytes.len, NULL, 0, &message, &e), e);
	assert_int_equal(cose_put_beside(&message, &other, 1, &out, &e), -ERR_INVALID);
	cose_done(&message);
}

/* ---- which results it is of ---- */

static int read_with_headers(const struct cose_beside *headers, size_t count, struct receipt *r,
			     struct err *e)
{
	CLEANUP_WRITER struct writer out = writer_up_to(RECEIPT_MAX);
	struct cose message = { 0 };

	assert_ok(cose_parse(built.message.bytes, built.message.len, NULL, 0, &message, e), *e);
	assert_ok(cose_put_beside(&message, headers, count, &out, e), *e);
	cose_done(&message);
	if (receipt_parse(out.bytes, out.len, r, e) < 0)
		return err_code(e);
	receipt_done(r); /* what is looked at afterwards is no span */
	return 0;
}

/* The form of docs/receipt.md, and its vector. */
static void the_opening_is_that_of_the_page(void **state)
{
	static const uint8_t commitment[SHA3_256_LEN] = { 0x65, 0xcc, 0x02, 0xdc, 0xeb, 0x4f, 0x5d,
							  0xaa, 0x7e, 0xe7, 0x9e, 0x62, 0x4c, 0x8e,
							  0xe2, 0xb2, 0x36, 0xda, 0x59, 0xc2, 0x79,
							  0x5d, 0x02, 0x1d, 0x40, 0xf7, 0xb8, 0x13,
							  0x52, 0x62, 0x41, 0x49 };

	receipt_build_seal(&built);
	assert_int_equal(built.opened.len, 1 + 34 + 3 + 34 + 34);
	assert_memory_equal(built.opened.bytes, "\x84\x58\x20\x00\x01\x02", 6);
	assert_memory_equal(built.opened.bytes + 35, "\x19\x12\x67\x58\x20\x36", 6);
	assert_memory_equal(built.r.results, commitment, sizeof(commitment));
}

/* A provider's copy says all but that; nothing in it is the results' digest. */
static void without_its_opening_it_says_of_no_results(void **state)
{
	struct receipt r;
	struct err e;

	built.closed = true;
	receipt_build_seal(&built);
	assert_ok(receipt_parse(built.bytes.bytes, built.bytes.len, &r, &e), e);
	assert_false(r.is_open);
	assert_int_equal(r.opening.results.size, 0);
	assert_null(memmem(built.bytes.bytes, built.bytes.len, built.opening.results.sha256,
			   SHA256_LEN));
	assert_null(memmem(built.bytes.bytes, built.bytes.len, built.opening.results.sha3_256,
			   SHA3_256_LEN));
	assert_null(
		memmem(built.bytes.bytes, built.bytes.len, built.opening.salt, RECEIPT_SALT_LEN));
	receipt_done(&r);
	assert_true(
		receipt_build_judge(&built, built.bytes.bytes, built.bytes.len, NULL, &verdict));
	assert_false(receipt_build_judge(&built, built.bytes.bytes, built.bytes.len,
					 &built.opening.results, &verdict));
	assert_non_null(strstr(verdict_reason(&verdict).text, "receipt.results"));
	assert_non_null(strstr(verdict_reason(&verdict).text, "a consumer's, with the salt"));
}

static void nothing_else_opens_it(void **state)
{
	struct receipt r;
	struct err e;

	receipt_build_seal(&built);
	const struct cose_beside proof = { RECEIPT_LABEL_PROOF, built.proof.bytes,
					   built.proof.len };
	for (size_t bit = 0; bit < 8 * built.opened.len; bit++) {
		const struct cose_beside both[] = {
			proof, { RECEIPT_LABEL_OPENING, built.opened.bytes, built.opened.len }
		};

		built.opened.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(read_with_headers(both, 2, &r, &e), -ERR_INVALID);
		assert_non_null(strstr(e.text, "of other results"));
		built.opened.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* Each is the commitment's, and none is an opening. */
static void an_opening_has_one_form(void **state)
{
	static uint8_t large[RECEIPT_OPENING_MAX + 1];
	CLEANUP_WRITER struct writer four = writer_up_to(256), five = writer_up_to(256),
				     two = writer_up_to(256);
	const struct writer *const bad[] = { &four, &five, &two };
	struct receipt r;
	struct err e;

	put_opening_of(&four, 4, 31);
	put_opening_of(&five, 5, RECEIPT_SALT_LEN);
	writer_text(&two, "ab");
	receipt_build_seal(&built);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		writer_done(&built.opened);
		built.opened = writer_up_to(256);
		writer_bytes(&built.opened, bad[i]->bytes, bad[i]->len);
		assert_int_equal(commit_and_read(&r, &e), -ERR_INVALID);
		assert_null(strstr(e.text, "of other results"));
	}
	const struct cose_beside proof = { RECEIPT_LABEL_PROOF, built.proof.bytes,
					   built.proof.len };
	const struct cose_beside both[] = { proof,
					    { RECEIPT_LABEL_OPENING, large, sizeof(large) } };
	const struct cose_beside unknown[] = { proof, { RECEIPT_LABEL_OPENING - 1, large, 1 } };
	const struct cose_beside turned[] = { both[1], proof };
	const struct cose_beside three[] = { proof, both[1], unknown[1] };
	assert_int_equal(read_with_headers(both, 2, &r, &e), -ERR_INVALID);
	assert_non_null(strstr(e.text, "another header"));
	assert_int_equal(read_with_headers(unknown, 2, &r, &e), -ERR_INVALID);
	assert_non_null(strstr(e.text, "another header"));
	assert_int_equal(read_with_headers(turned, 2, &r, &e), -ERR_INVALID);
	assert_non_null(strstr(e.text, "another header"));
	assert_int_equal(read_with_headers(three, 3, &r, &e), -ERR_INVALID);
	assert_non_null(strstr(e.text, "another header"));
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
	/* Nor is it read. */
	CLEANUP_WRITER struct writer longer = writer_up_to(RECEIPT_PROOF_MAX + 1);
	assert_ok(receipt_proof_write(&p, &longer, &e), e);
	assert_refused(read_beside(longer.bytes, longer.len, &e), e, ERR_INVALID,
		       "longer than any");
}

/* Whatever it holds: nothing of it is read. */
static void a_receipt_has_its_limit(void **state)
{
	CLEANUP(free) uint8_t *large = calloc(1, RECEIPT_MAX + 1);
	struct receipt r;
	struct err e;

	assert_non_null(large);
	assert_refused(receipt_parse(large, RECEIPT_MAX + 1, &r, &e), e, ERR_INVALID, "1 to");
	assert_refused(receipt_parse(large, 0, &r, &e), e, ERR_INVALID, "1 to");
	assert_refused(receipt_parse(large, RECEIPT_MAX, &r, &e), e, ERR_INVALID, "cose");
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
		cmocka_unit_test_setup_teardown(a_kept_dataset_is_told, make, unmake),
		cmocka_unit_test_setup_teardown(every_truncation_and_a_byte_more_are_refused, make,
						unmake),
		cmocka_unit_test_setup_teardown(every_bit_counts, make, unmake),
		cmocka_unit_test_setup_teardown(as_many_as_there_may_be, make, unmake),
		cmocka_unit_test_setup_teardown(one_more_is_not_written, make, unmake),
		cmocka_unit_test_setup_teardown(what_is_of_another_form_is_refused_by_name, make,
						unmake),
		cmocka_unit_test_setup_teardown(keys_in_another_order_are_refused, make, unmake),
		cmocka_unit_test_setup_teardown(its_headers_have_one_form, make, unmake),
		cmocka_unit_test_setup_teardown(the_evidence_beside_has_one_form, make, unmake),
		cmocka_unit_test_setup_teardown(the_opening_is_that_of_the_page, make, unmake),
		cmocka_unit_test_setup_teardown(without_its_opening_it_says_of_no_results, make,
						unmake),
		cmocka_unit_test_setup_teardown(nothing_else_opens_it, make, unmake),
		cmocka_unit_test_setup_teardown(an_opening_has_one_form, make, unmake),
		cmocka_unit_test_setup_teardown(the_largest_evidence_is_taken, make, unmake),
		cmocka_unit_test_setup_teardown(a_receipt_has_its_limit, make, unmake),
		cmocka_unit_test_setup_teardown(a_payload_as_long_as_any, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
