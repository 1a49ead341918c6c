/* SPDX-License-Identifier: Apache-2.0 */
/* Who has compared which manifest: what is taken, what is stale, how many stay. */
#include "computations/people/user.h"
#include "computations/store/store_confirm.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1000000000)

static EVP_PKEY *key_of(unsigned n)
{
	uint8_t secret[32] = { 9, (uint8_t)n, (uint8_t)(n >> 8) };

	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
}

struct spki {
	uint8_t bytes[SPKI_MAX];
	size_t len;
};

static struct spki spki_of(unsigned n)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = key_of(n);
	CLEANUP(free) uint8_t *bytes = NULL;
	struct spki got = { .len = 0 };
	struct err e;

	assert_ok(key_to_spki(key, &bytes, &got.len, &e), e);
	memcpy(got.bytes, bytes, got.len);
	return got;
}

/* A user of that name, whose key is the n-th. */
static int64_t add_user(struct store_room *f, const char *name, unsigned n)
{
	struct user u CLEANUP_USER = { .name = NULL };
	struct spki spki = spki_of(n);

	store_room_user(f, name);
	assert_ok(user_find(&f->store.db, name, &u, &f->e), f->e);
	struct user_key_claim claim = {
		.person = u.number, .computation = "", .spki = spki.bytes, .len = spki.len
	};
	assert_ok(user_key_claim_check(&f->store.db, &claim, &f->e), f->e);
	assert_ok(user_key_add(&f->store.db, &claim, NOW, &f->e), f->e);
	return u.number;
}

/* A computation whose algorithm is of the first of these keys, and whose results are for the others. */
static void create(struct store_room *f, const char *id, unsigned first, unsigned count)
{
	static uint8_t zeros[32];
	Cvms__ComputationRunReq m = CVMS__COMPUTATION_RUN_REQ__INIT;
	Cvms__Algorithm algorithm = CVMS__ALGORITHM__INIT;
	Cvms__ResultConsumer out[MANIFEST_CONSUMERS_MAX], *rows[MANIFEST_CONSUMERS_MAX];
	struct spki keys[MANIFEST_CONSUMERS_MAX + 1];

	assert_true(count > 0 && count <= MANIFEST_CONSUMERS_MAX + 1);
	for (unsigned i = 0; i < count; i++)
		keys[i] = spki_of(first + i);
	for (unsigned i = 1; i < count; i++) {
		cvms__result_consumer__init(&out[i - 1]);
		out[i - 1].userkey = (ProtobufCBinaryData){ keys[i].len, keys[i].bytes };
		rows[i - 1] = &out[i - 1];
	}
	algorithm.hash = (ProtobufCBinaryData){ sizeof(zeros), zeros };
	algorithm.userkey = (ProtobufCBinaryData){ keys[0].len, keys[0].bytes };
	m.id = m.name = (char *)(uintptr_t)id;
	m.algorithm = &algorithm;
	m.result_consumers = rows;
	m.n_result_consumers = count - 1;
	assert_ok(store_create(&f->store, store_room_workspace(f), &m, &f->e), f->e);
}

static struct store_confirmations *list_of(struct store_room *f, const char *id)
{
	struct store_confirmations *list;

	assert_ok(store_confirmations(&f->store, id, &list, &f->e), f->e);
	return list;
}

static struct confirmation of_now(struct store_room *f, const char *user, const char *id,
				  unsigned n)
{
	CLEANUP(store_confirmations_free) struct store_confirmations *list = list_of(f, id);
	struct confirmation c = { .user = user,
				  .computation = id,
				  .revision = (uint64_t)list->revision };
	struct spki spki = spki_of(n);

	memcpy(c.digest, list->digest, sizeof(c.digest));
	assert_ok(key_fingerprint(spki.bytes, spki.len, c.key, &f->e), f->e);
	return c;
}

static int confirm(struct store_room *f, int64_t person, const struct confirmation *c, unsigned n,
		   int64_t now)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = key_of(n);
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t signature[SIGNATURE_MAX];
	size_t len, size;

	assert_ok(confirmation_message(c, &bytes, &len, &f->e), f->e);
	assert_ok(key_sign(key, true, bytes, len, signature, &size, &f->e), f->e);
	return store_confirm(&f->store, person, c, signature, size, now, &f->e);
}

