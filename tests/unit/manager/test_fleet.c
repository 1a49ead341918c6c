/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet on a loop of its own, over steps and a libvirt that do as each test tells them. */
#include "tests/unit.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/rpc/job.h"
#include "manager/fleet.h"

#include <stdatomic.h>
#include <time.h>

/* What the world outside answers. */
static struct {
	atomic_int creations, removals, connects, stops;
	atomic_int fail_creation; /* a code; 0 succeeds */
	atomic_int leave_step;	  /* a failed creation leaves this behind */
	atomic_int fail_removals; /* so many times, with UNAVAILABLE */
	atomic_bool begins_removal; /* a removal that fails has recorded its beginning */
	atomic_int fail_connects;
	atomic_bool insisted;
	char stopped[VIRT_UUID_LEN + 1], created[CVM_ID_LEN + 1];
	struct virt_domain domains[4];
	size_t domain_count;
} world;

int __wrap_lifecycle_create(struct lifecycle *l, const struct order *order, struct cvm *cvm,
			    struct err *e);
int __wrap_lifecycle_remove(struct lifecycle *l, struct cvm *cvm, bool insist, struct err *e);
int __wrap_virt_connect(struct virt *v, struct err *e);
int __wrap_virt_stop(struct virt *v, const char *uuid, struct err *e);
int __wrap_virt_list(struct virt *v, const char *prefix, struct virt_domain **domains,
		     size_t *count, struct err *e);
int __wrap_rpc_job_start(uv_loop_t *loop, void (*work)(void *data), void (*done)(void *data),
			 void *data, struct err *e);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_clock_gettime(clockid_t clock, struct timespec *now);

static time_t clock_step; /* by how many seconds somebody has set the wall clock */

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = __real_clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += clock_step;
	return r;
}

int __wrap_lifecycle_create(struct lifecycle *l, const struct order *order, struct cvm *cvm,
			    struct err *e)
{
	int code = atomic_load(&world.fail_creation);

	memcpy(world.created, cvm->id, sizeof(world.created));
	atomic_fetch_add(&world.creations, 1);
	if (code) {
		cvm->step = (enum cvm_step)atomic_load(&world.leave_step);
		return err_set(e, (enum err_code)code, "as told");
	}
	cvm->step = CVM_RUNNING;
	cvm->port = (uint16_t)(7100 + cvm->slot);
	return 0;
}

int __wrap_lifecycle_remove(struct lifecycle *l, struct cvm *cvm, bool insist, struct err *e)
{
	atomic_fetch_add(&world.removals, 1);
	atomic_store(&world.insisted, insist);
	if (atomic_load(&world.fail_removals) > 0) {
		atomic_fetch_sub(&world.fail_removals, 1);
		if (insist || atomic_load(&world.begins_removal))
			cvm->step = CVM_STOPPING;
		return err_set(e, ERR_UNAVAILABLE, "as told");
	}
	return 0;
}

int __wrap_virt_connect(struct virt *v, struct err *e)
{
	atomic_fetch_add(&world.connects, 1);
	if (atomic_load(&world.fail_connects) > 0) {
		atomic_fetch_sub(&world.fail_connects, 1);
		return err_set(e, ERR_UNAVAILABLE, "as told");
	}
	return 0;
}

int __wrap_virt_stop(struct virt *v, const char *uuid, struct err *e)
{
	snprintf(world.stopped, sizeof(world.stopped), "%s", uuid);
	atomic_fetch_add(&world.stops, 1);
	return 0;
}

int __wrap_virt_list(struct virt *v, const char *prefix, struct virt_domain **domains,
		     size_t *count, struct err *e)
{
	*domains = calloc(4, sizeof(**domains));
	memcpy(*domains, world.domains, sizeof(world.domains));
	*count = world.domain_count;
	return 0;
}

struct queued {
	uv_work_t work;
	void (*run)(void *data);
	void (*done)(void *data);
	void *data;
};

