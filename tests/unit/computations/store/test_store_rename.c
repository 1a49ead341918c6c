/* SPDX-License-Identifier: Apache-2.0 */
/* What a computation is called, beside what its manifest says, and of which no two are the same; and another manifest. */
#include "computations/people/asset.h"
#include "computations/people/workspace.h"
#include "computations/store/store_name.h"
#include "computations/store/store_rename.h"
#include "computations/store/store_secret.h"
#include "computations/store/store_update.h"
#include "tests/unit/computations/store_room.h"

static int try_rename(struct store_room *f, const char *id, const char *name,
		      const char *description)
{
	const struct store_naming to = { .name = (char *)(uintptr_t)name,
					 .description = (char *)(uintptr_t)description };

	return store_rename(&f->store, id, &to, &f->e);
}

static void is_called(struct store_room *f, const char *id, const char *name,
		      const char *description)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	assert_ok(store_computation(&f->store, id, &c, &f->e), f->e);
	assert_string_equal(c.name, name);
	assert_string_equal(c.description, description);
}

static void its_name_changes_and_its_manifest_does_not(void **state)
{
	struct store_room *f = *state;
	struct computation before CLEANUP_COMPUTATION = { .id = NULL };
	struct computation after CLEANUP_COMPUTATION = { .id = NULL };
	CLEANUP(free) uint8_t *was = NULL, *is = NULL;
	size_t was_len, is_len;

	store_room_run_on(f, "one", "cvm");
	assert_ok(store_computation(&f->store, "one", &before, &f->e), f->e);
	assert_ok(store_manifest(&f->store, "one", &was, &was_len, &f->e), f->e);
	assert_ok(try_rename(f, "one", "night", "of iris"), f->e);
	is_called(f, "one", "night", "of iris");
	assert_ok(try_rename(f, "one", "day", NULL), f->e);
	is_called(f, "one", "day", "of iris");
	assert_ok(try_rename(f, "one", "day", ""), f->e);
	is_called(f, "one", "day", "");
	assert_ok(store_computation(&f->store, "one", &after, &f->e), f->e);
	assert_memory_equal(after.digest, before.digest, sizeof(after.digest));
	assert_int_equal(after.state, before.state);
	assert_string_equal(after.cvm_id, "cvm");
	assert_ok(store_manifest(&f->store, "one", &is, &is_len, &f->e), f->e);
	assert_int_equal(is_len, was_len);
	assert_memory_equal(is, was, is_len);
	assert_refused(try_rename(f, "none", "x", NULL), f->e, ERR_NOT_FOUND, "none");
}

static void a_name_is_one_computations_of_its_workspace(void **state)
{
	struct store_room *f = *state;
	Cvms__ComputationRunReq elsewhere = CVMS__COMPUTATION_RUN_REQ__INIT;
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };

	store_room_create(f, "one");
	store_room_create(f, "two");
	assert_ok(workspace_add(&f->store.db, "lab", 1, &f->e), f->e);
	assert_ok(workspace_find(&f->store.db, "lab", &lab, &f->e), f->e);
	elsewhere.id = (char *)(uintptr_t)"three";
	assert_ok(store_create(&f->store, lab.number, &elsewhere, &f->e), f->e);

	assert_ok(try_rename(f, "one", "night", NULL), f->e);
	assert_refused(try_rename(f, "two", "night", "x"), f->e, ERR_EXISTS, "called 'night'");
	is_called(f, "two", "name of two", "");
	assert_ok(try_rename(f, "three", "night", NULL), f->e);
	assert_ok(try_rename(f, "two", "Night", NULL), f->e);
	/* Its own, whoever was created by it, too. */
	assert_ok(try_rename(f, "one", "night", "again"), f->e);
	/* So does one of those that an older service has created by one name; and it can be told from them. */
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE computations SET name = 'night' WHERE id = ?",
			 "t", "two"),
		  f->e);
	assert_ok(try_rename(f, "two", "night", "still"), f->e);
	is_called(f, "two", "night", "still");
	assert_ok(try_rename(f, "two", "day", NULL), f->e);
	is_called(f, "two", "day", "still");
}

static int try_create(struct store_room *f, int64_t workspace, const char *id, const char *name)
{
	Cvms__ComputationRunReq m = CVMS__COMPUTATION_RUN_REQ__INIT;

	m.id = (char *)(uintptr_t)id;
	m.name = (char *)(uintptr_t)name;
	return store_create(&f->store, workspace, &m, &f->e);
}