static void what_was_signed_is_kept(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna", 1);
	struct confirmation c;

	create(f, "one", 1, 2);
	c = of_now(f, "anna", "one", 1);
	for (int64_t i = 0; i < 2; i++) {
		assert_ok(confirm(f, anna, &c, 1, NOW + i), f->e);
		CLEANUP(store_confirmations_free)
		struct store_confirmations *list = list_of(f, "one");

		assert_int_equal(list->count, 1);
		assert_int_equal(list->revision, 1);
		assert_string_equal(list->rows[0].user, "anna");
		assert_memory_equal(list->rows[0].key, c.key, sizeof(c.key));
		assert_memory_equal(list->rows[0].digest, c.digest, sizeof(c.digest));
		assert_int_equal(list->rows[0].made, NOW + i);
		assert_false(list->rows[0].stale || list->rows[0].retired);
	}
}

static void another_s_or_older_is_refused(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna", 1), carl = add_user(f, "carl", 3);
	struct confirmation good, c;

	create(f, "one", 1, 2);
	good = of_now(f, "anna", "one", 1);
	c = good, c.revision = 0;
	assert_refused(confirm(f, anna, &c, 1, NOW), f->e, ERR_ABORTED, "another manifest");
	c.revision = UINT64_MAX;
	assert_refused(confirm(f, anna, &c, 1, NOW), f->e, ERR_ABORTED, "another manifest");
	c = good, c.digest[0] ^= 1;
	assert_refused(confirm(f, anna, &c, 1, NOW), f->e, ERR_ABORTED, "another manifest");
	assert_refused(confirm(f, anna, &good, 2, NOW), f->e, ERR_DENIED, "not this key's");
	/* One that nobody registered; another's; one that the manifest does not name. */
	c = of_now(f, "anna", "one", 2);
	assert_refused(confirm(f, anna, &c, 2, NOW), f->e, ERR_DENIED, "does not name");
	c = good, c.user = "carl";
	assert_refused(confirm(f, carl, &c, 1, NOW), f->e, ERR_DENIED,
		       "none in use of user 'carl'");
	c = of_now(f, "carl", "one", 3);
	assert_refused(confirm(f, carl, &c, 3, NOW), f->e, ERR_DENIED, "does not name");
	c = good, c.computation = "two";
	assert_refused(confirm(f, anna, &c, 1, NOW), f->e, ERR_NOT_FOUND, "no computation 'two'");
	assert_ok(user_key_retire(&f->store.db, anna, good.key, NOW, &f->e), f->e);
	assert_refused(confirm(f, anna, &good, 1, NOW), f->e, ERR_DENIED, "none in use");
	CLEANUP(store_confirmations_free) struct store_confirmations *list = list_of(f, "one");
	assert_int_equal(list->count, 0);
}

/* It is shown, and counts again only when another key in use has signed. */
static void a_retired_key_s_does_not_count(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna", 1), carl = add_user(f, "carl", 3);
	struct confirmation c;

	create(f, "one", 1, 3);
	c = of_now(f, "anna", "one", 1);
	assert_ok(confirm(f, anna, &c, 1, NOW), f->e);
	const struct confirmation his = of_now(f, "carl", "one", 3);
	assert_ok(confirm(f, carl, &his, 3, NOW + 1), f->e);
	assert_ok(user_key_retire(&f->store.db, anna, c.key, NOW, &f->e), f->e);
	CLEANUP(store_confirmations_free) struct store_confirmations *list = list_of(f, "one");
	assert_int_equal(list->count, 2);
	assert_true(list->rows[0].retired && !list->rows[0].stale);
	assert_false(list->rows[1].retired);
	/* One that is nobody's any more is as one that was retired. */
	assert_ok(db_script(&f->store.db, "DELETE FROM user_keys", &f->e), f->e);
	store_confirmations_free(TAKE_PTR(list));
	list = list_of(f, "one");
	assert_true(list->rows[0].retired && list->rows[1].retired);
}

/* Also when the manifest is what it was again. */
static void a_change_makes_it_stale(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna", 1);
	struct confirmation c;

	create(f, "one", 1, 2);
	c = of_now(f, "anna", "one", 1);
	assert_ok(confirm(f, anna, &c, 1, NOW), f->e);
	assert_ok(db_script(&f->store.db,
			    "UPDATE computations SET manifest_revision = manifest_revision + 1",
			    &f->e),
		  f->e);
	CLEANUP(store_confirmations_free) struct store_confirmations *list = list_of(f, "one");
	assert_true(list->count == 1 && list->rows[0].stale && list->revision == 2);
	assert_refused(confirm(f, anna, &c, 1, NOW), f->e, ERR_ABORTED, "another manifest");
	c = of_now(f, "anna", "one", 1);
	assert_ok(confirm(f, anna, &c, 1, NOW), f->e);
	store_confirmations_free(list);
	list = list_of(f, "one");
	assert_true(list->count == 1 && !list->rows[0].stale);
}

