/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of users: whose they are, which one counts, and what may be signed for them. */
#include "computations/people/user_key.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_key.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>

#define NOW INT64_C(1000000000)

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static int64_t add_user(struct store_room *f, const char *name)
{
	struct user u CLEANUP_USER = { .name = NULL };
	int64_t number;

	assert_ok(user_add(db_of(f), name, false, NOW, &f->e), f->e);
	assert_ok(user_find(db_of(f), name, &u, &f->e), f->e);
	number = u.number;
	return number;
}

/* Of the workspace where computations are created here. */
static void join(struct store_room *f, int64_t person)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	assert_ok(workspace_first(db_of(f), &w, &f->e), f->e);
	assert_ok(workspace_member_add(db_of(f), &w, person, MEMBERSHIP_MEMBER, NOW, &f->e), f->e);
}

/* The claim lends it. */
static uint8_t spkis[USER_KEYS_MAX + 8][SPKI_MAX];

static struct user_key_claim claim_of(struct store_room *f, int64_t person, unsigned n,
				      const char *computation)
{
	uint8_t secret[32] = { 7, (uint8_t)n };
	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	assert_ok(key_to_spki(key, &spki, &len, &f->e), f->e);
	memcpy(spkis[n], spki, len);
	return (struct user_key_claim){
		.person = person, .computation = computation, .spki = spkis[n], .len = len
	};
}

static struct user_key_claim add(struct store_room *f, int64_t person, unsigned n,
				 const char *computation, int64_t now)
{
	struct user_key_claim c = claim_of(f, person, n, computation);

	assert_ok(user_key_claim_check(db_of(f), &c, &f->e), f->e);
	assert_ok(user_key_add(db_of(f), &c, now, &f->e), f->e);
	return c;
}

static void a_challenge_is_for_one_claim_once(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna"), bert = add_user(f, "bert");
	struct user_key_claim c = claim_of(f, anna, 1, ""), other[4] = { c, c, c, c };
	uint8_t challenge[POSSESSION_CHALLENGE_LEN], wrong[POSSESSION_CHALLENGE_LEN] = { 1 };
	const int64_t end = NOW + (int64_t)USER_CHALLENGE_MINUTES * 60000;

	assert_ok(user_key_claim_check(db_of(f), &c, &f->e), f->e);
	other[0] = c, other[0].person = bert;
	other[1] = c, other[1].computation = "one";
	other[2] = c, other[2].fingerprint[0] ^= 1;
	assert_ok(user_key_challenge(db_of(f), &c, NOW, challenge, &f->e), f->e);
	for (size_t i = 0; i < 3; i++)
		assert_refused(user_key_take_challenge(db_of(f), &other[i], NOW, challenge,
						       sizeof(challenge), &f->e),
			       f->e, ERR_DENIED, "not given out for this user and key");
	assert_refused(user_key_take_challenge(db_of(f), &c, NOW, wrong, sizeof(wrong), &f->e),
		       f->e, ERR_DENIED, "challenge");
	for (size_t len = 0; len < sizeof(challenge); len++)
		assert_refused(user_key_take_challenge(db_of(f), &c, NOW, challenge, len, &f->e),
			       f->e, ERR_DENIED, "challenge");
	assert_refused(
		user_key_take_challenge(db_of(f), &c, end, challenge, sizeof(challenge), &f->e),
		f->e, ERR_DENIED, "older than");
	assert_ok(
		user_key_take_challenge(db_of(f), &c, end - 1, challenge, sizeof(challenge), &f->e),
		f->e);
	assert_refused(
		user_key_take_challenge(db_of(f), &c, NOW, challenge, sizeof(challenge), &f->e),
		f->e, ERR_DENIED, "was used");
}