static void a_new_one_has_a_name_of_its_own(void **state)
{
	struct store_room *f = *state;
	const int64_t here = store_room_workspace(f);
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	CLEANUP(free) char *told = NULL;
	int64_t kept;

	assert_ok(workspace_add(&f->store.db, "lab", 1, &f->e), f->e);
	assert_ok(workspace_find(&f->store.db, "lab", &lab, &f->e), f->e);
	/* Also within one transaction. */
	assert_ok(db_begin(&f->store.db, &f->e), f->e);
	assert_ok(try_create(f, here, "one", "night"), f->e);
	assert_refused(try_create(f, here, "two", "night"), f->e, ERR_EXISTS,
		       "name: another computation of its workspace is called 'night': choose "
		       "another one");
	assert_ok(db_commit(&f->store.db, &f->e), f->e);
	assert_refused(try_create(f, here, "two", "night"), f->e, ERR_EXISTS, "called 'night'");
	assert_ok(db_number(&f->store.db, &kept, &f->e,
			    "SELECT (SELECT count(*) FROM computations)"
			    " + (SELECT count(*) FROM workspace_computations)",
			    ""),
		  f->e);
	assert_int_equal(kept, 2);
	/* Whose id is known is told of that: who sends it again knows that it is there. */
	assert_refused(try_create(f, here, "one", "night"), f->e, ERR_EXISTS, "exists already");
	assert_ok(try_create(f, lab.number, "two", "night"), f->e);
	/* What counts is what it is called now; and of those without a name there may be many. */
	assert_ok(try_rename(f, "one", "day", NULL), f->e);
	assert_refused(try_create(f, here, "three", "day"), f->e, ERR_EXISTS, "called 'day'");
	assert_ok(try_create(f, here, "three", ""), f->e);
	assert_ok(try_create(f, here, "four", ""), f->e);
	assert_ok(store_remove(&f->store, "one", false, &told, &f->e), f->e);
	assert_ok(try_create(f, here, "five", "day"), f->e);
}

/* As many as need be, past the room's limit: "`stem``first`)" and so on to "`stem``last`)". */
static void put_numbered(struct store_room *f, const char *stem, int64_t first, int64_t last)
{
	assert_ok(
		db_run(&f->store.db, &f->e,
		       "INSERT INTO computations (id, name, description, manifest, digest,"
		       " datasets, consumers, created) WITH RECURSIVE n(i) AS (SELECT ?2 UNION ALL"
		       " SELECT i + 1 FROM n WHERE i < ?3)"
		       " SELECT 'id' || i, ?1 || i || ')', '', ?4, ?4, 0, 0, 1 FROM n",
		       "tiib", stem, first, last, "x", (size_t)1),
		f->e);
	assert_ok(db_run(&f->store.db, &f->e,
			 "INSERT INTO workspace_computations (computation, workspace)"
			 " SELECT id, ?1 FROM computations WHERE id NOT IN"
			 " (SELECT computation FROM workspace_computations)",
			 "i", store_room_workspace(f)),
		  f->e);
}

static void is_free(struct store_room *f, const char *name, const char *wanted)
{
	CLEANUP(free) char *got = NULL;

	assert_ok(store_name_free(&f->store.db, store_room_workspace(f), name, &got, &f->e), f->e);
	assert_string_equal(got, wanted);
}

static void a_free_number_behind_a_taken_one_is_told(void **state)
{
	struct store_room *f = *state;
	const int64_t here = store_room_workspace(f);

	is_free(f, "night", "night");
	is_free(f, "", "");
	assert_ok(try_create(f, here, "one", "night"), f->e);
	is_free(f, "night", "night (2)");
	is_free(f, "Night", "Night");
	/* Names that have no such number behind it. */
	assert_ok(try_create(f, here, "two", "night (02)"), f->e);
	assert_ok(try_create(f, here, "three", "night (2) "), f->e);
	assert_ok(try_create(f, here, "four", "night (2"), f->e);
	is_free(f, "night", "night (2)");
	put_numbered(f, "night (", 2, 8);
	is_free(f, "night", "night (9)");
	put_numbered(f, "night (", 9, 9);
	is_free(f, "night", "night (10)");
	assert_ok(db_run(&f->store.db, &f->e,
			 "UPDATE computations SET name = 'day' WHERE id = 'id5'", ""),
		  f->e);
	is_free(f, "night", "night (10)"); /* gaps are not looked for */
	is_free(f, "night (2)", "night (2) (2)");
	/* Nothing in a name is a pattern. */
	assert_ok(try_rename(f, "two", "n%t_", NULL), f->e);
	assert_ok(try_rename(f, "three", "nxty (2)", NULL), f->e);
	is_free(f, "n%t_", "n%t_ (2)");
}

