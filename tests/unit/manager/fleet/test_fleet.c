/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet: how CVMs are made and removed, and how many. */
#include "tests/unit/manager/fleet_room.h"

static void created_found_and_removed(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 2);
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.created, 1);
	assert_non_null(fleet_find(m.fleet, told.id));
	assert_null(fleet_find(m.fleet, "3b1f8a10-1111-4222-8333-000000000001"));
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e);
	assert_null(fleet_find(m.fleet, told.id));
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e),
		  e); /* joins the first */
	fleet_room_settle(&m);
	assert_int_equal(told.removed, 2);
	assert_int_equal(atomic_load(&fleet_world.removals), 1);
	assert_refused(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e,
		       ERR_NOT_FOUND, told.id);
	assert_refused(fleet_remove(m.fleet, "", fleet_room_removed, &told, &e), e, ERR_NOT_FOUND,
		       "no CVM");
	fleet_room_close(&m);
}

static void the_limit_holds_while_cvms_are_being_made(void **state)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 3);
	for (int i = 0; i < 3; i++)
		assert_ok(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e);
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_EXHAUSTED, "MANAGER_MAX_VMS");
	fleet_room_settle(&m);
	assert_int_equal(told.created, 3);
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_EXHAUSTED, "MANAGER_MAX_VMS");
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e);
	fleet_room_settle(&m);
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.created, 4);
	/* What is wrong with a request is said first. */
	request.agent_cvm_server_url = (char *)"";
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_INVALID, "agent_cvm_server_url");
	fleet_room_close(&m);
}

static void a_creation_that_fails_gives_its_place_back(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;

	fleet_room_fresh(&m, 1);
	atomic_store(&fleet_world.fail_creation, ERR_UNAVAILABLE);
	for (int i = 0; i < 3; i++)
		fleet_room_create(&m, &told, "");
	assert_int_equal(told.failed, 3);
	assert_int_equal(told.e.code, ERR_UNAVAILABLE);
	atomic_store(&fleet_world.fail_creation, 0);
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.created, 1);
	fleet_room_close(&m);
}

static void what_a_failed_creation_left_is_removed_in_the_end(void **state)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 1);
	atomic_store(&fleet_world.fail_creation, ERR_UNAVAILABLE);
	atomic_store(&fleet_world.leave_step, CVM_DOMAIN);
	atomic_store(&fleet_world.fail_removals, 2);
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.failed, 1);
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_EXHAUSTED, "limit"); /* it counts until it is gone */
	while (atomic_load(&fleet_world.removals) < 3 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_true(atomic_load(&fleet_world.insisted));
	atomic_store(&fleet_world.fail_creation, 0);
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.created, 1);
	fleet_room_close(&m);
}

static void a_cvm_that_nobody_waits_for_is_removed(void **state)
{
	struct fleet_told told = { .unwanted = true };
	struct fleet_room m;

	fleet_room_fresh(&m, 1);
	fleet_room_create(&m, &told, "");
	while (atomic_load(&fleet_world.removals) < 1 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_null(fleet_find(m.fleet, told.id));
	fleet_room_close(&m);
}

/* Also when the manager is just stopping. */
static void an_abandoned_cvm_is_removed_before_the_end(void **state)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { .unwanted = true };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 1);
	assert_ok(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e);
	fleet_room_close(&m);
	assert_int_equal(told.created, 1);
	assert_int_equal(atomic_load(&fleet_world.removals), 1);
	assert_true(atomic_load(&fleet_world.insisted));
}

static void nothing_new_begins_after_the_end(void **state)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 1);
	fleet_room_create(&m, &told, "");
	fleet_close(m.fleet);
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_UNAVAILABLE, "stopping");
	assert_refused(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e,
		       ERR_UNAVAILABLE, "stopping");
	fleet_room_close(&m);
	assert_int_equal(atomic_load(&fleet_world.removals), 0); /* CVMs stay */
}

static void a_removal_that_libvirt_refuses_leaves_the_cvm_running(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 1);
	fleet_room_create(&m, &told, "");
	atomic_store(&fleet_world.fail_removals, 1);
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e);
	fleet_room_settle(&m);
	assert_int_equal(told.not_removed, 1);
	assert_int_equal(told.e.code, ERR_UNAVAILABLE);
	assert_non_null(fleet_find(m.fleet, told.id));
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e);
	fleet_room_settle(&m);
	assert_int_equal(told.removed, 1);
	fleet_room_close(&m);
}