static void queued_run(uv_work_t *work)
{
	struct queued *q = work->data;

	q->run(q->data);
}

static void queued_done(uv_work_t *work, int status)
{
	struct queued *q = work->data;

	q->done(q->data);
	free(q);
}

int __wrap_rpc_job_start(uv_loop_t *loop, void (*work)(void *data), void (*done)(void *data),
			 void *data, struct err *e)
{
	struct queued *q = malloc(sizeof(*q));

	*q = (struct queued){ .run = work, .done = done, .data = data };
	q->work.data = q;
	return uv_queue_work(loop, &q->work, queued_run, queued_done) < 0 ? err_nomem(e) : 0;
}

static char dir[] = "/dev/shm/cocos-test-fleet-XXXXXX";

struct manager {
	uv_loop_t loop;
	struct config config;
	struct registry *registry;
	struct ports *ports;
	struct lifecycle lifecycle;
	struct fleet *fleet;
};

/* What the callbacks were told. */
struct told {
	unsigned created, failed, removed, not_removed;
	bool unwanted;
	char id[CVM_ID_LEN + 1];
	struct err e;
};

static bool on_created(void *data, const struct cvm *cvm, const struct err *e)
{
	struct told *told = data;

	if (cvm) {
		told->created++;
		memcpy(told->id, cvm->id, sizeof(told->id));
	} else {
		told->failed++;
		told->e = *e;
	}
	return !told->unwanted;
}

static void on_removed(void *data, const struct err *e)
{
	struct told *told = data;

	if (e) {
		told->not_removed++;
		told->e = *e;
	} else {
		told->removed++;
	}
}

static void prepare(struct manager *m, unsigned max_vms)
{
	char path[128];
	struct err e;

	memset(&world, 0, sizeof(world));
	snprintf(path, sizeof(path), "%s/registry.db", dir);
	*m = (struct manager){ .config = { .max_vms = max_vms } };
	uv_loop_init(&m->loop);
	assert_ok(registry_open(path, &m->registry, &e), e);
	assert_ok(ports_new("127.0.0.1", 7100, 7199, &m->ports, &e), e);
	m->lifecycle = (struct lifecycle){ .config = &m->config, .registry = m->registry,
					   .ports = m->ports };
}

static void open_fleet(struct manager *m)
{
	struct err e;

	assert_ok(fleet_new(&m->loop, &m->lifecycle, &m->fleet, &e), e);
}

static void fresh_fleet(struct manager *m, unsigned max_vms)
{
	prepare(m, max_vms);
	open_fleet(m);
}

static int remove_registry(void **state)
{
	char path[128];

	static const char *const names[] = { "registry.db", "registry.db-wal", "registry.db-shm" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return 0;
}

static void close_all(struct manager *m)
{
	fleet_close(m->fleet);
	while (fleet_is_busy(m->fleet))
		uv_run(&m->loop, UV_RUN_ONCE);
	fleet_free(m->fleet);
	uv_run(&m->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&m->loop), 0);
	ports_free(m->ports);
	registry_close(m->registry);
}

/* Runs the loop until no job is under way and no timer is due at once. */
static void settle(struct manager *m)
{
	do
		uv_run(&m->loop, UV_RUN_ONCE);
	while (fleet_is_busy(m->fleet));
}

static Manager__CreateReq some_request(void)
{
	Manager__CreateReq request = MANAGER__CREATE_REQ__INIT;

	request.agent_cvm_server_url = (char *)"10.0.2.2:7001";
	return request;
}

static void create(struct manager *m, struct told *told, const char *ttl)
{
	Manager__CreateReq request = some_request();
	struct err e;

	request.ttl = (char *)ttl;
	assert_ok(fleet_create(m->fleet, &request, on_created, told, &e), e);
	settle(m);
}

