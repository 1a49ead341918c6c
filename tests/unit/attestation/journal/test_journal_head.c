/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of a journal: how they go forward, and that only the one signed form is taken. */
#include "attestation/formats/cose.h"
#include "attestation/journal/journal_head.h"
#include "common/base/writer.h"
#include "tests/unit.h"

static int enter(void **state)
{
	EVP_PKEY *key = NULL;
	struct err e;

	if (key_generate(KEY_ECDSA, &key, &e) < 0)
		return -1;
	*state = key;
	return 0;
}

static int leave(void **state)
{
	EVP_PKEY_free(*state);
	return 0;
}

static struct span span_of(const struct writer *w)
{
	return (struct span){ w->bytes, w->len };
}

/* SHA-256 of label, count, previous digest, entry: as docs/journal.md writes it. */
static void a_head_goes_forward_by_an_entry(void **state)
{
	uint8_t bytes[23 + 8 + 32 + 32] = "cocos-journal-entry-v1", wanted[SHA256_LEN];
	struct journal_head head = { 0 };
	uint8_t entry[SHA256_LEN] = { 9 };
	struct err e;

	bytes[30] = 1;
	bytes[23 + 8 + 32] = 9;
	assert_ok(digest(DIGEST_SHA256, bytes, sizeof(bytes), wanted, &e), e);
	assert_ok(journal_head_add(&head, entry, &e), e);
	assert_int_equal(head.count, 1);
	assert_memory_equal(head.digest, wanted, sizeof(wanted));
}

static void a_journal_has_an_end(void **state)
{
	struct journal_head head = { .count = JOURNAL_ENTRIES_MAX - 1 };
	const uint8_t entry[SHA256_LEN] = { 0 };
	struct err e;

	assert_ok(journal_head_add(&head, entry, &e), e);
	assert_refused(journal_head_add(&head, entry, &e), e, ERR_EXHAUSTED, "no more");
	assert_int_equal(head.count, JOURNAL_ENTRIES_MAX);
}

static void what_was_signed_is_read_back(void **state)
{
	const struct journal_head head = { .count = 77, .digest = { 1, 2, 3 } };

	for (int final = 0; final < 2; final++) {
		CLEANUP_WRITER struct writer w = writer_up_to(JOURNAL_SIGNED_MAX);
		struct journal_head found;
		bool is_final;
		struct err e;

		assert_ok(journal_head_sign(&head, final, *state, &w, &e), e);
		assert_ok(journal_head_verify(span_of(&w), *state, &found, &is_final, &e), e);
		assert_int_equal(is_final, final);
		assert_int_equal(found.count, 77);
		assert_memory_equal(found.digest, head.digest, SHA256_LEN);
	}
}

static void every_bit_counts_and_every_byte_is_needed(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(JOURNAL_SIGNED_MAX);
	const struct journal_head head = { .count = 3 };
	struct journal_head found;
	bool final;
	struct err e;

	assert_ok(journal_head_sign(&head, true, *state, &w, &e), e);
	for (size_t bit = 0; bit < 8 * w.len; bit++) {
		w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(journal_head_verify(span_of(&w), *state, &found, &final, &e) < 0);
		w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < w.len; len++)
		assert_true(journal_head_verify((struct span){ w.bytes, len }, *state, &found,
						&final, &e) < 0);
	writer_u8(&w, 0);
	assert_true(journal_head_verify(span_of(&w), *state, &found, &final, &e) < 0);
}

static void another_key_has_signed_nothing(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *other = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(JOURNAL_SIGNED_MAX);
	const struct journal_head head = { .count = 3 };
	struct journal_head found;
	bool final;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &other, &e), e);
	assert_ok(journal_head_sign(&head, true, *state, &w, &e), e);
	assert_refused(journal_head_verify(span_of(&w), other, &found, &final, &e), e, ERR_DENIED,
		       "sign");
}

static void refuse(EVP_PKEY *key, const struct cose_content *content, const char *words)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4 * JOURNAL_SIGNED_MAX);
	struct journal_head found;
	bool final;
	struct err e;

	assert_ok(cose_sign(content, key, &w, &e), e);
	assert_true(journal_head_verify(span_of(&w), key, &found, &final, &e) < 0);
	if (!strstr(e.text, words))
		fail_msg("'%s' does not speak of '%s'", e.text, words);
}

/* What the same key signs otherwise, and what a sloppier reader would take. */
static void other_forms_are_no_head(void **state)
{
	static const uint8_t good[] = { 0x83, 0xf4, 0x01, 0x58, 0x20, [36] = 0 };
	const struct cose_content head = { .payload = good,
					   .payload_len = sizeof(good),
					   .aad = JOURNAL_HEAD_AAD,
					   .aad_len = strlen(JOURNAL_HEAD_AAD),
					   .content_type = JOURNAL_HEAD_TYPE };
	CLEANUP_WRITER struct writer w = writer_up_to(JOURNAL_SIGNED_MAX);
	CLEANUP(free) uint8_t *large = calloc(1, 2 * JOURNAL_SIGNED_MAX);
	struct cose_content c = head;
	struct journal_head found;
	bool final;
	struct err e;

	assert_ok(cose_sign(&head, *state, &w, &e), e);
	assert_ok(journal_head_verify(span_of(&w), *state, &found, &final, &e), e);
	c.aad = JOURNAL_RECEIPT_AAD;
	c.aad_len = strlen(JOURNAL_RECEIPT_AAD);
	refuse(*state, &c, "sign");
	c = head;
	c.content_type = JOURNAL_RECEIPT_TYPE;
	refuse(*state, &c, "content type");
	c.content_type = NULL;
	refuse(*state, &c, "content type");
	c = head;
	c.kid = "x";
	c.kid_len = 1;
	refuse(*state, &c, "alone");
	c = head;
	c.extra_label = 99;
	c.extra = "x";
	c.extra_len = 1;
	refuse(*state, &c, "alone");
	c = head;
	c.payload = "\x80";
	c.payload_len = 1;
	refuse(*state, &c, "[final, count, digest]");
	c = head;
	c.payload = large;
	c.payload_len = 2 * JOURNAL_SIGNED_MAX;
	refuse(*state, &c, "longer than any");
}

