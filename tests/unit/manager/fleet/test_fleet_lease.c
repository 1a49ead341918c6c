/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that come from another manager, and go there. */
#include "manager/fleet/fleet_state.h"
#include "tests/unit/manager/fleet_room.h"

#include <unistd.h>

#define HOST "host other qemu+unix:///system?socket=/o address=127.0.0.2 tees=none\n"
#define URI  "qemu+unix:///system?socket=/o"

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

/* Manager b has the host from now on, until it is closed. */
static struct registry *go_to_another(struct fleet_room *m)
{
	const struct registry_share share = { .name = "b", .lease_ms = LEASE_MAX_MS, .vms_max = 1 };
	struct registry_wish wish = { .host = "other", .uri = URI, .wanted = true };
	struct registry_round found;
	struct registry *b;
	struct err e;

	assert_ok(registry_open_shared(m->config.state_dir, NULL, &share, &b, &e), e);
	assert_ok(registry_lease_release(m->registry, &e), e);
	assert_ok(registry_lease_round(b, &wish, 1, &found, &e), e);
	assert_true(wish.held);
	registry_round_done(&found);
	return b;
}

static void come_back(struct fleet_room *m, struct registry *b)
{
	struct err e;

	assert_ok(registry_lease_release(b, &e), e);
	registry_close(b);
	look(m, true);
	fleet_room_connect(m);
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
	assert_int_equal(fleet_slot_unused(m.fleet, NULL), FLEET_NO_SLOT);
	atomic_store(&fleet_world.fail_creation, 0);
	look(&m, true); /* nobody has any of them */
	fleet_room_create(&m, &told, "");
	fleet_room_create(&m, &told, "");
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.created, 3);
	fleet_room_close(&m);
}

#define STRAY "11111111-2222-4333-8444-555555555555"

static bool is_recorded(const struct fleet_room *m)
{
	struct registry_place place;
	struct err e;

	return registry_whereabouts(m->registry, STRAY, NULL, NULL, &place, &e) == 0;
}

/* Loses the host while an adoption there is recorded: before that, or when it was done. */
static struct registry *lose_while_adopting(struct fleet_room *m, struct fleet_told *told, int when)
{
	char domain[64];
	struct registry *b;
	struct err e;

	open_room(m, 1);
	m->hosts.all[0]->is_local = true; /* its libvirt is a stand-in, which needs no connection */
	snprintf(domain, sizeof(domain), "cocos-%s-0", registry_tag(m->registry));
	fleet_room_leave(m, STRAY, domain);
	snprintf(fleet_world.domains[0].host, sizeof(fleet_world.domains[0].host), "other");
	fleet_world.saved = (struct cvm){ .id = STRAY,
					  .host = "other",
					  .step = CVM_RUNNING,
					  .port = 7150,
					  .cpus = 1,
					  .memory = (uint64_t)192 << 20,
					  .cpu_type = "EPYC",
					  .image = "base" };
	fleet_room_connect(m);
	atomic_store(&fleet_world.hangs_records, when);
	assert_ok(fleet_adopt(m->fleet, STRAY, fleet_room_adopted, told, &e), e);
	while (!fleet_slot_find(m->fleet, STRAY) && !told->not_adopted)
		uv_run(&m->loop, UV_RUN_ONCE);
	if (told->not_adopted)
		fail_msg("%s", told->e.text);
	if (when == 2)
		while (!is_recorded(m))
			usleep(1000);
	b = go_to_another(m);
	look(m, false);
	atomic_store(&fleet_world.hangs_records, 0);
	fleet_room_settle(m);
	assert_int_equal(told->not_adopted, 1);
	assert_null(fleet_slot_find(m->fleet, STRAY));
	return b;
}

static void an_adoption_whose_host_went_spoils_no_slot(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct registry *b = lose_while_adopting(&m, &told, 1);

	assert_true(stray_has_folder(&m.lifecycle, STRAY)); /* it can still be adopted */
	fleet_world.domain_count = 0;
	come_back(&m, b);
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.created, 1);
	fleet_room_close(&m);
}

static void an_adopted_cvm_whose_host_went_comes_back_with_it(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct registry *b = lose_while_adopting(&m, &told, 2);

	come_back(&m, b);
	assert_non_null(fleet_find(m.fleet, STRAY));
	fleet_room_close(&m);
}

