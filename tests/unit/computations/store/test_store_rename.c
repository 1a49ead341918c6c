/* SPDX-License-Identifier: Apache-2.0 */
/* What a computation is called, beside what its manifest says. */
#include "computations/people/workspace.h"
#include "computations/store/store_rename.h"
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
	is_called(f, "two", "a name", "");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(its_name_changes_and_its_manifest_does_not),
		STORE_ROOM_ROW(a_name_is_one_computations_of_its_workspace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
