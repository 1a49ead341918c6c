/* SPDX-License-Identifier: Apache-2.0 */
/* Health: a manager serves while libvirt is there and the image is whole, and says when it changes. */
#include "manager/fleet/fleet_state.h"
#include "tests/unit/manager/fleet_room.h"

static unsigned changes;
static bool is_serving;

static void on_changed(void *data, bool serving)
{
	assert_ptr_equal(data, &changes);
	changes++;
	is_serving = serving;
}

static void notice(struct fleet_room *m, enum virt_event event)
{
	const struct virt_notice n = { .event = event };

	fleet_notice(m->fleet, m->hosts.all[0], &n);
	fleet_room_settle(m);
}

static void look(struct fleet_room *m, bool lacks_image)
{
	atomic_store(&fleet_world.lacks_image, lacks_image);
	fleet_health_look(m->fleet);
	while (fleet_is_busy(m->fleet))
		uv_run(&m->loop, UV_RUN_ONCE);
}

static void open_serving(struct fleet_room *m)
{
	changes = 0;
	fleet_room_fresh(m, 1);
	assert_false(fleet_health(m->fleet, on_changed, &changes));
	notice(m, VIRT_CONNECTED);
	assert_int_equal(changes, 1);
	assert_true(is_serving);
	notice(m, VIRT_CONNECTED); /* again: nothing has changed */
	assert_int_equal(changes, 1);
}

static void without_libvirt_it_does_not_serve(void **state)
{
	struct fleet_room m;

	open_serving(&m);
	notice(&m, VIRT_LOST);
	assert_int_equal(changes, 2);
	assert_false(is_serving);
	notice(&m, VIRT_CONNECTED);
	assert_int_equal(changes, 3);
	assert_true(is_serving);
	fleet_room_close(&m);
}

static void without_an_image_it_does_not_serve(void **state)
{
	struct fleet_room m;

	open_serving(&m);
	look(&m, false);
	assert_int_equal(changes, 1);
	look(&m, true);
	look(&m, true);
	assert_int_equal(changes, 2);
	assert_false(is_serving);
	/* Both have to be there. */
	notice(&m, VIRT_LOST);
	look(&m, false);
	assert_int_equal(changes, 2);
	notice(&m, VIRT_CONNECTED);
	assert_int_equal(changes, 3);
	assert_true(is_serving);
	fleet_room_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLEET_ROOM_ROW(without_libvirt_it_does_not_serve),
		FLEET_ROOM_ROW(without_an_image_it_does_not_serve),
	};

	return cmocka_run_group_tests(tests, fleet_room_make_dir, fleet_room_remove_dir);
}
