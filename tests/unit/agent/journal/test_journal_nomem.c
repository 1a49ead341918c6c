/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of the agent's journal fails once, from a computation's first entry to its last: what
 * the service gets is a history from its start on, without a gap, and an entry that is not in it was
 * refused. This program's own keeper_journal_sign() is the keeper.
 */
#include "agent/journal/journal.h"
#include "attestation/journal/journal_check.h"
#include "common/base/writer.h"
#include "tests/unit.h"
#include "tests/unit/nomem/nomem.h"

enum { LINES = 3 };

static EVP_PKEY *key;
static struct writer statement;
static struct {
	keeper_parts_fn *done;
	void *data;
	struct journal_head head;
	struct writer answer;
} asked;
static bool ready;

int keeper_journal_sign(struct keeper *keeper, const uint8_t (*entries)[SHA256_LEN], size_t count,
			bool final, keeper_parts_fn *done, void *data, struct err *e)
{
	nomem_pause();
	for (size_t i = 0; i < count; i++)
		assert_ok(journal_head_add(&asked.head, entries[i], e), *e);
	writer_done(&asked.answer);
	asked.answer = writer_up_to(JOURNAL_SIGNED_MAX);
	assert_ok(journal_head_sign(&asked.head, final, key, &asked.answer, e), *e);
	asked.done = done;
	asked.data = data;
	nomem_go_on();
	return 0;
}

static void on_ready(void *data)
{
	ready = true;
}

/* How many of the entries were taken. */
static int say_all(struct journal *j, size_t *taken, struct err *e)
{
	struct journal_note note = { .type = "output" };
	const uint8_t manifest[SHA3_256_LEN] = { 0 };
	int failed, first;

	journal_put_text(&note, "text", "line", 4);
	journal_put_number(&note, "stream", 1);
	first = journal_begin(j, "c-1", manifest, (struct span){ statement.bytes, statement.len },
			      e);
	*taken = first == 0;
	for (int i = 0; i < LINES; i++) {
		struct err later;

		failed = journal_add(j, &note, &later);
		assert_true(failed <= 0);
		*taken += first == 0 && failed == 0;
		if (failed && !first) {
			*e = later;
			first = failed;
			*taken += LINES - 1 - (size_t)i; /* those behind it are taken */
			for (i++; i < LINES; i++)
				assert_ok(journal_add(j, &note, &later), later);
		}
	}
	journal_end(j, "complete");
	return first;
}

/* Whether the whole of it is there. */
static size_t check_message(const Cvms__JournalEntries *b)
{
	__attribute__((cleanup(journal_check_done))) struct journal_check c = { .ended = false };
	struct journal_entry entry;
	bool is_entry;
	struct err e;

	assert_int_equal(b->first, 1);
	for (size_t i = 0; i < b->n_entries; i++)
		assert_ok(journal_check_item(&c,
					     (struct span){ b->entries[i].data, b->entries[i].len },
					     &entry, &is_entry, &e),
			  e);
	assert_ok(journal_check_item(&c, (struct span){ b->signed_head.data, b->signed_head.len },
				     &entry, &is_entry, &e),
		  e);
	assert_true(c.ended && c.closed);
	return b->n_entries;
}

static int attempt(void *data, struct err *e)
{
	const Cvms__ClientStreamMessage *m;
	struct journal *j = NULL;
	size_t taken = 0;
	int failed;

	memset(&asked, 0, sizeof(asked));
	ready = false;
	if (journal_new(data, NULL, on_ready, NULL, &j, e) < 0)
		return err_code(e);
	failed = say_all(j, &taken, e);
	if (asked.done) {
		const struct span part = { asked.answer.bytes, asked.answer.len };

		asked.done(asked.data, &part, 1, NULL);
	}
	m = journal_next(j);
	assert_int_equal(m != NULL, ready);
	nomem_pause();
	if (m)
		assert_int_equal(check_message(m->journal_entries), taken + 1); /* the end */
	writer_done(&asked.answer);
	nomem_go_on();
	if (!m && !failed)
		failed = err_set(e, ERR_EXHAUSTED, "it stays open");
	journal_free(j);
	uv_run(data, UV_RUN_NOWAIT);
	return failed;
}

static void what_is_delivered_is_a_history_without_a_gap(void **state)
{
	const struct run_statement s = { .computation = "c-1",
					 .identity = (const uint8_t *)"i",
					 .identity_len = 1 };
	struct run_statement with = s;
	uint8_t *spki;
	uv_loop_t loop;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_to_spki(key, &spki, &with.journal_len, &e), e);
	with.journal = spki;
	statement = writer_up_to(RUN_STATEMENT_MAX);
	assert_ok(run_statement_write(&with, &statement, &e), e);
	assert_int_equal(uv_loop_init(&loop), 0);
	nomem_each("a computation", attempt, &loop, 1);
	assert_int_equal(uv_loop_close(&loop), 0);
	writer_done(&statement);
	free(spki);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_delivered_is_a_history_without_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