static void numbers_have_a_limit(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *none = NULL;

	assert_ok(try_create(f, store_room_workspace(f), "one", "night"), f->e);
	put_numbered(f, "night (", 2, STORE_NAME_NUMBERS_MAX - 1);
	is_free(f, "night", "night (9999)");
	put_numbered(f, "night (", STORE_NAME_NUMBERS_MAX, STORE_NAME_NUMBERS_MAX + 1);
	assert_refused(
		store_name_free(&f->store.db, store_room_workspace(f), "night", &none, &f->e), f->e,
		ERR_EXISTS, "'night' with numbers up to 9999: choose another one");
	assert_null(none);
}

/* `len` bytes of `text` again and again, and what it is cut to. */
static void is_cut(struct store_room *f, const char *first, const char *text, size_t len,
		   size_t cut, const char *number)
{
	char name[MANIFEST_NAME_MAX + 1], wanted[MANIFEST_NAME_MAX + 16];

	assert_in_range(len, 1, MANIFEST_NAME_MAX);
	for (size_t i = 0; i < len; i++)
		name[i] = i < strlen(first) ? first[i] : text[(i - strlen(first)) % strlen(text)];
	name[len] = '\0';
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE computations SET name = ? WHERE id = 'one'",
			 "t", name),
		  f->e);
	snprintf(wanted, sizeof(wanted), "%.*s%s", (int)cut, name, number);
	assert_true(strlen(wanted) <= MANIFEST_NAME_MAX);
	is_free(f, name, wanted);
}

static void a_number_fits_behind_a_long_name(void **state)
{
	struct store_room *f = *state;
	char stem[MANIFEST_NAME_MAX];

	assert_ok(try_create(f, store_room_workspace(f), "one", "night"), f->e);
	is_cut(f, "", "x", MANIFEST_NAME_MAX - 5, MANIFEST_NAME_MAX - 5, " (2)");
	is_cut(f, "", "x", MANIFEST_NAME_MAX - 4, MANIFEST_NAME_MAX - 4, " (2)");
	is_cut(f, "", "x", MANIFEST_NAME_MAX - 3, MANIFEST_NAME_MAX - 4, " (2)");
	is_cut(f, "", "x", MANIFEST_NAME_MAX, MANIFEST_NAME_MAX - 4, " (2)");
	/* Between characters. */
	is_cut(f, "", "é", MANIFEST_NAME_MAX, MANIFEST_NAME_MAX - 4, " (2)");
	is_cut(f, "x", "é", MANIFEST_NAME_MAX - 1, MANIFEST_NAME_MAX - 5, " (2)");
	is_cut(f, "", "😀", MANIFEST_NAME_MAX, MANIFEST_NAME_MAX - 4, " (2)");
	is_cut(f, "x", "😀", MANIFEST_NAME_MAX - 3, MANIFEST_NAME_MAX - 7, " (2)");
	/* A number of more digits has less before it. */
	snprintf(stem, sizeof(stem), "%0*d (", MANIFEST_NAME_MAX - 4, 0);
	put_numbered(f, stem, 2, 9);
	is_cut(f, "", "0", MANIFEST_NAME_MAX, MANIFEST_NAME_MAX - 5, " (10)");
}

static Cvms__ComputationRunReq another(const char *name)
{
	Cvms__ComputationRunReq m = CVMS__COMPUTATION_RUN_REQ__INIT;

	m.id = (char *)(uintptr_t)"one";
	m.name = (char *)(uintptr_t)name;
	m.description = (char *)(uintptr_t)"of iris";
	return m;
}

static void is_sent_with_key(struct store_room *f, const char *key)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	assert_ok(store_secret_send(&f->store, "one", &bytes, &len, &f->e), f->e);
	assert_ok(manifest_decode(bytes, len, &m, &f->e), f->e);
	assert_string_equal(m->agent_config ? m->agent_config->key_file : "", key);
}

static void another_manifest_is_taken_until_the_first_run(void **state)
{
	struct store_room *f = *state;
	struct computation before CLEANUP_COMPUTATION = { .id = NULL },
				  after CLEANUP_COMPUTATION = { .id = NULL },
				  again CLEANUP_COMPUTATION = { .id = NULL };
	Cvms__ComputationRunReq m = another("night"), none = another("x");

	store_room_create(f, "one");
	assert_ok(store_computation(&f->store, "one", &before, &f->e), f->e);
	assert_ok(store_update(&f->store, &m, &f->e), f->e);
	assert_ok(store_computation(&f->store, "one", &after, &f->e), f->e);
	assert_string_equal(after.name, "night");
	assert_string_equal(after.description, "of iris");
	assert_true(memcmp(after.digest, before.digest, sizeof(after.digest)) != 0);
	assert_int_equal(before.revision, 1);
	assert_int_equal(after.revision, 2);
	none.id = (char *)(uintptr_t)"none";
	assert_refused(store_update(&f->store, &none, &f->e), f->e, ERR_NOT_FOUND, "none");
	store_room_arrive_idle(f, "cvm");
	assert_ok(store_assign(&f->store, "one", "cvm", false, &f->e), f->e);
	assert_refused(store_update(&f->store, &m, &f->e), f->e, ERR_PRECONDITION, "frozen");
	/* Nor one that failed and may run again. */
	store_room_event(f, "cvm", "one", "Failed", "Failed");
	assert_refused(store_update(&f->store, &m, &f->e), f->e, ERR_PRECONDITION, "frozen");
	assert_ok(store_computation(&f->store, "one", &again, &f->e), f->e);
	assert_int_equal(again.revision, 2);
}