/* All of one manifest find room: what is stale gives way, the oldest first. */
static void so_many_stay(void **state)
{
	CLEANUP(store_confirmations_free) struct store_confirmations *list = NULL;
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna", 1), bert = add_user(f, "bert", 2);
	struct confirmation c;

	create(f, "one", 1, 2);
	assert_ok(db_script(&f->store.db, "UPDATE computations SET manifest_revision = 2", &f->e),
		  f->e);
	for (unsigned i = 0; i < STORE_CONFIRMATIONS_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "u%u", i);
		store_room_user(f, name);
	}
	assert_ok(db_run(&f->store.db, &f->e,
			 "INSERT INTO confirmations (computation, person, fingerprint, digest,"
			 " revision, signature, made) SELECT 'one', number, ?1, ?1, 1, ?1, number"
			 " FROM users WHERE name LIKE 'u%'",
			 "b", spki_of(1).bytes, (size_t)32),
		  f->e);
	list = list_of(f, "one");
	assert_int_equal(list->count, STORE_CONFIRMATIONS_MAX);
	assert_string_equal(list->rows[0].user, "u0");
	c = of_now(f, "anna", "one", 1);
	assert_ok(confirm(f, anna, &c, 1, NOW), f->e);
	c = of_now(f, "bert", "one", 2);
	assert_ok(confirm(f, bert, &c, 2, NOW + 1), f->e);
	store_confirmations_free(list);
	list = list_of(f, "one");
	assert_int_equal(list->count, STORE_CONFIRMATIONS_MAX);
	assert_string_equal(list->rows[0].user, "u2");
	assert_string_equal(list->rows[list->count - 1].user, "bert");
	assert_false(list->rows[list->count - 2].stale);
}

static void what_others_wrote_is_refused(void **state)
{
	static const char *const wrong[] = {
		"UPDATE confirmations SET fingerprint = substr(fingerprint, 1, 31)",
		"UPDATE confirmations SET digest = substr(digest, 1, 0)",
		"UPDATE confirmations SET revision = 0",
		"UPDATE confirmations SET made = -1",
		"UPDATE computations SET manifest_revision = 0",
		"UPDATE computations SET digest = substr(digest, 1, 31)",
	};
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna", 1);

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct store_confirmations *list;
		struct confirmation c;

		create(f, "one", 1, 2);
		c = of_now(f, "anna", "one", 1);
		assert_ok(confirm(f, anna, &c, 1, NOW), f->e);
		assert_ok(db_script(&f->store.db, wrong[i], &f->e), f->e);
		assert_refused(store_confirmations(&f->store, "one", &list, &f->e), f->e,
			       ERR_DATA_LOSS, "database");
		assert_ok(db_script(&f->store.db,
				    "DELETE FROM confirmations;"
				    "DELETE FROM computations; DELETE FROM usage_kept;"
				    "DELETE FROM workspace_computations",
				    &f->e),
			  f->e);
	}
}

static void it_goes_with_its_computation_and_user(void **state)
{
	CLEANUP(store_confirmations_free) struct store_confirmations *list = NULL;
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna", 1), bert = add_user(f, "bert", 2), left;
	CLEANUP(free) char *holder = NULL;
	struct confirmation c;

	create(f, "one", 1, 2);
	c = of_now(f, "anna", "one", 1);
	assert_ok(confirm(f, anna, &c, 1, NOW), f->e);
	c = of_now(f, "bert", "one", 2);
	assert_ok(confirm(f, bert, &c, 2, NOW), f->e);
	assert_ok(user_remove(&f->store.db, "bert", &f->e), f->e);
	list = list_of(f, "one");
	assert_int_equal(list->count, 1);
	assert_ok(store_remove(&f->store, "one", false, &holder, &f->e), f->e);
	assert_ok(db_number(&f->store.db, &left, &f->e, "SELECT count(*) FROM confirmations", ""),
		  f->e);
	assert_int_equal(left, 0);
}

static void an_older_database_gets_them(void **state)
{
	struct store_room *f = *state;
	int64_t anna = add_user(f, "anna", 1);
	struct confirmation c;

	create(f, "one", 1, 2);
	store_room_age(f, 15);
	c = of_now(f, "anna", "one", 1);
	assert_int_equal(c.revision, 1);
	assert_ok(confirm(f, anna, &c, 1, NOW), f->e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(what_was_signed_is_kept),
		STORE_ROOM_ROW(another_s_or_older_is_refused),
		STORE_ROOM_ROW(a_retired_key_s_does_not_count),
		STORE_ROOM_ROW(a_change_makes_it_stale),
		STORE_ROOM_ROW(so_many_stay),
		STORE_ROOM_ROW(what_others_wrote_is_refused),
		STORE_ROOM_ROW(it_goes_with_its_computation_and_user),
		STORE_ROOM_ROW(an_older_database_gets_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
