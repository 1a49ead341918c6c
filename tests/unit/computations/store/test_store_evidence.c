/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence that agents gave: whose it is, how much is kept, and when it goes. */
#include "computations/store/store_evidence.h"
#include "tests/unit/computations/store_room.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t large[EVIDENCE_KEPT_MAX + 1];

static struct span span_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

/* Of the run that "one" is at, by "cvm". */
static struct kept_evidence piece(struct store_room *f, const char *token)
{
	struct kept_evidence k = { .cvm_id = (char *)(uintptr_t)"cvm",
				   .verified = true,
				   .verdict = (char *)(uintptr_t)"verified: x",
				   .judged = 1000,
				   .has_manifest = true,
				   .nonce = { 1, 2 },
				   .manifest = { 3 } };

	assert_ok(store_evidence_run(&f->store, "one", &k.run, &f->e), f->e);
	k.parts[EVIDENCE_TOKEN] = span_of(token);
	k.parts[EVIDENCE_POLICY] = span_of("{}");
	return k;
}

static void keep(struct store_room *f, const struct kept_evidence *k)
{
	assert_ok(store_evidence_keep(&f->store, k, &f->e), f->e);
}

/* `token` NULL: nothing is kept. */
static void check(struct store_room *f, const char *computation, const char *cvm, const char *token)
{
	CLEANUP(kept_evidence_free) struct kept_evidence *k = NULL;

	assert_ok(store_evidence(&f->store, computation, cvm, &k, &f->e), f->e);
	assert_int_equal(k != NULL, token != NULL);
	if (!k)
		return;
	assert_int_equal(k->parts[EVIDENCE_TOKEN].len, strlen(token));
	assert_memory_equal(k->parts[EVIDENCE_TOKEN].bytes, token, strlen(token));
}

static void what_was_given_is_found_as_it_was(void **state)
{
	CLEANUP(kept_evidence_free) struct kept_evidence *k = NULL;
	struct store_room *f = *state;
	struct kept_evidence given;

	store_room_run_on(f, "one", "cvm");
	check(f, "one", "", NULL);
	check(f, "", "cvm", NULL);
	check(f, "none", "", NULL);
	check(f, "", "none", NULL);
	check(f, "", "", NULL);
	given = piece(f, "token");
	given.parts[EVIDENCE_AK] = span_of("ak");
	keep(f, &given);
	assert_ok(store_evidence(&f->store, "one", "", &k, &f->e), f->e);
	assert_string_equal(k->cvm_id, "cvm");
	assert_int_equal(k->run.number, given.run.number);
	assert_int_equal(k->run.attempt, 1);
	assert_true(k->verified && k->has_manifest);
	assert_string_equal(k->verdict, "verified: x");
	assert_int_equal(k->judged, 1000);
	assert_memory_equal(k->nonce, given.nonce, sizeof(given.nonce));
	assert_memory_equal(k->manifest, given.manifest, sizeof(given.manifest));
	for (size_t i = 0; i < EVIDENCE_PARTS; i++)
		assert_true(span_equal(k->parts[i], given.parts[i]));
	check(f, "", "cvm", NULL);
	given = piece(f, "newer");
	keep(f, &given);
	check(f, "one", "", "newer");
	given = piece(f, "");
	keep(f, &given);
	check(f, "one", "", NULL);
	assert_refused(store_evidence_run(&f->store, "none", &given.run, &f->e), f->e,
		       ERR_NOT_FOUND, "'none'");
}

static void a_cvm_s_is_its_own_until_it_comes_again(void **state)
{
	CLEANUP(kept_evidence_free) struct kept_evidence *k = NULL;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct store_room *f = *state;
	struct kept_evidence given;

	store_room_run_on(f, "one", "cvm");
	given = piece(f, "run");
	keep(f, &given);
	given = piece(f, "before");
	given.run = (struct evidence_run){ 0 };
	given.has_manifest = false;
	keep(f, &given);
	check(f, "one", "", "run");
	assert_ok(store_evidence(&f->store, "", "cvm", &k, &f->e), f->e);
	assert_false(k->has_manifest);
	assert_int_equal(k->run.number, 0);
	assert_memory_equal(k->parts[EVIDENCE_TOKEN].bytes, "before", 6);
	store_room_arrive(f, "cvm", &todo);
	check(f, "", "cvm", NULL);
	check(f, "one", "", "run");
	given.cvm_id = (char *)(uintptr_t)"none";
	keep(f, &given);
	check(f, "", "none", NULL);
}

