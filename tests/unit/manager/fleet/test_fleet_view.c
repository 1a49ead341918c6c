/* SPDX-License-Identifier: Apache-2.0 */
/* What clients see of the fleet: states, names, and revisions without a gap. */
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"
#include "tests/unit/manager/fleet_room.h"

static const struct access_caller an_operator = { .tenant = "" };

static struct vm_view find(struct fleet_room *m, const char *key)
{
	struct vm_view view;

	assert_true(fleet_view_find(m->fleet, &an_operator, key, &view));
	return view;
}

static void create_named(struct fleet_room *m, struct fleet_told *told, const char *name)
{
	Manager__CreateReq request = fleet_room_request();
	struct err e;

	request.name = (char *)(uintptr_t)name;
	assert_ok(fleet_create(m->fleet, &request, NULL, fleet_room_created, told, &e), e);
	fleet_room_settle(m);
}

static void remove_it(struct fleet_room *m, struct fleet_told *told)
{
	struct err e;

	assert_ok(fleet_remove(m->fleet, told->id, fleet_room_removed, told, &e), e);
	fleet_room_settle(m);
}

static void notice(struct fleet_room *m, enum virt_event event, const char *id)
{
	struct virt_notice n = { .event = event };

	snprintf(n.uuid, sizeof(n.uuid), "%s", id);
	fleet_notice(m->fleet, m->hosts.all[0], &n);
}

static void a_cvm_goes_through_its_states(void **state)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct vm_view view;
	uint64_t before;
	struct err e;

	fleet_room_fresh(&m, 2);
	before = fleet_revision(m.fleet);
	request.name = (char *)"ward-7";
	assert_ok(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e);
	view = find(&m, "ward-7");
	assert_int_equal(view.state, VM_CREATING);
	assert_true(view.revision > before);
	before = view.revision;
	fleet_room_settle(&m);
	view = find(&m, told.id);
	assert_int_equal(view.state, VM_RUNNING);
	assert_true(view.revision > before);
	/* Libvirt goes and comes. */
	notice(&m, VIRT_LOST, "");
	assert_int_equal(find(&m, told.id).state, VM_LOST);
	fleet_room_settle(&m);
	snprintf(fleet_world.domains[0].uuid, sizeof(fleet_world.domains[0].uuid), "%s", told.id);
	fleet_world.domain_count = 1;
	notice(&m, VIRT_CONNECTED, "");
	assert_int_equal(find(&m, told.id).state, VM_LOST); /* it has not said so yet */
	fleet_room_settle(&m);
	assert_int_equal(find(&m, told.id).state, VM_RUNNING);
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e);
	view = find(&m, told.id);
	assert_int_equal(view.state, VM_REMOVING);
	assert_int_equal(view.cvm->why, CVM_REMOVED);
	fleet_room_settle(&m);
	view = find(&m, "ward-7");
	assert_int_equal(view.state, VM_EXITED);
	assert_null(view.cvm);
	assert_string_equal(view.gone->id, told.id);
	assert_int_equal(view.gone->why, CVM_REMOVED);
	assert_true(view.gone->exited_ms >= view.gone->created_ms && view.gone->created_ms > 0);
	assert_false(fleet_view_find(m.fleet, &an_operator, "", &view));
	assert_false(fleet_view_find(m.fleet, &an_operator, "ward-8", &view));
	fleet_room_close(&m);
}

static enum cvm_why why_of(struct fleet_room *m, const char *id)
{
	struct vm_view view = find(m, id);

	assert_int_equal(view.state, VM_EXITED);
	return view.gone->why;
}

static void the_first_reason_is_told(void **state)
{
	struct fleet_told told = { 0 }, unwanted = { .unwanted = true }, late = { 0 };
	struct fleet_room m;
	struct vm_view view;
	struct err e;

	fleet_room_fresh(&m, 3);
	fleet_room_create(&m, &told, "");
	notice(&m, VIRT_STOPPED, told.id);
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e);
	fleet_room_settle(&m);
	assert_int_equal(why_of(&m, told.id), CVM_ENDED);
	fleet_room_create(&m, &late, "1h");
	fleet_slot_find(m.fleet, late.id)->ends = 1; /* long ago */
	fleet_slot_wind_up(fleet_slot_find(m.fleet, late.id));
	while (fleet_slot_find(m.fleet, late.id))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_int_equal(why_of(&m, late.id), CVM_EXPIRED);
	fleet_room_create(&m, &unwanted, "");
	while (fleet_slot_find(m.fleet, unwanted.id))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_int_equal(why_of(&m, unwanted.id), CVM_ABANDONED);
	atomic_store(&fleet_world.fail_creation, ERR_UNAVAILABLE);
	fleet_room_create(&m, &told, "");
	assert_int_equal(why_of(&m, fleet_world.created), CVM_FAILED);
	/* One that could not be removed runs on, and has no reason. */
	atomic_store(&fleet_world.fail_creation, 0);
	fleet_room_create(&m, &told, "");
	atomic_store(&fleet_world.fail_removals, 1);
	remove_it(&m, &told);
	view = find(&m, told.id);
	assert_int_equal(view.state, VM_RUNNING);
	assert_int_equal(view.cvm->why, CVM_WHY_NONE);
	fleet_room_close(&m);
}