/* [final, count, digest], but for one thing; who reads what a machine brought has no key to ask first. */
static void a_head_says_three_things(void **state)
{
	static const uint8_t digest[SHA256_LEN + 1] = { 1 };
	static const struct {
		size_t items, digest;
		bool word, text;
		int64_t count;
	} rows[] = {
		{ 3, SHA256_LEN, false, false, 1 },
		{ 4, SHA256_LEN, false, false, 1 },
		{ 3, SHA256_LEN - 1, false, false, 1 },
		{ 3, SHA256_LEN + 1, false, false, 1 },
		{ 3, 0, false, false, 1 },
		{ 3, SHA256_LEN, true, false, 1 },
		{ 3, SHA256_LEN, false, true, 1 },
		{ 3, SHA256_LEN, false, false, -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_WRITER struct writer payload = writer_up_to(128), w = writer_up_to(512);
		struct journal_head found;
		bool final;
		struct err e;

		datum_put_array(&payload, rows[i].items);
		if (rows[i].word)
			datum_put_uint(&payload, 0);
		else
			datum_put_bool(&payload, false);
		datum_put_int(&payload, rows[i].count);
		if (rows[i].text)
			datum_put_text_of(&payload, (const char *)digest, rows[i].digest);
		else
			datum_put_bytes(&payload, digest, rows[i].digest);
		if (rows[i].items > 3)
			datum_put_null(&payload);
		const struct cose_content c = { .payload = payload.bytes,
						.payload_len = payload.len,
						.aad = JOURNAL_HEAD_AAD,
						.aad_len = strlen(JOURNAL_HEAD_AAD),
						.content_type = JOURNAL_HEAD_TYPE };
		assert_ok(cose_sign(&c, *state, &w, &e), e);
		if (!i) {
			assert_ok(journal_head_read(span_of(&w), &found, &final, &e), e);
			continue;
		}
		assert_refused(journal_head_read(span_of(&w), &found, &final, &e), e, ERR_INVALID,
			       "[final, count, digest]");
		assert_refused(journal_head_verify(span_of(&w), *state, &found, &final, &e), e,
			       ERR_INVALID, "[final, count, digest]");
	}
}

/* What no signature covers would make a second head of the same words. */
static void nothing_stands_beside_a_head(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(JOURNAL_SIGNED_MAX),
				     more = writer_up_to(JOURNAL_SIGNED_MAX);
	const struct cose_beside beside = { COSE_HEADER_KID, "x", 1 };
	const struct journal_head head = { .count = 3 };
	struct cose message = { 0 };
	struct journal_head found;
	bool final;
	struct err e;

	assert_ok(journal_head_sign(&head, true, *state, &w, &e), e);
	assert_ok(cose_parse(w.bytes, w.len, NULL, 0, &message, &e), e);
	assert_ok(cose_put_beside(&message, &beside, 1, &more, &e), e);
	cose_done(&message);
	assert_refused(journal_head_verify(span_of(&more), *state, &found, &final, &e), e,
		       ERR_INVALID, "alone");
	assert_refused(journal_head_read(span_of(&more), &found, &final, &e), e, ERR_INVALID,
		       "alone");
}

/* ES384, with a key that is no journal's. */
static void another_algorithm_is_none(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *other = EVP_EC_gen("P-384");
	CLEANUP_WRITER struct writer w = writer_up_to(JOURNAL_SIGNED_MAX);
	const struct journal_head head = { .count = 3 };
	struct journal_head found;
	bool final;
	struct err e;

	assert_ok(journal_head_sign(&head, true, other, &w, &e), e);
	assert_refused(journal_head_verify(span_of(&w), other, &found, &final, &e), e, ERR_INVALID,
		       "not ES256");
	assert_refused(journal_head_read(span_of(&w), &found, &final, &e), e, ERR_INVALID,
		       "not ES256");
}

/* Else whoever signed it would have. */
static void without_a_key_nothing_is_verified(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(JOURNAL_SIGNED_MAX);
	const struct journal_head head = { .count = 3 };
	struct journal_head found;
	bool final;
	struct err e;

	assert_ok(journal_head_sign(&head, true, *state, &w, &e), e);
	assert_refused(journal_head_verify(span_of(&w), NULL, &found, &final, &e), e, ERR_INTERNAL,
		       "no key");
	assert_ok(journal_head_read(span_of(&w), &found, &final, &e), e);
	assert_int_equal(found.count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_goes_forward_by_an_entry),
		cmocka_unit_test(a_journal_has_an_end),
		cmocka_unit_test(what_was_signed_is_read_back),
		cmocka_unit_test(every_bit_counts_and_every_byte_is_needed),
		cmocka_unit_test(another_key_has_signed_nothing),
		cmocka_unit_test(other_forms_are_no_head),
		cmocka_unit_test(a_head_says_three_things),
		cmocka_unit_test(nothing_stands_beside_a_head),
		cmocka_unit_test(another_algorithm_is_none),
		cmocka_unit_test(without_a_key_nothing_is_verified),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