/* It may be another one's CVM by now, that was adopted there; this manager has not heard yet that it lost the host. */
static void who_lost_the_host_removes_no_stray_there(void **state)
{
	struct fleet_told told = { 0 };
	char domain[64];
	struct fleet_room m;
	struct err e;

	open_room(&m, 1);
	m.hosts.all[0]->is_local = true;
	snprintf(domain, sizeof(domain), "cocos-%s-0", registry_tag(m.registry));
	fleet_room_leave(&m, STRAY, domain);
	snprintf(fleet_world.domains[0].host, sizeof(fleet_world.domains[0].host), "other");
	registry_close(go_to_another(&m));
	assert_true(holds(&m));
	assert_ok(fleet_remove(m.fleet, STRAY, fleet_room_removed, &told, &e), e);
	fleet_room_settle(&m);
	assert_int_equal(told.not_removed, 1);
	assert_int_equal(told.e.code, ERR_UNAVAILABLE);
	assert_int_equal(fleet_world.stops, 0);
	assert_true(stray_has_folder(&m.lifecycle, STRAY));
	fleet_room_close(&m);
}

/* How many CVMs a list shows that are not gone. */
static unsigned shown(const struct fleet_room *m)
{
	struct vm_view view;
	unsigned count = 0;

	for (size_t i = 0; i < fleet_places(m->fleet); i++)
		count += fleet_view(m->fleet, i, &view) && view.state != VM_EXITED;
	return count;
}

/* The host goes while a job hangs there; who lists then, as every watcher has to, would keep a CVM for ever whose end
 * nobody tells. */
static void lose_while_it_hangs(struct fleet_room *m, atomic_int *begun)
{
	struct registry *b;

	while (atomic_load(begun) == 0)
		usleep(1000);
	assert_int_equal(shown(m), 1);
	b = go_to_another(m);
	look(m, false);
	assert_int_equal(shown(m), 0);
	atomic_store(&fleet_world.hangs_steps, false);
	fleet_room_settle(m);
	assert_int_equal(shown(m), 0);
	come_back(m, b);
}

static void what_is_made_where_the_host_went_is_shown_no_more(void **state)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, 1);
	atomic_store(&fleet_world.hangs_steps, true);
	assert_ok(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e);
	lose_while_it_hangs(&m, &fleet_world.creations);
	assert_int_equal(told.failed, 1);
	fleet_room_close(&m);
}

static void what_is_removed_where_the_host_went_is_shown_no_more(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, 1);
	fleet_room_create(&m, &told, "");
	atomic_store(&fleet_world.hangs_steps, true);
	atomic_store(&fleet_world.fail_removals, 1);
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e);
	lose_while_it_hangs(&m, &fleet_world.removals);
	assert_int_equal(told.not_removed, 1);
	fleet_room_close(&m);
}

static void on_where(void *data, const struct err *e)
{
	assert_int_equal(e->code, ERR_NOT_FOUND);
	++*(unsigned *)data;
}

/* Of calls that the database answers, so that rounds are in time whoever calls. */
static void each_tenant_looks_for_a_few_cvms_at_a_time(void **state)
{
	const struct access_caller loud = { .tenant = "loud" },
				   other = { .tenant = "other" }, operator= { .tenant = "" };
	unsigned asked = 0, told = 0;
	struct fleet_room m;
	struct err e;

	open_room(&m, 1);
	while (asked < 1000 && fleet_where(m.fleet, &loud, STRAY, on_where, &told, &e) == 0)
		asked++;
	assert_in_range(asked, 1, 64);
	assert_int_equal(e.code, ERR_EXHAUSTED);
	assert_ok(fleet_where(m.fleet, &other, STRAY, on_where, &told, &e), e);
	assert_ok(fleet_where(m.fleet, &operator, STRAY, on_where, &told, &e), e);
	fleet_room_settle(&m);
	assert_int_equal(told, asked + 2);
	assert_ok(fleet_where(m.fleet, &loud, STRAY, on_where, &told, &e), e);
	fleet_room_settle(&m);
	fleet_room_close(&m);
}

/* How often that is said while the registry is looked at so many times. */
static unsigned said_in(struct fleet_room *m, unsigned looks, const char *words)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	unsigned count = 0;
	char line[1024];

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	for (unsigned i = 0; i < looks; i++)
		look(m, true);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, words) != NULL;
	fclose(file);
	return count;
}