static void a_name_that_was_given_stays(void **state)
{
	struct store_room *f = *state;
	Cvms__ComputationRunReq day = another("day"), taken = another("taken"), none = another("");
	const struct store_naming other = { .name = (char *)(uintptr_t)"taken" };

	store_room_create(f, "one");
	store_room_create(f, "two");
	assert_ok(store_rename(&f->store, "two", &other, &f->e), f->e);
	/* None is nobody's. */
	assert_ok(try_create(f, store_room_workspace(f), "three", ""), f->e);
	assert_ok(store_update(&f->store, &none, &f->e), f->e);
	assert_refused(store_update(&f->store, &taken, &f->e), f->e, ERR_EXISTS, "called 'taken'");
	assert_ok(try_rename(f, "one", "night", "mine"), f->e);
	assert_ok(store_update(&f->store, &taken, &f->e), f->e);
	is_called(f, "one", "night", "mine");
	assert_ok(try_rename(f, "one", "night", "of iris"), f->e); /* as the manifest has it */
	day.description = (char *)(uintptr_t)"of June";
	assert_ok(store_update(&f->store, &day, &f->e), f->e);
	is_called(f, "one", "night", "of June");
}

static void its_agents_key_and_its_assets_are_of_the_new_one(void **state)
{
	struct store_room *f = *state;
	static uint8_t digest[MANIFEST_HASH_LEN] = { 7 };
	Cvms__ComputationRunReq m = another("a name"), without = another("a name");
	Cvms__AgentConfig config = CVMS__AGENT_CONFIG__INIT;
	Cvms__Algorithm algorithm = CVMS__ALGORITHM__INIT;
	const struct asset_row asset = { .name = (char *)(uintptr_t)"train",
					 .mime = (char *)(uintptr_t)"text/plain",
					 .description = (char *)(uintptr_t)"",
					 .type = ASSET_ALGORITHM,
					 .digest = { 7 } };
	int64_t linked;

	assert_ok(asset_add(&f->store.db, store_room_workspace(f), 0, &asset, 1, &f->e), f->e);
	algorithm.hash = (ProtobufCBinaryData){ sizeof(digest), digest };
	m.algorithm = &algorithm;
	config.key_file = (char *)(uintptr_t)"a key of its own";
	m.agent_config = &config;
	store_room_create(f, "one");
	assert_ok(store_update(&f->store, &m, &f->e), f->e);
	is_sent_with_key(f, "a key of its own");
	assert_ok(db_number(&f->store.db, &linked, &f->e, "SELECT count(*) FROM asset_links", ""),
		  f->e);
	assert_int_equal(linked, 1);
	config.key_file = (char *)(uintptr_t)"another one";
	assert_ok(store_update(&f->store, &m, &f->e), f->e);
	is_sent_with_key(f, "another one");
	/* One without a key leaves none of the one before. */
	assert_ok(store_update(&f->store, &without, &f->e), f->e);
	is_sent_with_key(f, "");
	assert_ok(db_number(&f->store.db, &linked, &f->e, "SELECT count(*) FROM asset_links", ""),
		  f->e);
	assert_int_equal(linked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(its_name_changes_and_its_manifest_does_not),
		STORE_ROOM_ROW(a_name_is_one_computations_of_its_workspace),
		STORE_ROOM_ROW(a_new_one_has_a_name_of_its_own),
		STORE_ROOM_ROW(a_free_number_behind_a_taken_one_is_told),
		STORE_ROOM_ROW(numbers_have_a_limit),
		STORE_ROOM_ROW(a_number_fits_behind_a_long_name),
		STORE_ROOM_ROW(another_manifest_is_taken_until_the_first_run),
		STORE_ROOM_ROW(a_name_that_was_given_stays),
		STORE_ROOM_ROW(its_agents_key_and_its_assets_are_of_the_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