static void the_oldest_challenge_gives_way(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna"), bert = add_user(f, "bert"), left;
	struct user_key_claim c = claim_of(f, anna, 1, ""), b = claim_of(f, bert, 2, "");
	uint8_t made[USER_CHALLENGES_MAX + 1][POSSESSION_CHALLENGE_LEN], his[32];

	assert_ok(user_key_claim_check(db_of(f), &c, &f->e), f->e);
	assert_ok(user_key_claim_check(db_of(f), &b, &f->e), f->e);
	assert_ok(user_key_challenge(db_of(f), &b, NOW, his, &f->e), f->e);
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		assert_ok(user_key_challenge(db_of(f), &c, NOW, made[i], &f->e), f->e);
	assert_refused(user_key_take_challenge(db_of(f), &c, NOW, made[0], 32, &f->e), f->e,
		       ERR_DENIED, "challenge");
	for (size_t i = 1; i < ARRAY_LEN(made); i++)
		assert_ok(user_key_take_challenge(db_of(f), &c, NOW, made[i], 32, &f->e), f->e);
	assert_ok(user_key_take_challenge(db_of(f), &b, NOW, his, 32, &f->e), f->e);
	/* What has ended is not kept. */
	assert_ok(user_key_challenge(db_of(f), &c, NOW, his, &f->e), f->e);
	assert_ok(user_key_challenge(db_of(f), &b, NOW + (int64_t)USER_CHALLENGE_MINUTES * 60000,
				     his, &f->e),
		  f->e);
	assert_ok(db_number(db_of(f), &left, &f->e, "SELECT count(*) FROM key_challenges", ""),
		  f->e);
	assert_int_equal(left, 1);
}

static void check_found(struct store_room *f, const char *computation,
			const struct user_key_claim *wanted)
{
	struct user_key k CLEANUP_USER_KEY = { .user = NULL };

	assert_ok(user_key_find(db_of(f), "anna", computation, &k, &f->e), f->e);
	assert_memory_equal(k.fingerprint, wanted->fingerprint, sizeof(k.fingerprint));
	assert_int_equal(k.len, wanted->len);
	assert_string_equal(k.words, "Ed25519");
}

static void the_newest_counts_and_that_of_a_computation_there(void **state)
{
	struct store_room *f = *state;
	struct user_key k CLEANUP_USER_KEY = { .user = NULL };
	int64_t anna = add_user(f, "anna");
	struct user_key_claim first, second, there;

	assert_refused(user_key_find(db_of(f), "anna", "", &k, &f->e), f->e, ERR_NOT_FOUND,
		       "key register");
	first = add(f, anna, 1, "", NOW);
	check_found(f, "", &first);
	check_found(f, "one", &first);
	assert_ok(user_suspend(db_of(f), "anna", true, &f->e), f->e);
	assert_refused(user_key_find(db_of(f), "anna", "", &k, &f->e), f->e, ERR_NOT_FOUND, "anna");
	assert_ok(user_suspend(db_of(f), "anna", false, &f->e), f->e);
	check_found(f, "", &first);
	there = add(f, anna, 2, "one", NOW);
	check_found(f, "one", &there);
	check_found(f, "two", &first);
	second = add(f, anna, 3, "", NOW + 1);
	check_found(f, "", &second);
	check_found(f, "one", &there);
	assert_refused(user_key_claim_check(db_of(f), &first, &f->e), f->e, ERR_PRECONDITION,
		       "does not come back");
	assert_refused(user_key_claim_check(db_of(f), &second, &f->e), f->e, ERR_EXISTS,
		       "registered already");
	/* The same key, for one more. */
	second.computation = "two";
	assert_ok(user_key_claim_check(db_of(f), &second, &f->e), f->e);
	assert_ok(user_key_retire(db_of(f), anna, there.fingerprint, NOW + 2, &f->e), f->e);
	check_found(f, "one", &second);
	assert_ok(user_key_retire(db_of(f), anna, there.fingerprint, NOW + 3, &f->e), f->e);
	there.fingerprint[0] ^= 1;
	assert_refused(user_key_retire(db_of(f), anna, there.fingerprint, NOW, &f->e), f->e,
		       ERR_NOT_FOUND, "no key");
	assert_ok(user_key_forget(db_of(f), "one", &f->e), f->e);
	check_found(f, "one", &second);
}

/* NULL: nobody's. */
static void check_owner(struct store_room *f, const struct user_key_claim *claim,
			const char *computation, const char *user, bool retired)
{
	struct user_key_owner o = { .user = NULL };

	memcpy(o.fingerprint, claim->fingerprint, sizeof(o.fingerprint));
	assert_ok(user_key_owners(db_of(f), computation, &o, 1, &f->e), f->e);
	if (user)
		assert_string_equal(o.user, user);
	else
		assert_null(o.user);
	assert_int_equal(o.retired, retired);
	free(o.user);
}