static void drop_at_another(struct fleet_room *m, const char *name)
{
	const struct registry_share share = { .name = "b", .lease_ms = LEASE_MAX_MS, .vms_max = 1 };
	struct registry_wish wish = { .uri = "qemu:///system", .wanted = true };
	struct registry_round found;
	struct registry *b;
	struct err e;

	snprintf(wish.host, sizeof(wish.host), "%s", name);
	assert_ok(registry_open_shared(m->config.state_dir, NULL, &share, &b, &e), e);
	assert_ok(registry_lease_round(b, &wish, 1, &found, &e), e);
	registry_round_done(&found);
	assert_ok(registry_host_drop(b, name, &e), e);
	assert_ok(registry_lease_release(b, &e), e);
	registry_close(b);
}

static void each_host_that_is_none_of_ours_is_said_once(void **state)
{
	static const struct registry_host theirs[] = {
		{ .name = "one", .uri = "qemu:///system", .words = "tees=none" },
		{ .name = "two", .uri = "qemu:///system", .words = "tees=none" },
		{ .name = "three", .uri = URI, .words = "tees=none address=127.0.0.3" },
	};
	struct fleet_room m;
	struct err e;

	open_room(&m, 1);
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++)
		assert_ok(registry_host_add(m.registry, &theirs[i], &e), e);
	assert_int_equal(said_in(&m, 3, "is not taken here"), 3);
	assert_int_equal(m.fleet->host_count, 1);
	assert_int_equal(said_in(&m, 3, "is not taken here"), 0);
	drop_at_another(&m, "two");
	assert_int_equal(said_in(&m, 1, "is not taken here"), 0);
	assert_ok(registry_host_add(m.registry, &theirs[1], &e), e);
	assert_int_equal(said_in(&m, 2, "host two, which was added"), 1);
	fleet_room_close(&m);
}

#define FAR "qemu+unix:///system?socket=/far"

/* On a host of its own manager b has a CVM of tenant alpha's, with two processors. */
static struct registry *has_one(struct fleet_room *m)
{
	const struct registry_share share = { .name = "b", .lease_ms = LEASE_MAX_MS, .vms_max = 1 };
	struct registry_wish wish = { .host = "far", .uri = FAR, .wanted = true };
	struct cvm cvm = { .id = STRAY,
			   .owner = "alpha",
			   .host = "far",
			   .step = CVM_RUNNING,
			   .slot = 2,
			   .port = 7152,
			   .cpus = 2,
			   .memory = (uint64_t)192 << 20,
			   .cpu_type = "EPYC",
			   .image = "base" };
	struct registry_round found;
	struct registry *b;
	struct err e;

	assert_ok(registry_open_shared(m->config.state_dir, NULL, &share, &b, &e), e);
	assert_ok(registry_lease_round(b, &wish, 1, &found, &e), e);
	assert_true(wish.held);
	registry_round_done(&found);
	assert_ok(registry_add(b, &cvm, &e), e);
	look(m, true);
	return b;
}

static int create_as(struct fleet_room *m, const struct access_caller *caller, struct err *e)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	int code = fleet_create(m->fleet, &request, caller, fleet_room_created, &told, e);

	if (code == 0)
		fleet_room_settle(m);
	assert_int_equal(told.created, code == 0);
	return code;
}

static void what_another_manager_has_counts(void **state)
{
	struct access_caller alpha = { .tenant = "alpha", .limits = { 1, 8, ACCESS_NO_LIMIT } },
			     beta = { .tenant = "beta", .limits = { 1, 8, ACCESS_NO_LIMIT } };
	struct fleet_room m;
	struct registry *b;
	struct err e;

	open_room(&m, 2);
	b = has_one(&m);
	assert_int_equal(create_as(&m, &alpha, &e), -ERR_EXHAUSTED);
	assert_non_null(strstr(e.text, "tenant alpha has 1 of 1 cvms"));
	alpha.limits[ACCESS_CVMS] = 9;
	alpha.limits[ACCESS_CPUS] = 2;
	assert_int_equal(create_as(&m, &alpha, &e), -ERR_EXHAUSTED);
	assert_non_null(strstr(e.text, "tenant alpha has 2 of 2 cpus"));
	m.config.total_cpus = 2;
	assert_int_equal(create_as(&m, NULL, &e), -ERR_EXHAUSTED);
	assert_non_null(strstr(e.text, "cpus: 1 are asked for, and 2 of 2 are used"));
	m.config.total_cpus = 0;
	assert_ok(create_as(&m, &beta, &e), e);
	assert_int_equal(create_as(&m, NULL, &e), -ERR_EXHAUSTED);
	assert_non_null(strstr(e.text, "2 CVMs exist"));
	assert_ok(registry_lease_release(b, &e), e);
	registry_close(b);
	fleet_room_close(&m);
}

