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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_goes_forward_by_an_entry),
		cmocka_unit_test(a_journal_has_an_end),
		cmocka_unit_test(what_was_signed_is_read_back),
		cmocka_unit_test(every_bit_counts_and_every_byte_is_needed),
		cmocka_unit_test(another_key_has_signed_nothing),
		cmocka_unit_test(other_forms_are_no_head),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
