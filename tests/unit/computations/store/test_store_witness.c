/* SPDX-License-Identifier: Apache-2.0 */
/* The store's log of journals' heads: what becomes a leaf, what is proven of it, and its key. */
#include "common/base/file.h"
#include "common/base/writer.h"
#include "computations/store/store_journal.h"
#include "computations/store/store_witness.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <sys/stat.h>

/* Entries `first` to `last` of a journal; the head says `count` of them. */
struct told {
	int64_t first, last, count;
	bool final;
	const char *entry;
};

/* An agent's key: whose, the store does not ask. */
static EVP_PKEY *agent;

static int enter(void **state)
{
	struct err e;

	if (key_generate(KEY_ECDSA, &agent, &e) < 0)
		return -1;
	return store_room_enter(state);
}

static int leave(void **state)
{
	EVP_PKEY_free(agent);
	return store_room_leave(state);
}

static void tell(struct store_room *f, const char *id, const struct told *t)
{
	CLEANUP_WRITER struct writer w = writer_up_to(STORE_HEAD_MAX);
	size_t count = (size_t)(t->last - t->first + 1);
	CLEANUP(free) struct span *entries = calloc(count, sizeof(*entries));
	const struct journal_head head = { .count = (uint64_t)t->count,
					   .digest = { (uint8_t)t->count } };
	const char *entry = t->entry ? t->entry : "e";
	int64_t kept;

	for (size_t i = 0; i < count; i++)
		entries[i] = (struct span){ (const uint8_t *)entry, strlen(entry) };
	assert_ok(journal_head_sign(&head, t->final, agent, &w, &f->e), f->e);
	const struct journal_part part = {
		.first = t->first, .entries = entries, .count = count, .head = { w.bytes, w.len }
	};
	assert_ok(store_journal_add(&f->store, "cvm", id, &part, &kept, &f->e), f->e);
	assert_int_equal(kept, t->last);
}

static struct witness_answer ask(struct store_room *f, const char *id, int64_t run, uint64_t size)
{
	struct witness_answer a;

	assert_ok(store_witness_answer(&f->store, id, run, size, &a, &f->e), f->e);
	return a;
}

static EVP_PKEY *key_in(struct store_room *f, const struct witness_answer *a)
{
	EVP_PKEY *key;

	assert_ok(key_from_spki(a->key, a->key_len, &key, &f->e), f->e);
	return key;
}

static struct witness_head head_in(struct store_room *f, const struct witness_answer *a)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = key_in(f, a);
	struct witness_head head;

	assert_ok(witness_head_verify((struct span){ a->head, a->head_len }, key, &head, &f->e),
		  f->e);
	return head;
}

/* The proven leaf: which run, how many entries. */
static void assert_leaf(struct store_room *f, const char *id, int64_t run, uint64_t wanted_run,
			uint64_t count)
{
	const struct witness_answer a = ask(f, id, run, 0);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = key_in(f, &a);
	struct witness_proof proof;
	struct witness_head head;

	assert_ok(witness_proof_parse((struct span){ a.proof, a.proof_len }, &proof, &f->e), f->e);
	assert_ok(witness_proof_verify(&proof, key, &head, &f->e), f->e);
	assert_int_equal(proof.leaf.computation.len, strlen(id));
	assert_memory_equal(proof.leaf.computation.bytes, id, strlen(id));
	assert_int_equal(proof.leaf.run, wanted_run);
	assert_int_equal(proof.leaf.head.count, count);
	assert_int_equal(proof.leaf.head.digest[0], (uint8_t)count);
}

static uint64_t size_of(struct store_room *f)
{
	const struct witness_answer a = ask(f, "", 0, 0);

	assert_int_equal(a.proof_len, 0);
	return head_in(f, &a).size;
}

static void an_empty_log_is_signed_too(void **state)
{
	struct store_room *f = *state;
	const struct witness_answer a = ask(f, "one", 0, 5);

	assert_int_equal(size_of(f), 0);
	assert_int_equal(a.proof_len, 0);
	assert_int_equal(a.consistency.count, 0);
}