static void on_told(void *data, const struct err *e)
{
	*(struct err *)data = *e;
}

static enum err_code where(struct fleet_room *m, const char *tenant, const char *key, struct err *e)
{
	struct access_caller caller = { .tenant = "" };

	snprintf(caller.tenant, sizeof(caller.tenant), "%s", tenant);
	assert_ok(fleet_where(m->fleet, &caller, key, on_told, e, e), *e);
	fleet_room_settle(m);
	return e->code;
}

/* Who has it, and that it is there at all, is said to nobody but its owner and operators. */
static void where_a_cvm_is_its_owner_learns_alone(void **state)
{
	struct fleet_room m;
	struct registry *b;
	struct err e;

	open_room(&m, 1);
	b = has_one(&m);
	assert_int_equal(where(&m, "alpha", STRAY, &e), ERR_PRECONDITION);
	assert_non_null(strstr(e.text, "manager b has it by now"));
	assert_int_equal(where(&m, "", STRAY, &e), ERR_PRECONDITION);
	assert_int_equal(where(&m, "beta", STRAY, &e), ERR_NOT_FOUND);
	assert_string_equal(e.text, "no CVM '" STRAY "'");
	assert_ok(registry_lease_release(b, &e), e);
	assert_int_equal(where(&m, "alpha", STRAY, &e), ERR_UNAVAILABLE);
	assert_int_equal(where(&m, "beta", STRAY, &e), ERR_NOT_FOUND);
	registry_close(b);
	fleet_room_close(&m);
}

static void on_host_changed(void *data, const struct host_left *left, const struct err *e)
{
	*(struct err *)data = e ? *e : (struct err){ .code = ERR_OK };
}

/* Whoever holds it has the words on what runs there; and this machine is another one to each of them. */
static void a_host_that_another_holds_is_not_ours_to_remove(void **state)
{
	struct fleet_room m;
	struct registry *b;
	struct err e, told;

	open_room(&m, 1);
	assert_refused(fleet_host_add(m.fleet, "here", "qemu:///system", "tees=none",
				      on_host_changed, &told, &e),
		       e, ERR_PRECONDITION, "another machine to each manager");
	assert_ok(fleet_host_add(m.fleet, "far", FAR, "tees=none address=127.0.0.3",
				 on_host_changed, &told, &e),
		  e);
	fleet_room_settle(&m);
	assert_int_equal(told.code, ERR_OK);
	b = has_one(&m);
	assert_refused(fleet_host_remove(m.fleet, "far", on_host_changed, &told, &e), e,
		       ERR_PRECONDITION, "manager b holds host far");
	assert_ok(registry_lease_release(b, &e), e);
	registry_close(b);
	fleet_room_close(&m);
}

/* What it would find room for has nowhere to be. */
static void who_holds_no_host_makes_nothing(void **state)
{
	struct fleet_room m;
	struct registry *b;
	struct err e;

	open_room(&m, 1);
	b = go_to_another(&m);
	look(&m, false);
	assert_int_equal(create_as(&m, NULL, &e), -ERR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "this manager holds no host now"));
	come_back(&m, b);
	assert_ok(create_as(&m, NULL, &e), e);
	fleet_room_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLEET_ROOM_ROW(a_slot_that_another_manager_had_is_free_again),
		FLEET_ROOM_ROW(an_adoption_whose_host_went_spoils_no_slot),
		FLEET_ROOM_ROW(an_adopted_cvm_whose_host_went_comes_back_with_it),
		FLEET_ROOM_ROW(who_lost_the_host_removes_no_stray_there),
		FLEET_ROOM_ROW(what_is_made_where_the_host_went_is_shown_no_more),
		FLEET_ROOM_ROW(what_is_removed_where_the_host_went_is_shown_no_more),
		FLEET_ROOM_ROW(each_host_that_is_none_of_ours_is_said_once),
		FLEET_ROOM_ROW(each_tenant_looks_for_a_few_cvms_at_a_time),
		FLEET_ROOM_ROW(what_another_manager_has_counts),
		FLEET_ROOM_ROW(where_a_cvm_is_its_owner_learns_alone),
		FLEET_ROOM_ROW(a_host_that_another_holds_is_not_ours_to_remove),
		FLEET_ROOM_ROW(who_holds_no_host_makes_nothing),
	};

	return cmocka_run_group_tests(tests, fleet_room_make_dir, fleet_room_remove_dir);
}
