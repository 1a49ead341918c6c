/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that come from another manager, and go there. */
#include "manager/fleet/fleet_state.h"
#include "tests/unit/manager/fleet_room.h"

#define HOST "host other qemu+unix:///system?socket=/o address=127.0.0.2 tees=none\n"

static void open_room(struct fleet_room *m, unsigned max_vms)
{
	fleet_room_prepare_shared(m, max_vms, HOST);
	fleet_room_open(m);
	fleet_room_connect(m);
}

static bool holds(struct fleet_room *m)
{
	return fleet_host_named(m->fleet, "other")->held;
}

/* The next look at the registry, now. */
static void look(struct fleet_room *m, bool held)
{
	m->fleet->lease.timer_cb(&m->fleet->lease);
	while (m->fleet->in_round)
		uv_run(&m->loop, UV_RUN_ONCE);
	assert_int_equal(holds(m), held);
}

static void a_slot_that_another_manager_had_is_free_again(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;

	open_room(&m, 3);
	atomic_store(&fleet_world.fail_creation, ERR_ABORTED);
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.failed, 1);
	assert_int_equal(fleet_world.creations, 3); /* in each slot; or else with another port */
	assert_null(fleet_slot_unused(m.fleet, NULL));
	atomic_store(&fleet_world.fail_creation, 0);
	look(&m, true); /* nobody has any of them */
	fleet_room_create(&m, &told, "");
	fleet_room_create(&m, &told, "");
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.created, 3);
	fleet_room_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLEET_ROOM_ROW(a_slot_that_another_manager_had_is_free_again),
	};

	return cmocka_run_group_tests(tests, fleet_room_make_dir, fleet_room_remove_dir);
}