static void created_found_and_removed(void **state)
{
	struct told told = { 0 };
	struct manager m;
	struct err e;

	fresh_fleet(&m, 2);
	create(&m, &told, "");
	assert_int_equal(told.created, 1);
	assert_non_null(fleet_find(m.fleet, told.id));
	assert_null(fleet_find(m.fleet, "3b1f8a10-1111-4222-8333-000000000001"));
	assert_ok(fleet_remove(m.fleet, told.id, on_removed, &told, &e), e);
	assert_null(fleet_find(m.fleet, told.id));
	assert_ok(fleet_remove(m.fleet, told.id, on_removed, &told, &e), e); /* joins the first */
	settle(&m);
	assert_int_equal(told.removed, 2);
	assert_int_equal(atomic_load(&world.removals), 1);
	assert_refused(fleet_remove(m.fleet, told.id, on_removed, &told, &e), e, ERR_NOT_FOUND,
		       told.id);
	assert_refused(fleet_remove(m.fleet, "", on_removed, &told, &e), e, ERR_NOT_FOUND, "no CVM");
	close_all(&m);
}

static void the_limit_holds_while_cvms_are_being_made(void **state)
{
	Manager__CreateReq request = some_request();
	struct told told = { 0 };
	struct manager m;
	struct err e;

	fresh_fleet(&m, 3);
	for (int i = 0; i < 3; i++)
		assert_ok(fleet_create(m.fleet, &request, on_created, &told, &e), e);
	assert_refused(fleet_create(m.fleet, &request, on_created, &told, &e), e, ERR_EXHAUSTED,
		       "MANAGER_MAX_VMS");
	settle(&m);
	assert_int_equal(told.created, 3);
	assert_refused(fleet_create(m.fleet, &request, on_created, &told, &e), e, ERR_EXHAUSTED,
		       "MANAGER_MAX_VMS");
	assert_ok(fleet_remove(m.fleet, told.id, on_removed, &told, &e), e);
	settle(&m);
	create(&m, &told, "");
	assert_int_equal(told.created, 4);
	/* What is wrong with a request is said first. */
	request.agent_cvm_server_url = (char *)"";
	assert_refused(fleet_create(m.fleet, &request, on_created, &told, &e), e, ERR_INVALID,
		       "agent_cvm_server_url");
	close_all(&m);
}

static void a_creation_that_fails_gives_its_place_back(void **state)
{
	struct told told = { 0 };
	struct manager m;

	fresh_fleet(&m, 1);
	atomic_store(&world.fail_creation, ERR_UNAVAILABLE);
	for (int i = 0; i < 3; i++)
		create(&m, &told, "");
	assert_int_equal(told.failed, 3);
	assert_int_equal(told.e.code, ERR_UNAVAILABLE);
	atomic_store(&world.fail_creation, 0);
	create(&m, &told, "");
	assert_int_equal(told.created, 1);
	close_all(&m);
}