static void a_key_is_one_user_s(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna"), bert = add_user(f, "bert");
	struct user_key_claim c = add(f, anna, 1, "", NOW), his = c;

	his.person = bert;
	assert_ok(user_key_claim_check(db_of(f), &his, &f->e), f->e);
	assert_refused(user_key_claim_alone(db_of(f), &his, &f->e), f->e, ERR_EXISTS,
		       "another user's");
	assert_ok(user_key_retire(db_of(f), anna, c.fingerprint, NOW, &f->e), f->e);
	assert_ok(user_key_claim_check(db_of(f), &his, &f->e), f->e);
	assert_refused(user_key_claim_alone(db_of(f), &his, &f->e), f->e, ERR_EXISTS,
		       "another user's");
	store_room_create(f, "one");
	join(f, anna);
	check_owner(f, &c, "one", "anna", true);
	assert_refused(user_key_retire(db_of(f), bert, c.fingerprint, NOW, &f->e), f->e,
		       ERR_NOT_FOUND, "no key");
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	check_owner(f, &c, "one", NULL, false);
	assert_ok(user_key_claim_alone(db_of(f), &his, &f->e), f->e);
}

/* In the other one, too, and for all. */
static void a_key_is_retired_where_it_was_used(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna");
	struct user_key_claim both, other, all;

	store_room_create(f, "one");
	store_room_create(f, "two");
	join(f, anna);
	both = add(f, anna, 1, "", NOW);
	both = add(f, anna, 1, "two", NOW);
	check_owner(f, &both, "one", "anna", false);
	all = add(f, anna, 2, "", NOW + 1);
	check_owner(f, &both, "one", "anna", true);
	check_owner(f, &both, "two", "anna", false);
	check_owner(f, &all, "one", "anna", false);
	other = add(f, anna, 3, "two", NOW + 2);
	check_owner(f, &other, "one", "anna", false);
	check_owner(f, &both, "two", "anna", true);
	assert_ok(user_key_retire(db_of(f), anna, other.fingerprint, NOW, &f->e), f->e);
	check_owner(f, &other, "one", "anna", true);
}

/* As many as a manifest names. */
static void owners_are_told_of_all_at_once(void **state)
{
	enum { FEW = 5 };
	static struct user_key_owner rows[STORE_KEY_OWNERS_MAX];
	const size_t places[FEW] = { 0, 1, 31, 256, STORE_KEY_OWNERS_MAX - 1 };
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna"), bert = add_user(f, "bert");
	size_t known = 0;

	store_room_create(f, "one");
	join(f, anna);
	join(f, bert);
	memset(rows, 0, sizeof(rows));
	for (size_t i = 0; i < STORE_KEY_OWNERS_MAX; i++)
		memcpy(rows[i].fingerprint, &i, sizeof(i));
	for (unsigned i = 0; i < FEW; i++)
		memcpy(rows[places[i]].fingerprint,
		       add(f, i % 2 ? bert : anna, i, i == 3 ? "one" : "", NOW).fingerprint,
		       KEY_FINGERPRINT_LEN);
	/* Of the ones for all, each user's last one is in use. */
	assert_ok(user_key_owners(db_of(f), "one", rows, STORE_KEY_OWNERS_MAX, &f->e), f->e);
	for (unsigned i = 0; i < FEW; i++) {
		assert_string_equal(rows[places[i]].user, i % 2 ? "bert" : "anna");
		assert_int_equal(rows[places[i]].retired, i == 0 || i == 2);
	}
	for (size_t i = 0; i < STORE_KEY_OWNERS_MAX; i++) {
		known += rows[i].user != NULL;
		free(rows[i].user);
	}
	assert_int_equal(known, FEW);
	assert_ok(user_key_owners(db_of(f), "one", NULL, 0, &f->e), f->e);
}

static void what_is_no_key_is_refused(void **state)
{
	struct store_room *f = *state;
	struct user_key_claim c = claim_of(f, add_user(f, "anna"), 1, "");
	const size_t whole = c.len;

	for (c.len = 0; c.len < whole; c.len++)
		assert_refused(user_key_claim_check(db_of(f), &c, &f->e), f->e, ERR_INVALID, "key");
}

static size_t count_of(struct store_room *f, int64_t person, size_t *used)
{
	static struct user_key rows[USER_KEYS_MAX];
	size_t count;

	*used = 0;
	assert_ok(user_key_list(db_of(f), person, user_key_orders.first, rows, &count, &f->e),
		  f->e);
	for (size_t i = 0; i < count; i++) {
		*used += !rows[i].retired;
		user_key_done(&rows[i]);
	}
	return count;
}

