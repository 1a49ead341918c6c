/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails once while a journal is written, signed and checked: never one that is taken for
 * right and is not. */
#include "attestation/journal/journal_check.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "tests/unit.h"
#include "tests/unit/nomem/nomem.h"

static EVP_PKEY *key;
static uint8_t *spki;
static size_t spki_len;
static struct writer saved;

static int add(struct journal_head *head, const struct journal_note *note, struct writer *file,
	       struct err *e)
{
	CLEANUP_WRITER struct writer entry = writer_up_to(JOURNAL_ENTRY_MAX);
	struct journal_head next = *head;
	uint8_t digest[SHA256_LEN];

	if (journal_entry_write(&next, 1000 + head->count, note, &entry, e) < 0 ||
	    journal_entry_digest((struct span){ entry.bytes, entry.len }, digest, e) < 0)
		return err_code(e);
	*head = next;
	journal_put_item(file, (struct span){ entry.bytes, entry.len });
	return 0;
}

static int write_statement(struct writer *statement, struct err *e)
{
	const struct run_statement s = { .computation = "c-1",
					 .identity = (const uint8_t *)"i",
					 .identity_len = 1,
					 .journal = spki,
					 .journal_len = spki_len };

	return run_statement_write(&s, statement, e);
}

static int write_journal(struct writer *file, struct err *e)
{
	CLEANUP_WRITER struct writer statement = writer_up_to(RUN_STATEMENT_MAX);
	CLEANUP_WRITER struct writer signed_head = writer_up_to(JOURNAL_SIGNED_MAX);
	struct journal_note start = { .type = "start" }, log = { .type = "log" },
			    end = { .type = "end" };
	static const uint8_t manifest[SHA3_256_LEN];
	struct journal_head head = { 0 };

	if (write_statement(&statement, e) < 0)
		return err_code(e);
	journal_put_digest(&start, "manifest", manifest);
	journal_put_bytes(&start, "statement", statement.bytes, statement.len);
	journal_put_text(&start, "computation", "c-1", 3);
	journal_put_text(&log, "level", "info", 4);
	journal_put_text(&log, "text", "one", 3);
	journal_put_text(&end, "reason", "complete", 8);
	if (add(&head, &start, file, e) < 0 || add(&head, &log, file, e) < 0 ||
	    add(&head, &end, file, e) < 0 ||
	    journal_head_sign(&head, true, key, &signed_head, e) < 0)
		return err_code(e);
	journal_put_item(file, (struct span){ signed_head.bytes, signed_head.len });
	return writer_check(file, "journal", e);
}

static int check(const struct writer *file, struct err *e)
{
	__attribute__((cleanup(journal_check_done))) struct journal_check c = { .ended = false };

	if (journal_check_file(&c, (struct span){ file->bytes, file->len }, NULL, NULL, e) < 0)
		return err_code(e);
	assert_true(c.closed);
	assert_int_equal(c.head.count, 3);
	return 0;
}

/* What was written without an error is whole. */
static int attempt_write(void *data, struct err *e)
{
	CLEANUP_WRITER struct writer file = writer_up_to(1 << 16);
	struct err wrong;

	if (write_journal(&file, e) < 0)
		return err_code(e);
	nomem_pause();
	assert_ok(check(&file, &wrong), wrong);
	nomem_go_on();
	return 0;
}

static int attempt_check(void *data, struct err *e)
{
	return check(&saved, e);
}

/* Its last byte is another: a no every time. */
static int attempt_wrong(void *data, struct err *e)
{
	int failed;

	saved.bytes[saved.len - 1] ^= 1;
	failed = check(&saved, e);
	saved.bytes[saved.len - 1] ^= 1;
	assert_true(failed < 0);
	return err_is(failed, ERR_EXHAUSTED) ? failed : 0;
}

static int prepare(void **state)
{
	struct err e;

	saved = writer_up_to(1 << 16);
	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_to_spki(key, &spki, &spki_len, &e), e);
	assert_ok(write_journal(&saved, &e), e);
	return 0;
}

static int leave(void **state)
{
	writer_done(&saved);
	free(spki);
	EVP_PKEY_free(key);
	return 0;
}

static void a_journal_is_written_whole_or_refused(void **state)
{
	nomem_each("written", attempt_write, NULL, 1);
}

static void a_right_journal_is_right_or_could_not_be_judged(void **state)
{
	nomem_each("checked", attempt_check, NULL, 1);
}

static void a_wrong_journal_is_wrong_whatever_fails(void **state)
{
	nomem_each("checked, and wrong", attempt_wrong, NULL, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_journal_is_written_whole_or_refused),
		cmocka_unit_test(a_right_journal_is_right_or_could_not_be_judged),
		cmocka_unit_test(a_wrong_journal_is_wrong_whatever_fails),
	};

	return cmocka_run_group_tests(tests, prepare, leave);
}