static void first_and_last_head_and_each_256_entries_are_leaves(void **state)
{
	struct store_room *f = *state;

	f->store.limits.record_bytes = 1 << 20;
	store_room_run_on(f, "one", "cvm");
	tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1 });
	assert_int_equal(size_of(f), 1);
	tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1 }); /* once more */
	tell(f, "one", &(struct told){ .first = 2, .last = 256, .count = 256 });
	assert_int_equal(size_of(f), 1);
	assert_leaf(f, "one", 0, 1, 1);
	tell(f, "one", &(struct told){ .first = 257, .last = 257, .count = 257 });
	assert_int_equal(size_of(f), 2);
	assert_leaf(f, "one", 0, 1, 257);
	tell(f, "one", &(struct told){ .first = 258, .last = 258, .count = 258, .final = true });
	assert_int_equal(size_of(f), 3);
	assert_leaf(f, "one", 1, 1, 258);
	assert_int_equal(ask(f, "one", 2, 0).proof_len, 0);
	assert_int_equal(ask(f, "two", 0, 0).proof_len, 0);
}

static void see_final(struct store_room *f, int64_t count)
{
	CLEANUP_WRITER struct writer w = writer_up_to(STORE_HEAD_MAX);
	const struct journal_head head = { .count = (uint64_t)count };

	assert_ok(journal_head_sign(&head, true, agent, &w, &f->e), f->e);
	assert_ok(store_witness_see(&f->store, "one", 1, count, (struct span){ w.bytes, w.len },
				    &f->e),
		  f->e);
}

/* One final head for each entry, and hardly more leaves than an honest journal has; the journal takes one alone. */
static void who_ends_his_journal_again_and_again_fills_no_log(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	for (int64_t n = 1; n < STORE_WITNESS_EVERY; n++)
		see_final(f, n);
	assert_int_equal(size_of(f), 2);
	for (int64_t n = STORE_WITNESS_EVERY; n < 3 * STORE_WITNESS_EVERY; n++)
		see_final(f, n);
	assert_int_equal(size_of(f), 4);
}

static void each_size_that_was_is_the_begin_of_each_later_one(void **state)
{
	struct witness_head heads[24];
	struct store_room *f = *state;

	f->store.limits.record_bytes = 1 << 20;
	store_room_run_on(f, "one", "cvm");
	for (size_t n = 0; n < ARRAY_LEN(heads); n++) {
		char entry[16];

		for (size_t old = 0; old < n; old++) {
			const struct witness_answer a = ask(f, "", 0, heads[old].size);
			const struct witness_head now = head_in(f, &a);

			assert_ok(witness_head_follows(&heads[old], &now, &a.consistency, &f->e),
				  f->e);
		}
		const struct witness_answer a = ask(f, "one", 0, 0);
		heads[n] = head_in(f, &a);
		assert_int_equal(heads[n].size, n);
		snprintf(entry, sizeof(entry), "run %zu", n); /* an agent that began again */
		tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1, .entry = entry });
		assert_leaf(f, "one", 0, n + 1, 1);
		assert_leaf(f, "one", 1, 1, 1);
	}
}

/* A log that is smaller than what was seen proves nothing: the head itself says it. */
static void of_a_size_that_never_was_nothing_is_proven(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1 });
	assert_int_equal(ask(f, "", 0, 2).consistency.count, 0);
	assert_int_equal(ask(f, "", 0, UINT64_MAX).consistency.count, 0);
}

static void what_is_no_head_of_those_entries_is_no_leaf(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(STORE_HEAD_MAX);
	const struct journal_head head = { .count = 2 };
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	assert_ok(journal_head_sign(&head, false, agent, &w, &f->e), f->e);
	assert_ok(store_witness_see(&f->store, "one", 1, 1, (struct span){ w.bytes, w.len }, &f->e),
		  f->e);
	assert_ok(store_witness_see(&f->store, "one", 1, 1, (struct span){ w.bytes, 1 }, &f->e),
		  f->e);
	assert_int_equal(size_of(f), 0);
}

/* So many that what a second lets through does not count. */
enum { TIMES = 1000, LINES_MAX = TIMES / 2 };

static void see_bad_heads(struct store_room *f)
{
	const struct span bad = { (const uint8_t *)"x", 1 };

	for (int i = 0; i < TIMES; i++)
		assert_ok(store_witness_see(&f->store, "one", 1, 1, bad, &f->e), f->e);
}

static void bad_heads_do_not_flood_the_log(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	assert_in_range(store_room_lines(f, see_bad_heads), 1, LINES_MAX);
	assert_int_equal(size_of(f), 0);
}