static void names_are_unique_while_they_are_used(void **state)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 }, second = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 3);
	request.name = (char *)"ward-7";
	assert_ok(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e);
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &second, &e), e,
		       ERR_EXISTS, "ward-7");
	fleet_room_settle(&m);
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &second, &e), e,
		       ERR_EXISTS, "ward-7");
	fleet_room_create(&m, &second, ""); /* without one */
	fleet_room_create(&m, &second, "");
	assert_int_equal(second.created, 2);
	remove_it(&m, &told);
	create_named(&m, &told, "ward-7");
	assert_int_equal(told.created, 2);
	assert_int_equal(find(&m, "ward-7").state, VM_RUNNING); /* not the one that is gone */
	fleet_room_close(&m);
}

/* What a reader who was told everything up to a revision does not know. */
static void changes_come_in_order_and_none_is_missing(void **state)
{
	struct fleet_told one = { 0 }, two = { 0 }, three = { 0 };
	struct fleet_changes changes;
	struct vm_view view;
	struct fleet_room m;
	uint64_t start, last;

	fleet_room_fresh(&m, 3);
	start = fleet_revision(m.fleet);
	fleet_room_create(&m, &one, "");
	fleet_room_create(&m, &two, "");
	remove_it(&m, &one);
	fleet_room_create(&m, &three, ""); /* in the place of the first */
	changes = fleet_changes_after(m.fleet, start);
	assert_true(fleet_changes_next(&changes, &view));
	assert_string_equal(view.cvm->id, two.id);
	last = view.revision;
	assert_true(fleet_changes_next(&changes, &view));
	assert_string_equal(view.gone->id, one.id);
	assert_true(view.revision > last);
	last = view.revision;
	assert_true(fleet_changes_next(&changes, &view));
	assert_string_equal(view.cvm->id, three.id);
	assert_true(view.revision > last);
	assert_int_equal(view.revision, fleet_revision(m.fleet));
	assert_false(fleet_changes_next(&changes, &view));
	changes = fleet_changes_after(m.fleet, last);
	assert_true(fleet_changes_next(&changes, &view));
	assert_string_equal(view.cvm->id, three.id);
	assert_false(fleet_changes_next(&changes, &view));
	changes = fleet_changes_after(m.fleet, fleet_revision(m.fleet));
	assert_false(fleet_changes_next(&changes, &view));
	fleet_room_close(&m);
}

static void too_old_a_revision_is_told(void **state)
{
	struct fleet_changes changes;
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct vm_view view;
	uint64_t start;
	size_t told_of = 0;
	struct err e;

	fleet_room_fresh(&m, 1);
	start = fleet_revision(m.fleet);
	assert_refused(fleet_check_revision(m.fleet, start + 1, &an_operator, &e), e, ERR_INVALID,
		       "not been yet");
	assert_refused(fleet_check_revision(m.fleet, start - 1, &an_operator, &e), e,
		       ERR_OUT_OF_RANGE, "anew");
	for (int i = 0; i < REGISTRY_GONE_MAX; i++) {
		fleet_room_create(&m, &told, "");
		remove_it(&m, &told);
	}
	assert_ok(fleet_check_revision(m.fleet, start, &an_operator, &e), e);
	changes = fleet_changes_after(m.fleet, start);
	while (fleet_changes_next(&changes, &view))
		told_of++;
	assert_int_equal(told_of, REGISTRY_GONE_MAX);
	fleet_room_create(&m, &told, "");
	remove_it(&m, &told); /* the first is forgotten */
	assert_refused(fleet_check_revision(m.fleet, start, &an_operator, &e), e, ERR_OUT_OF_RANGE,
		       "anew");
	assert_ok(fleet_check_revision(m.fleet, fleet_forgotten(m.fleet, &an_operator),
				       &an_operator, &e),
		  e);
	assert_refused(fleet_check_revision(m.fleet, fleet_forgotten(m.fleet, &an_operator) - 1,
					    &an_operator, &e),
		       e, ERR_OUT_OF_RANGE, "anew");
	fleet_room_close(&m);
}

