/* SPDX-License-Identifier: Apache-2.0 */
/* What a computation is called, beside what its manifest says; and another manifest. */
#include "computations/people/asset.h"
#include "computations/people/workspace.h"
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
	elsewhere.id = (char *)(uintptr_t)"four";
	elsewhere.name = (char *)(uintptr_t)"night";
	assert_ok(store_create(&f->store, lab.number, &elsewhere, &f->e), f->e);
	assert_ok(try_rename(f, "three", "night", "still"), f->e);
	is_called(f, "three", "night", "still");
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
	Cvms__ComputationRunReq day = another("day"), taken = another("taken");
	const struct store_naming other = { .name = (char *)(uintptr_t)"taken" };

	store_room_create(f, "one");
	store_room_create(f, "two");
	assert_ok(store_rename(&f->store, "two", &other, &f->e), f->e);
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
		STORE_ROOM_ROW(another_manifest_is_taken_until_the_first_run),
		STORE_ROOM_ROW(a_name_that_was_given_stays),
		STORE_ROOM_ROW(its_agents_key_and_its_assets_are_of_the_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