static void runs_are_counted_on_when_a_computation_is_made_anew(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *holder = NULL;

	store_room_run_on(f, "one", "cvm");
	tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1 });
	assert_ok(store_remove(&f->store, "one", true, &holder, &f->e), f->e);
	assert_leaf(f, "one", 0, 1, 1);
	assert_ok(db_script(&f->store.db, "DELETE FROM cvms", &f->e), f->e);
	store_room_run_on(f, "one", "cvm");
	tell(f, "one", &(struct told){ .first = 1, .last = 2, .count = 2 });
	assert_leaf(f, "one", 0, 2, 2);
	assert_leaf(f, "one", 1, 1, 1);
}

static void key_path(const struct store_room *f, char path[128])
{
	snprintf(path, 128, "%s/witness.pem", f->dir);
}

static void the_key_stays_and_is_its_owners_alone(void **state)
{
	struct store_room *f = *state;
	const struct witness_answer before = ask(f, "", 0, 0);
	struct stat st;
	char path[128];

	key_path(f, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	store_close(&f->store);
	store_room_open(f);
	const struct witness_answer after = ask(f, "", 0, 0);
	assert_int_equal(after.key_len, before.key_len);
	assert_memory_equal(after.key, before.key, before.key_len);
}

static void a_log_without_its_key_is_not_signed_by_another(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *pem = NULL;
	struct store other;
	char path[128];

	key_path(f, path);
	store_room_run_on(f, "one", "cvm");
	tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1 });
	store_close(&f->store);
	assert_ok(file_read_text(path, PEM_MAX, &pem, &f->e), f->e);
	assert_int_equal(unlink(path), 0);
	assert_refused(store_open(&other, f->dir, store_room_database(), &store_room_limits, &f->e),
		       f->e, ERR_PRECONDITION, "bring it back");
	assert_ok(file_write(path, "no key", 6, 0600, &f->e), f->e);
	assert_true(store_open(&other, f->dir, store_room_database(), &store_room_limits, &f->e) <
		    0);
	assert_ok(file_write(path, pem, strlen(pem), 0600, &f->e), f->e);
	store_room_open(f);
	assert_leaf(f, "one", 0, 1, 1);
}

/* A good key, and a database that it did not sign for. */
static void a_log_is_not_signed_by_another_good_key(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	struct store_room *f = *state;
	CLEANUP(free) char *pem = NULL, *own = NULL;
	struct store other;
	char path[128];

	key_path(f, path);
	store_room_run_on(f, "one", "cvm");
	tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1 });
	store_close(&f->store);
	assert_ok(file_read_text(path, PEM_MAX, &own, &f->e), f->e);
	assert_ok(key_to_private_pem(key, &pem, &f->e), f->e);
	assert_ok(file_write(path, pem, strlen(pem), 0600, &f->e), f->e);
	assert_refused(store_open(&other, f->dir, store_room_database(), &store_room_limits, &f->e),
		       f->e, ERR_PRECONDITION, "another key");
	assert_ok(file_write(path, own, strlen(own), 0600, &f->e), f->e);
	store_room_open(f);
	assert_leaf(f, "one", 0, 1, 1);
}

static void a_key_of_another_kind_is_refused(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	struct store_room *f = *state;
	CLEANUP(free) char *pem = NULL;
	struct store other;
	char path[128];

	key_path(f, path);
	store_close(&f->store);
	assert_ok(key_to_private_pem(key, &pem, &f->e), f->e);
	assert_ok(file_write(path, pem, strlen(pem), 0600, &f->e), f->e);
	assert_refused(store_open(&other, f->dir, store_room_database(), &store_room_limits, &f->e),
		       f->e, ERR_INVALID, "P-256");
	assert_int_equal(unlink(path), 0);
	store_room_open(f);
}

/* Pages of any size, one behind the other, are the log. */
static void its_leaves_have_the_root_that_is_signed(void **state)
{
	struct store_room *f = *state;
	struct witness_audit audit;

	f->store.limits.record_bytes = 1 << 20;
	store_room_run_on(f, "one", "cvm");
	for (int64_t n = 0; n < 13; n++) {
		char entry[16];

		snprintf(entry, sizeof(entry), "run %d", (int)n);
		tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1, .entry = entry });
	}
	const struct witness_answer a = ask(f, "", 0, 0);
	const struct witness_head now = head_in(f, &a), none = { .size = 0 };
	for (size_t most = 1; most <= 14; most++) {
		witness_audit_begin(&audit, &none, &now);
		for (size_t left; (left = witness_audit_wants(&audit)) != 0;) {
			struct witness_leaves page;
			size_t start = 0;

			assert_ok(store_witness_leaves(&f->store, audit.tree.size,
						       left < most ? left : most, &page, &f->e),
				  f->e);
			for (size_t i = 0; i < page.count; start = page.ends[i++]) {
				const struct span bytes = { page.bytes + start,
							    page.ends[i] - start };
				struct witness_leaf leaf;

				assert_ok(witness_audit_take(&audit, bytes, &leaf, &f->e), f->e);
				assert_int_equal(leaf.run, audit.tree.size);
			}
			witness_leaves_done(&page);
		}
		assert_ok(witness_audit_end(&audit, &f->e), f->e);
	}
}