/* Which ones, by how they were made. */
static void sorted(struct store_room *f, int64_t person, const char *word, const char *wanted)
{
	static struct user_key rows[USER_KEYS_MAX];
	struct list_sort sort;
	char got[16] = "";
	size_t count;

	assert_ok(list_sort_of(&user_key_orders, word, &sort, &f->e), f->e);
	assert_ok(user_key_list(db_of(f), person, sort, rows, &count, &f->e), f->e);
	for (size_t i = 0; i < count; i++) {
		for (unsigned n = 0; n < ARRAY_LEN(spkis); n++)
			if (rows[i].len && memcmp(spkis[n], rows[i].spki, rows[i].len) == 0)
				snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u", n);
		user_key_done(&rows[i]);
	}
	assert_string_equal(got, wanted);
}

static void a_user_s_are_in_an_order(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna"), bert = add_user(f, "bert");
	struct list_sort sort;

	/* The first and the second are retired by those that take their places. */
	add(f, anna, 1, "b", NOW);
	add(f, anna, 2, "", NOW + 1);
	add(f, bert, 6, "", NOW + 2);
	add(f, anna, 3, "", NOW + 3);
	add(f, anna, 4, "b", NOW + 7);
	add(f, anna, 5, "A", NOW + 5);
	sorted(f, anna, "", "12354");
	sorted(f, anna, "created", "12354");
	sorted(f, anna, "-created", "45321");
	sorted(f, anna, "changed", "23514");
	sorted(f, anna, "-changed", "41532");
	sorted(f, anna, "name", "23514");
	sorted(f, anna, "-name", "41532");
	sorted(f, anna, "state", "34512");
	sorted(f, anna, "-state", "21543");
	sorted(f, bert, "-state", "6");
	assert_refused(list_sort_of(&user_key_orders, "type", &sort, &f->e), f->e, ERR_INVALID,
		       "give created, changed, name or state");
}

static void a_user_has_so_many(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna"), bert = add_user(f, "bert");
	struct user_key_claim c;
	char id[16];
	size_t used;

	/* Retired ones give way, the oldest first. */
	for (unsigned i = 0; i < USER_KEYS_MAX + 2; i++)
		c = add(f, bert, i, "", NOW + i);
	assert_int_equal(count_of(f, bert, &used), USER_KEYS_MAX);
	assert_int_equal(used, 1);
	assert_ok(user_remove(db_of(f), "bert", &f->e), f->e);
	for (unsigned i = 0; i < USER_KEYS_MAX; i++) {
		snprintf(id, sizeof(id), "c%u", i);
		add(f, anna, i, id, NOW);
	}
	assert_int_equal(count_of(f, anna, &used), USER_KEYS_MAX);
	assert_int_equal(used, USER_KEYS_MAX);
	c = claim_of(f, anna, USER_KEYS_MAX, "");
	assert_refused(user_key_claim_check(db_of(f), &c, &f->e), f->e, ERR_EXHAUSTED,
		       "retire one");
}

static void create(struct store_room *f, const char *id, const struct user_key_claim *algorithm,
		   const struct user_key_claim *consumer)
{
	static uint8_t zeros[MANIFEST_HASH_LEN];
	Cvms__ComputationRunReq m = CVMS__COMPUTATION_RUN_REQ__INIT;
	Cvms__Algorithm a = CVMS__ALGORITHM__INIT;
	Cvms__ResultConsumer c = CVMS__RESULT_CONSUMER__INIT, *consumers[] = { &c };

	m.id = m.name = (char *)(uintptr_t)id;
	a.hash = (ProtobufCBinaryData){ sizeof(zeros), zeros };
	a.userkey = (ProtobufCBinaryData){ algorithm->len, (uint8_t *)(uintptr_t)algorithm->spki };
	c.userkey = (ProtobufCBinaryData){ consumer->len, (uint8_t *)(uintptr_t)consumer->spki };
	m.algorithm = &a;
	m.result_consumers = consumers;
	m.n_result_consumers = 1;
	assert_ok(store_create(&f->store, store_room_workspace(f), &m, &f->e), f->e);
}