static void what_a_failed_creation_left_is_removed_in_the_end(void **state)
{
	Manager__CreateReq request = some_request();
	struct told told = { 0 };
	struct manager m;
	struct err e;

	fresh_fleet(&m, 1);
	atomic_store(&world.fail_creation, ERR_UNAVAILABLE);
	atomic_store(&world.leave_step, CVM_DOMAIN);
	atomic_store(&world.fail_removals, 2);
	create(&m, &told, "");
	assert_int_equal(told.failed, 1);
	assert_refused(fleet_create(m.fleet, &request, on_created, &told, &e), e, ERR_EXHAUSTED,
		       "limit"); /* it counts until it is gone */
	while (atomic_load(&world.removals) < 3 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_true(atomic_load(&world.insisted));
	atomic_store(&world.fail_creation, 0);
	create(&m, &told, "");
	assert_int_equal(told.created, 1);
	close_all(&m);
}

static void a_cvm_that_nobody_waits_for_is_removed(void **state)
{
	struct told told = { .unwanted = true };
	struct manager m;

	fresh_fleet(&m, 1);
	create(&m, &told, "");
	while (atomic_load(&world.removals) < 1 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_null(fleet_find(m.fleet, told.id));
	close_all(&m);
}

/* Also when the manager is just stopping. */
static void an_abandoned_cvm_is_removed_before_the_end(void **state)
{
	Manager__CreateReq request = some_request();
	struct told told = { .unwanted = true };
	struct manager m;
	struct err e;

	fresh_fleet(&m, 1);
	assert_ok(fleet_create(m.fleet, &request, on_created, &told, &e), e);
	close_all(&m);
	assert_int_equal(told.created, 1);
	assert_int_equal(atomic_load(&world.removals), 1);
	assert_true(atomic_load(&world.insisted));
}

static void nothing_new_begins_after_the_end(void **state)
{
	Manager__CreateReq request = some_request();
	struct told told = { 0 };
	struct manager m;
	struct err e;

	fresh_fleet(&m, 1);
	create(&m, &told, "");
	fleet_close(m.fleet);
	assert_refused(fleet_create(m.fleet, &request, on_created, &told, &e), e, ERR_UNAVAILABLE,
		       "stopping");
	assert_refused(fleet_remove(m.fleet, told.id, on_removed, &told, &e), e, ERR_UNAVAILABLE,
		       "stopping");
	close_all(&m);
	assert_int_equal(atomic_load(&world.removals), 0); /* CVMs stay */
}

static void a_removal_that_libvirt_refuses_leaves_the_cvm_running(void **state)
{
	struct told told = { 0 };
	struct manager m;
	struct err e;

	fresh_fleet(&m, 1);
	create(&m, &told, "");
	atomic_store(&world.fail_removals, 1);
	assert_ok(fleet_remove(m.fleet, told.id, on_removed, &told, &e), e);
	settle(&m);
	assert_int_equal(told.not_removed, 1);
	assert_int_equal(told.e.code, ERR_UNAVAILABLE);
	assert_non_null(fleet_find(m.fleet, told.id));
	assert_ok(fleet_remove(m.fleet, told.id, on_removed, &told, &e), e);
	settle(&m);
	assert_int_equal(told.removed, 1);
	close_all(&m);
}

static void a_removal_that_has_begun_is_finished(void **state)
{
	struct told told = { 0 };
	struct manager m;
	struct err e;

	fresh_fleet(&m, 1);
	create(&m, &told, "");
	atomic_store(&world.fail_removals, 1);
	atomic_store(&world.begins_removal, true);
	assert_ok(fleet_remove(m.fleet, told.id, on_removed, &told, &e), e);
	settle(&m);
	assert_int_equal(told.not_removed, 1);
	assert_null(fleet_find(m.fleet, told.id));
	while (atomic_load(&world.removals) < 2 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	create(&m, &told, "");
	assert_int_equal(told.created, 2);
	close_all(&m);
}

static void notice(struct manager *m, enum virt_event event, const char *uuid, const char *name)
{
	struct virt_notice n = { .event = event };

	snprintf(n.uuid, sizeof(n.uuid), "%s", uuid);
	snprintf(n.name, sizeof(n.name), "%s", name);
	fleet_notice(m->fleet, &n);
}

static void a_cvm_whose_machine_ended_is_cleaned_up(void **state)
{
	struct told told = { 0 };
	struct manager m;

	fresh_fleet(&m, 1);
	create(&m, &told, "");
	notice(&m, VIRT_STOPPED, "3b1f8a10-1111-4222-8333-000000000001", "other");
	assert_non_null(fleet_find(m.fleet, told.id));
	notice(&m, VIRT_STOPPED, told.id, "x");
	assert_null(fleet_find(m.fleet, told.id));
	settle(&m);
	assert_int_equal(atomic_load(&world.removals), 1);
	create(&m, &told, "");
	assert_int_equal(told.created, 2);
	close_all(&m);
}

/* The machine ends between its start and the end of the job: its notice comes first. */
static void a_cvm_that_ends_at_once_is_not_reported_as_created(void **state)
{
	Manager__CreateReq request = some_request();
	struct told told = { 0 };
	struct manager m;
	struct err e;

	fresh_fleet(&m, 1);
	settle(&m);
	assert_ok(fleet_create(m.fleet, &request, on_created, &told, &e), e);
	while (!atomic_load(&world.creations)) /* the job is done, the loop does not know it yet */
		usleep(1000);
	notice(&m, VIRT_STOPPED, world.created, "x");
	settle(&m);
	assert_int_equal(told.created, 0);
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.e.code, ERR_ABORTED);
	assert_int_equal(atomic_load(&world.removals), 1);
	close_all(&m);
}

static void domains_are_compared_when_libvirt_is_back(void **state)
{
	static const char orphan[] = "3b1f8a10-1111-4222-8333-000000000009";
	struct told one = { 0 }, two = { 0 };
	struct manager m;

	fresh_fleet(&m, 3);
	create(&m, &one, "");
	create(&m, &two, "");
	strcpy(world.domains[0].uuid, two.id);
	strcpy(world.domains[1].uuid, orphan);
	world.domain_count = 2;
	notice(&m, VIRT_CONNECTED, "", "");
	notice(&m, VIRT_CONNECTED, "", ""); /* looks once more when it has looked */
	while (fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_null(fleet_find(m.fleet, one.id));
	assert_non_null(fleet_find(m.fleet, two.id));
	assert_int_equal(atomic_load(&world.removals), 1);
	assert_string_equal(world.stopped, orphan);
	close_all(&m);
}

static void a_domain_of_ours_without_a_record_is_stopped_when_it_starts(void **state)
{
	static const char orphan[] = "3b1f8a10-1111-4222-8333-000000000009";
	char name[LIFECYCLE_NAME_MAX];
	struct manager m;

	fresh_fleet(&m, 1);
	settle(&m);
	notice(&m, VIRT_STARTED, orphan, "somebody-elses");
	assert_false(fleet_is_busy(m.fleet));
	lifecycle_name(&m.lifecycle, 0, name);
	notice(&m, VIRT_STARTED, orphan, name);
	settle(&m);
	assert_string_equal(world.stopped, orphan);
	close_all(&m);
}

static void libvirt_is_looked_for_until_it_is_back(void **state)
{
	struct manager m;

	prepare(&m, 1);
	atomic_store(&world.fail_connects, 2);
	open_fleet(&m);
	while (atomic_load(&world.connects) < 3 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	notice(&m, VIRT_LOST, "", "");
	settle(&m);
	assert_int_equal(atomic_load(&world.connects), 4);
	close_all(&m);
}

static struct cvm recorded(unsigned slot, enum cvm_step step, int64_t expires_ms)
{
	struct cvm cvm = { .slot = slot, .port = (uint16_t)(7100 + slot), .step = step,
			   .expires_ms = expires_ms };

	snprintf(cvm.id, sizeof(cvm.id), "00000000-0000-4000-8000-%012u", slot);
	return cvm;
}

static void a_restart_takes_up_what_is_recorded(void **state)
{
	struct cvm cvms[] = {
		recorded(0, CVM_RUNNING, 0),
		recorded(1, CVM_RUNNING,
			 clock_ms(CLOCK_REALTIME) - 1000), /* its time ran out meanwhile */
		recorded(2, CVM_DOMAIN, 0),
		recorded(3, CVM_CLEANING, 0),
		recorded(9, CVM_RUNNING,
			 clock_ms(CLOCK_REALTIME) + 3600000), /* of a time with a higher limit */
	};
	Manager__CreateReq request = some_request();
	struct told told = { 0 };
	struct manager m;
	struct err e;

	prepare(&m, 5);
	for (size_t i = 0; i < ARRAY_LEN(cvms); i++)
		assert_ok(registry_add(m.registry, &cvms[i], &e), e);
	open_fleet(&m);
	assert_refused(fleet_create(m.fleet, &request, on_created, &told, &e), e, ERR_EXHAUSTED,
		       "limit");
	while (atomic_load(&world.removals) < 3 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_non_null(fleet_find(m.fleet, cvms[0].id));
	assert_null(fleet_find(m.fleet, cvms[1].id));
	assert_null(fleet_find(m.fleet, cvms[2].id));
	assert_null(fleet_find(m.fleet, cvms[3].id));
	assert_non_null(fleet_find(m.fleet, cvms[4].id));
	for (int i = 0; i < 3; i++)
		create(&m, &told, "");
	assert_refused(fleet_create(m.fleet, &request, on_created, &told, &e), e, ERR_EXHAUSTED,
		       "limit");
	close_all(&m);
}

static void a_cvm_goes_when_its_time_is_up(void **state)
{
	struct told told = { 0 };
	struct manager m;

	fresh_fleet(&m, 1);
	create(&m, &told, "1s");
	assert_non_null(fleet_find(m.fleet, told.id));
	atomic_store(&world.fail_removals, 1);
	while (atomic_load(&world.removals) < 2 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_true(atomic_load(&world.insisted));
	assert_null(fleet_find(m.fleet, told.id));
	close_all(&m);
}

static void run_until_it_is_gone(struct manager *m, const char *id)
{
	while (fleet_find(m->fleet, id) || fleet_is_busy(m->fleet))
		uv_run(&m->loop, UV_RUN_ONCE);
	clock_step = 0;
	close_all(m);
}

static void a_clock_that_is_set_back_gives_no_more_time(void **state)
{
	struct told told = { 0 };
	struct manager m;

	fresh_fleet(&m, 1);
	create(&m, &told, "1s");
	clock_step = -3600;
	run_until_it_is_gone(&m, told.id);
}

static void a_clock_that_was_set_back_before_a_restart_gives_no_more_time(void **state)
{
	struct cvm cvm = recorded(0, CVM_RUNNING, clock_ms(CLOCK_REALTIME) + 3600000);
	struct manager m;
	struct err e;

	cvm.created_ms = cvm.expires_ms - 1000;
	prepare(&m, 1);
	assert_ok(registry_add(m.registry, &cvm, &e), e);
	open_fleet(&m);
	run_until_it_is_gone(&m, cvm.id);
}

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	struct err e;

	return dir_remove(dir, &e);
}

#define TEST(name_) cmocka_unit_test_teardown(name_, remove_registry)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(created_found_and_removed),
		TEST(the_limit_holds_while_cvms_are_being_made),
		TEST(a_creation_that_fails_gives_its_place_back),
		TEST(what_a_failed_creation_left_is_removed_in_the_end),
		TEST(a_cvm_that_nobody_waits_for_is_removed),
		TEST(an_abandoned_cvm_is_removed_before_the_end),
		TEST(nothing_new_begins_after_the_end),
		TEST(a_removal_that_libvirt_refuses_leaves_the_cvm_running),
		TEST(a_removal_that_has_begun_is_finished),
		TEST(a_cvm_whose_machine_ended_is_cleaned_up),
		TEST(a_cvm_that_ends_at_once_is_not_reported_as_created),
		TEST(domains_are_compared_when_libvirt_is_back),
		TEST(a_domain_of_ours_without_a_record_is_stopped_when_it_starts),
		TEST(libvirt_is_looked_for_until_it_is_back),
		TEST(a_restart_takes_up_what_is_recorded),
		TEST(a_cvm_goes_when_its_time_is_up),
		TEST(a_clock_that_is_set_back_gives_no_more_time),
		TEST(a_clock_that_was_set_back_before_a_restart_gives_no_more_time),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