static const struct access_caller mary = { .tenant = "mary" }, paul = { .tenant = "paul" };

static void come_and_go(struct fleet_room *m, const struct access_caller *caller)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct err e;

	assert_ok(fleet_create(m->fleet, &request, caller, fleet_room_created, &told, &e), e);
	fleet_room_settle(m);
	remove_it(m, &told);
}

static unsigned gone_of(struct fleet_room *m, const struct access_caller *caller)
{
	struct vm_view view;
	unsigned count = 0;

	for (size_t i = 0; i < fleet_places(m->fleet); i++)
		count += fleet_view(m->fleet, i, &view) && view.gone &&
			 strcmp(view.gone->owner, caller->tenant) == 0;
	return count;
}

/* However many one tenant makes, another's and the operator's are remembered. */
static void who_makes_many_pushes_out_his_own(void **state)
{
	struct access_caller many = mary, few = paul;
	struct fleet_room m;
	uint64_t start;
	struct err e;

	for (size_t i = 0; i < ACCESS_LIMITS; i++)
		many.limits[i] = few.limits[i] = ACCESS_NO_LIMIT;
	fleet_room_fresh(&m, 1);
	start = fleet_revision(m.fleet);
	come_and_go(&m, &few);
	come_and_go(&m, &an_operator);
	for (int i = 0; i < REGISTRY_GONE_MAX + 5; i++)
		come_and_go(&m, &many);
	assert_int_equal(gone_of(&m, &few), 1);
	assert_int_equal(gone_of(&m, &an_operator), 1);
	assert_int_equal(gone_of(&m, &many), REGISTRY_GONE_MAX - 2);
	/* Nothing that he may see was forgotten. */
	assert_ok(fleet_check_revision(m.fleet, start, &few, &e), e);
	assert_refused(fleet_check_revision(m.fleet, start, &many, &e), e, ERR_OUT_OF_RANGE,
		       "anew");
	assert_refused(fleet_check_revision(m.fleet, start, &an_operator, &e), e, ERR_OUT_OF_RANGE,
		       "anew");
	come_and_go(&m, &few);
	assert_int_equal(gone_of(&m, &few), 2);
	assert_int_equal(gone_of(&m, &many), REGISTRY_GONE_MAX - 3);
	fleet_room_close(&m);
}

/* Changes of before are not known, and what there is has new revisions. */
static void a_restart_begins_anew(void **state)
{
	struct cvm cvm = { .port = 7100, .step = CVM_RUNNING, .cpus = 1, .name = "ward-7" };
	struct cvm half = { .port = 7101, .step = CVM_FILES, .cpus = 1, .slot = 1 };
	struct fleet_room m;
	struct vm_view view;
	uint64_t before;
	struct err e;

	snprintf(cvm.id, sizeof(cvm.id), "5b1c6d3e-0000-4000-8000-000000000001");
	snprintf(half.id, sizeof(half.id), "5b1c6d3e-0000-4000-8000-000000000002");
	fleet_room_fresh(&m, 2);
	before = fleet_revision(m.fleet);
	assert_ok(registry_add(m.registry, &cvm, &e), e);
	assert_ok(registry_add(m.registry, &half, &e), e);
	fleet_room_close(&m);
	fleet_room_fresh(&m, 2);
	assert_refused(fleet_check_revision(m.fleet, before, &an_operator, &e), e, ERR_OUT_OF_RANGE,
		       "anew");
	assert_true(fleet_revision(m.fleet) > before);
	view = find(&m, "ward-7");
	assert_int_equal(view.state, VM_LOST); /* until libvirt has said that it runs */
	view = find(&m, half.id);
	assert_int_equal(view.state, VM_REMOVING);
	assert_int_equal(view.cvm->why, CVM_INTERRUPTED);
	fleet_room_close(&m);
}

struct watcher {
	struct fleet_watcher base; /* first */
	struct fleet *fleet;
	unsigned told, ended;
};

static void on_changed(struct fleet_watcher *watcher)
{
	((struct watcher *)(void *)watcher)->told++;
}

static void on_end(struct fleet_watcher *watcher, const struct err *why)
{
	struct watcher *w = (struct watcher *)(void *)watcher;

	assert_int_equal(why->code, ERR_UNAVAILABLE);
	w->ended++;
	fleet_unwatch(w->fleet, watcher);
}