static void a_manifest_gets_another_until_it_is_run(void **state)
{
	CLEANUP(store_key_owners_free) struct store_key_owners *owners = NULL;
	struct computation before CLEANUP_COMPUTATION = { .id = NULL },
				  after CLEANUP_COMPUTATION = { .id = NULL };
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t digest[MANIFEST_HASH_LEN];
	struct store_room *f = *state;
	size_t len;
	int64_t anna = add_user(f, "anna"), bert = add_user(f, "bert");
	struct user_key_claim old = add(f, anna, 1, "", NOW), his = add(f, bert, 2, "", NOW), next;
	bool changed;

	join(f, anna);
	join(f, bert);
	create(f, "one", &old, &his);
	assert_ok(store_computation(&f->store, "one", &before, &f->e), f->e);
	next = add(f, anna, 3, "one", NOW);
	assert_ok(store_key_replace(&f->store, &next, &changed, digest, &f->e), f->e);
	assert_true(changed);
	assert_ok(store_computation(&f->store, "one", &after, &f->e), f->e);
	assert_memory_equal(after.digest, digest, sizeof(digest));
	assert_true(memcmp(before.digest, after.digest, sizeof(digest)) != 0);
	assert_ok(store_key_replace(&f->store, &next, &changed, digest, &f->e), f->e);
	assert_false(changed);
	assert_ok(store_manifest(&f->store, "one", &bytes, &len, &f->e), f->e);
	assert_ok(manifest_decode(bytes, len, &m, &f->e), f->e);
	assert_ok(store_key_owners(&f->store, m, &owners, &f->e), f->e);
	assert_int_equal(owners->count, 2);
	assert_string_equal(owners->rows[0].user, "anna");
	assert_memory_equal(owners->rows[0].fingerprint, next.fingerprint, KEY_FINGERPRINT_LEN);
	assert_string_equal(owners->rows[1].user, "bert");
	assert_memory_equal(owners->rows[1].fingerprint, his.fingerprint, KEY_FINGERPRINT_LEN);
	store_room_arrive_idle(f, "cvm");
	assert_ok(store_assign(&f->store, "one", "cvm", false, &f->e), f->e);
	next = add(f, anna, 4, "one", NOW);
	assert_refused(store_key_replace(&f->store, &next, &changed, digest, &f->e), f->e,
		       ERR_PRECONDITION, "frozen");
	/* Nor one that failed and may run again. */
	store_room_event(f, "cvm", "one", "Failed", "Failed");
	next = add(f, anna, 5, "one", NOW);
	assert_refused(store_key_replace(&f->store, &next, &changed, digest, &f->e), f->e,
		       ERR_PRECONDITION, "frozen");
}

/* Whoever puts a key that he got elsewhere into a manifest of his own does not hear whose it is. */
static void a_stranger_s_key_names_nobody(void **state)
{
	CLEANUP(store_key_owners_free) struct store_key_owners *owners = NULL;
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	CLEANUP(free) uint8_t *bytes = NULL;
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna"), bert = add_user(f, "bert");
	struct user_key_claim hers = add(f, anna, 1, "", NOW), his = add(f, bert, 2, "", NOW);
	size_t len;

	join(f, anna);
	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	assert_ok(workspace_find(db_of(f), "lab", &lab, &f->e), f->e);
	assert_ok(workspace_member_add(db_of(f), &lab, bert, MEMBERSHIP_MEMBER, NOW, &f->e), f->e);
	create(f, "one", &hers, &his);
	assert_ok(user_key_retire(db_of(f), bert, his.fingerprint, NOW, &f->e), f->e);
	check_owner(f, &his, "one", NULL, false);
	check_owner(f, &hers, "none", NULL, false);
	assert_ok(store_manifest(&f->store, "one", &bytes, &len, &f->e), f->e);
	assert_ok(manifest_decode(bytes, len, &m, &f->e), f->e);
	assert_ok(store_key_owners(&f->store, m, &owners, &f->e), f->e);
	assert_int_equal(owners->count, 1);
	assert_string_equal(owners->rows[0].user, "anna");
}

/* As the form before this one left it. */
static void an_older_database_gets_keys(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna");
	struct user_key_claim c;

	store_room_age(f, 12);
	c = add(f, anna, 1, "", NOW);
	check_found(f, "", &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(a_challenge_is_for_one_claim_once),
		STORE_ROOM_ROW(the_oldest_challenge_gives_way),
		STORE_ROOM_ROW(the_newest_counts_and_that_of_a_computation_there),
		STORE_ROOM_ROW(a_key_is_one_user_s),
		STORE_ROOM_ROW(a_key_is_retired_where_it_was_used),
		STORE_ROOM_ROW(owners_are_told_of_all_at_once),
		STORE_ROOM_ROW(what_is_no_key_is_refused),
		STORE_ROOM_ROW(a_user_s_are_in_an_order),
		STORE_ROOM_ROW(a_user_has_so_many),
		STORE_ROOM_ROW(a_manifest_gets_another_until_it_is_run),
		STORE_ROOM_ROW(a_stranger_s_key_names_nobody),
		STORE_ROOM_ROW(an_older_database_gets_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