static void nothing_of_a_run_goes_to_the_next(void **state)
{
	struct store_room *f = *state;
	struct kept_evidence first, second;
	char *holder = NULL;

	store_room_run_on(f, "one", "cvm");
	first = piece(f, "first");
	keep(f, &first);
	/* It failed, and is run again: what comes late is the attempt's before. */
	store_room_event(f, "cvm", "one", "Failed", "Failed");
	check(f, "one", "", "first");
	bool tell;
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	assert_ok(store_stopped(&f->store, "cvm", "one", &f->e), f->e);
	assert_ok(store_retry(&f->store, "one", &f->e), f->e);
	check(f, "one", "", NULL);
	assert_ok(store_assign(&f->store, "one", "cvm", false, &f->e), f->e);
	keep(f, &first);
	check(f, "one", "", NULL);
	second = piece(f, "second");
	assert_int_equal(second.run.attempt, 2);
	second.cvm_id = (char *)(uintptr_t)"other";
	store_room_arrive_idle(f, "other");
	keep(f, &second); /* of another CVM than the one that has it */
	check(f, "one", "", NULL);
	second.cvm_id = (char *)(uintptr_t)"cvm";
	keep(f, &second);
	check(f, "one", "", "second");
	/* Removed, and another one has its id: on the same CVM, at the same attempt. */
	assert_ok(store_remove(&f->store, "one", true, &holder, &f->e), f->e);
	free(holder);
	check(f, "one", "", NULL);
	assert_ok(store_stopped(&f->store, "cvm", "one", &f->e), f->e);
	store_room_create(f, "one");
	assert_ok(store_assign(&f->store, "one", "cvm", false, &f->e), f->e);
	check(f, "one", "", NULL);
	keep(f, &first);
	keep(f, &second);
	check(f, "one", "", NULL);
	first = piece(f, "third");
	keep(f, &first);
	check(f, "one", "", "third");
}

static void at_most_so_much_is_kept(void **state)
{
	CLEANUP(kept_evidence_free) struct kept_evidence *k = NULL;
	struct store_room *f = *state;
	struct kept_evidence given;

	store_room_run_on(f, "one", "cvm");
	given = piece(f, "small");
	keep(f, &given);
	given.parts[EVIDENCE_TOKEN] = (struct span){ large, EVIDENCE_KEPT_MAX - 1 }; /* and "{}" */
	keep(f, &given);
	check(f, "one", "", NULL);
	given.parts[EVIDENCE_TOKEN].len = EVIDENCE_KEPT_MAX - 2;
	keep(f, &given);
	assert_ok(store_evidence(&f->store, "one", "", &k, &f->e), f->e);
	assert_int_equal(k->parts[EVIDENCE_TOKEN].len, EVIDENCE_KEPT_MAX - 2);
}

static void a_damaged_row_is_none(void **state)
{
	static const char *const changes[] = {
		"UPDATE evidence SET nonce = manifest",
		"UPDATE evidence SET manifest = token",
		"UPDATE evidence SET verified = 2",
		"UPDATE evidence SET judged = -1",
	};
	struct store_room *f = *state;
	struct kept_evidence *k = NULL;
	struct kept_evidence given;

	store_room_run_on(f, "one", "cvm");
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		given = piece(f, "token");
		given.has_manifest = i != 0;
		keep(f, &given);
		assert_ok(db_run(&f->store.db, &f->e, changes[i], ""), f->e);
		assert_refused(store_evidence(&f->store, "one", "", &k, &f->e), f->e, ERR_DATA_LOSS,
			       "");
		assert_null(k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(what_was_given_is_found_as_it_was),
		STORE_ROOM_ROW(a_cvm_s_is_its_own_until_it_comes_again),
		STORE_ROOM_ROW(nothing_of_a_run_goes_to_the_next),
		STORE_ROOM_ROW(at_most_so_much_is_kept),
		STORE_ROOM_ROW(a_damaged_row_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