static void a_removal_that_has_begun_is_finished(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 1);
	fleet_room_create(&m, &told, "");
	atomic_store(&fleet_world.fail_removals, 1);
	atomic_store(&fleet_world.begins_removal, true);
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e);
	fleet_room_settle(&m);
	assert_int_equal(told.not_removed, 1);
	assert_null(fleet_find(m.fleet, told.id));
	while (atomic_load(&fleet_world.removals) < 2 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.created, 2);
	fleet_room_close(&m);
}

static int create_sized(struct fleet_room *m, struct fleet_told *told, uint32_t cpus, uint64_t mib,
			struct err *e)
{
	Manager__CreateReq request = fleet_room_request();

	request.cpus = cpus;
	request.memory = mib << 20;
	return fleet_create(m->fleet, &request, NULL, fleet_room_created, told, e);
}

/* Those count that are being made, that run, and that an earlier manager recorded. */
static void what_cvms_have_together_is_limited(void **state)
{
	struct cvm recorded = { .port = 7150,
				.step = CVM_RUNNING,
				.cpus = 2,
				.memory = (uint64_t)256 << 20,
				.slot = 7,
				.id = "5b1c6d3e-0000-4000-8000-000000000001" };
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_prepare(&m, 8);
	m.config.max_cpus = 4;
	m.config.total_cpus = 9;
	m.config.max_memory = (uint64_t)1024 << 20;
	m.config.total_memory = (uint64_t)2304 << 20;
	assert_ok(registry_add(m.registry, &recorded, &e), e);
	fleet_room_open(&m);
	assert_refused(create_sized(&m, &told, 5, 0, &e), e, ERR_INVALID, "MANAGER_MAX_CPUS");
	assert_refused(create_sized(&m, &told, 0, 1025, &e), e, ERR_INVALID, "MANAGER_MAX_MEMORY");
	assert_ok(create_sized(&m, &told, 4, 1024, &e), e);
	assert_refused(create_sized(&m, &told, 4, 0, &e), e, ERR_EXHAUSTED, "6 of 9");
	fleet_room_settle(&m);
	assert_ok(create_sized(&m, &told, 3, 1023, &e), e);
	fleet_room_settle(&m);
	assert_int_equal(told.created, 2);
	assert_int_equal(fleet_find(m.fleet, told.id)->cpus, 3);
	assert_int_equal(fleet_find(m.fleet, told.id)->memory, (uint64_t)1023 << 20);
	assert_refused(create_sized(&m, &told, 0, 128, &e), e, ERR_EXHAUSTED, "9 of 9");
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e);
	assert_refused(create_sized(&m, &told, 0, 128, &e), e, ERR_EXHAUSTED, "9 of 9");
	fleet_room_settle(&m);
	assert_refused(create_sized(&m, &told, 1, 1025, &e), e, ERR_INVALID, "MANAGER_MAX_MEMORY");
	assert_ok(create_sized(&m, &told, 1, 1024, &e), e);
	fleet_room_settle(&m);
	assert_refused(create_sized(&m, &told, 1, 128, &e), e, ERR_EXHAUSTED, "2304 of 2304");
	fleet_room_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLEET_ROOM_ROW(created_found_and_removed),
		FLEET_ROOM_ROW(the_limit_holds_while_cvms_are_being_made),
		FLEET_ROOM_ROW(a_creation_that_fails_gives_its_place_back),
		FLEET_ROOM_ROW(what_a_failed_creation_left_is_removed_in_the_end),
		FLEET_ROOM_ROW(a_cvm_that_nobody_waits_for_is_removed),
		FLEET_ROOM_ROW(an_abandoned_cvm_is_removed_before_the_end),
		FLEET_ROOM_ROW(nothing_new_begins_after_the_end),
		FLEET_ROOM_ROW(a_removal_that_libvirt_refuses_leaves_the_cvm_running),
		FLEET_ROOM_ROW(a_removal_that_has_begun_is_finished),
		FLEET_ROOM_ROW(what_cvms_have_together_is_limited),
	};

	return cmocka_run_group_tests(tests, fleet_room_make_dir, fleet_room_remove_dir);
}