static void watchers_are_told_and_have_a_limit(void **state)
{
	static struct watcher watchers[FLEET_WATCHERS_MAX + 1];
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 1);
	for (size_t i = 0; i <= FLEET_WATCHERS_MAX; i++)
		watchers[i] =
			(struct watcher){ { .changed = on_changed, .end = on_end }, m.fleet, 0, 0 };
	for (size_t i = 0; i < FLEET_WATCHERS_MAX; i++)
		assert_ok(fleet_watch(m.fleet, &watchers[i].base, &e), e);
	assert_refused(fleet_watch(m.fleet, &watchers[FLEET_WATCHERS_MAX].base, &e), e,
		       ERR_EXHAUSTED, "64 watch already");
	fleet_unwatch(m.fleet, &watchers[0].base);
	assert_ok(fleet_watch(m.fleet, &watchers[FLEET_WATCHERS_MAX].base, &e), e);
	fleet_room_create(&m, &told, "");
	while (!watchers[1].told)
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_int_equal(watchers[0].told, 0);
	assert_true(watchers[FLEET_WATCHERS_MAX].told > 0);
	fleet_end_watches(m.fleet);
	assert_int_equal(watchers[0].ended, 0);
	for (size_t i = 1; i <= FLEET_WATCHERS_MAX; i++)
		assert_int_equal(watchers[i].ended, 1);
	assert_refused(fleet_watch(m.fleet, &watchers[0].base, &e), e, ERR_UNAVAILABLE, "stopping");
	fleet_room_close(&m);
}

static void on_given_away(struct fleet_watcher *watcher, const struct err *why)
{
	struct watcher *w = (struct watcher *)(void *)watcher;

	assert_int_equal(why->code, ERR_EXHAUSTED);
	assert_non_null(strstr(why->text, "another caller has fewer"));
	w->ended++;
	fleet_unwatch(w->fleet, watcher);
}

/* One who took all of them gives one away for each that another one needs, until both have as many. */
static void places_of_watchers_are_shared_by_caller(void **state)
{
	enum { HALF = FLEET_WATCHERS_MAX / 2 };
	static struct watcher first[FLEET_WATCHERS_MAX + 1], second[HALF + 1];
	struct watcher third;
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 1);
	for (size_t i = 0; i <= FLEET_WATCHERS_MAX; i++)
		first[i] = (struct watcher){
			{ .changed = on_changed, .end = on_given_away }, m.fleet, 0, 0
		};
	for (size_t i = 0; i <= HALF; i++) {
		second[i] = first[0];
		second[i].base.source.bytes[0] = 2;
	}
	third = first[0];
	third.base.source.bytes[0] = 3;
	for (size_t i = 0; i < FLEET_WATCHERS_MAX; i++)
		assert_ok(fleet_watch(m.fleet, &first[i].base, &e), e);
	assert_refused(fleet_watch(m.fleet, &first[FLEET_WATCHERS_MAX].base, &e), e, ERR_EXHAUSTED,
		       "64 watch already");
	for (size_t i = 0; i < HALF; i++) {
		assert_int_equal(first[i].ended, 0);
		assert_ok(fleet_watch(m.fleet, &second[i].base, &e), e);
		assert_int_equal(first[i].ended, 1); /* the oldest */
	}
	assert_refused(fleet_watch(m.fleet, &second[HALF].base, &e), e, ERR_EXHAUSTED,
		       "64 watch already");
	assert_int_equal(first[HALF].ended, 0);
	assert_ok(fleet_watch(m.fleet, &third.base, &e),
		  e); /* of two that have as many, the older */
	assert_int_equal(first[HALF].ended, 1);
	assert_int_equal(second[0].ended, 0);
	fleet_unwatch(m.fleet, &third.base);
	for (size_t i = HALF + 1; i < FLEET_WATCHERS_MAX; i++)
		fleet_unwatch(m.fleet, &first[i].base);
	for (size_t i = 0; i < HALF; i++)
		fleet_unwatch(m.fleet, &second[i].base);
	fleet_room_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLEET_ROOM_ROW(a_cvm_goes_through_its_states),
		FLEET_ROOM_ROW(the_first_reason_is_told),
		FLEET_ROOM_ROW(names_are_unique_while_they_are_used),
		FLEET_ROOM_ROW(changes_come_in_order_and_none_is_missing),
		FLEET_ROOM_ROW(too_old_a_revision_is_told),
		FLEET_ROOM_ROW(who_makes_many_pushes_out_his_own),
		FLEET_ROOM_ROW(a_restart_begins_anew),
		FLEET_ROOM_ROW(watchers_are_told_and_have_a_limit),
		FLEET_ROOM_ROW(places_of_watchers_are_shared_by_caller),
	};

	log_set(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, fleet_room_make_dir, fleet_room_remove_dir);
}