static void a_page_beyond_the_log_or_its_limit_is_refused(void **state)
{
	struct store_room *f = *state;
	struct witness_leaves page;

	store_room_run_on(f, "one", "cvm");
	assert_refused(store_witness_leaves(&f->store, 0, 1, &page, &f->e), f->e, ERR_OUT_OF_RANGE,
		       "has 0 leaves");
	tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1 });
	assert_ok(store_witness_leaves(&f->store, 0, 1, &page, &f->e), f->e);
	witness_leaves_done(&page);
	assert_refused(store_witness_leaves(&f->store, 0, 2, &page, &f->e), f->e, ERR_OUT_OF_RANGE,
		       "has 1 leaves");
	assert_refused(store_witness_leaves(&f->store, 1, 1, &page, &f->e), f->e, ERR_OUT_OF_RANGE,
		       "has 1 leaves");
	assert_refused(store_witness_leaves(&f->store, UINT64_MAX, 1, &page, &f->e), f->e,
		       ERR_OUT_OF_RANGE, "has 1 leaves");
	assert_refused(store_witness_leaves(&f->store, 0, WITNESS_PAGE_MAX, &page, &f->e), f->e,
		       ERR_OUT_OF_RANGE, "has 1 leaves");
	assert_refused(store_witness_leaves(&f->store, 0, WITNESS_PAGE_MAX + 1, &page, &f->e), f->e,
		       ERR_INVALID, "ask for 1 to 1024");
	assert_refused(store_witness_leaves(&f->store, 0, 0, &page, &f->e), f->e, ERR_INVALID,
		       "ask for 1 to 1024");
	/* One that somebody took away. */
	tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1, .entry = "again" });
	assert_ok(db_script(&f->store.db, "DELETE FROM witness_leaves WHERE number = 0", &f->e),
		  f->e);
	assert_refused(store_witness_leaves(&f->store, 0, 2, &page, &f->e), f->e, ERR_DATA_LOSS,
		       "database");
}

/* Whoever edits the database makes no proof that holds, and no end of the service. */
static void a_database_that_was_edited_is_said_so(void **state)
{
	static const struct {
		const char *sql, *words;
	} edits[] = {
		{ "UPDATE witness_nodes SET hash = x'00'", "a hash of 1 bytes" },
		{ "DELETE FROM witness_nodes", "lacks node" },
		{ "UPDATE witness_leaves SET number = -2", "a log of" },
	};
	struct store_room *f = *state;
	struct witness_answer a;

	store_room_run_on(f, "one", "cvm");
	tell(f, "one", &(struct told){ .first = 1, .last = 1, .count = 1 });
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		/* Written otherwise for bytes. */
		const char *sql = i == 0 && store_room_database()
					  ? "UPDATE witness_nodes SET hash = '\\x00'"
					  : edits[i].sql;

		assert_ok(db_script(&f->store.db, sql, &f->e), f->e);
		assert_refused(store_witness_answer(&f->store, "one", 0, 0, &a, &f->e), f->e,
			       ERR_DATA_LOSS, edits[i].words);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_log_is_signed_too),
		TEST(first_and_last_head_and_each_256_entries_are_leaves),
		TEST(who_ends_his_journal_again_and_again_fills_no_log),
		TEST(each_size_that_was_is_the_begin_of_each_later_one),
		TEST(of_a_size_that_never_was_nothing_is_proven),
		TEST(what_is_no_head_of_those_entries_is_no_leaf),
		TEST(bad_heads_do_not_flood_the_log),
		TEST(runs_are_counted_on_when_a_computation_is_made_anew),
		TEST(the_key_stays_and_is_its_owners_alone),
		TEST(a_log_without_its_key_is_not_signed_by_another),
		TEST(a_log_is_not_signed_by_another_good_key),
		TEST(a_key_of_another_kind_is_refused),
		TEST(its_leaves_have_the_root_that_is_signed),
		TEST(a_page_beyond_the_log_or_its_limit_is_refused),
		TEST(a_database_that_was_edited_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
