/* SPDX-License-Identifier: Apache-2.0 */
/* Two managers that share a registry. */
#include "manager/registry/registry_lease.h"
#include "tests/unit/manager/registry_room.h"

#include <time.h>
#include <unistd.h>

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_clock_gettime(clockid_t clock, struct timespec *now);

/* By how much this machine's clock has gone on that nobody sets, and that no sleep stops. */
static time_t later;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = __real_clock_gettime(clock, now);

	if (clock == CLOCK_BOOTTIME)
		now->tv_sec += later;
	return r;
}

enum { LEASE_MS = 60 * 1000 };

static struct registry *a, *b;
static struct registry_wish wishes[2];
static struct registry_round found;

static int try_open(struct registry **r, const char *name, const char *place, struct err *e)
{
	const struct registry_share share = {
		.name = name, .place = place, .lease_ms = LEASE_MS, .vms_max = 10
	};

	return registry_open_shared(registry_room_folder, registry_room_place(), &share, r, e);
}

static void open_in(struct registry **r, const char *name, const char *place)
{
	struct err e;

	assert_ok(try_open(r, name, place, &e), e);
}

static void open_one(struct registry **r, const char *name)
{
	open_in(r, name, NULL);
}

static void enter(void)
{
	later = 0;
	open_one(&a, "a");
	open_one(&b, "b");
	assert_true(registry_is_shared(a));
	assert_string_equal(registry_tag(a), registry_tag(b));
	assert_int_not_equal(registry_epoch(a), registry_epoch(b));
}

static void leave(void)
{
	registry_round_done(&found);
	registry_close(a);
	registry_close(b);
}

static void want(unsigned count)
{
	registry_round_done(&found);
	for (unsigned i = 0; i < ARRAY_LEN(wishes); i++) {
		wishes[i] = (struct registry_wish){ .wanted = i < count };
		snprintf(wishes[i].host, sizeof(wishes[i].host), "rack-%u", i + 1);
		snprintf(wishes[i].uri, sizeof(wishes[i].uri), "qemu+tls://rack-%u/system", i + 1);
	}
}

/* The first `count` hosts are wanted. */
static void go_round(struct registry *r, unsigned count)
{
	struct err e;

	want(count);
	assert_ok(registry_lease_round(r, wishes, ARRAY_LEN(wishes), &found, &e), e);
}

static int try_round(struct registry *r, struct err *e)
{
	want(2);
	return registry_lease_round(r, wishes, ARRAY_LEN(wishes), &found, e);
}

static struct cvm cvm_on(unsigned n, unsigned host)
{
	struct cvm cvm = registry_room_cvm(n);

	snprintf(cvm.host, sizeof(cvm.host), "rack-%u", host);
	snprintf(cvm.name, sizeof(cvm.name), "vm-%u", n);
	return cvm;
}

static const struct registry_lease *lease(unsigned host)
{
	for (size_t i = 0; i < found.lease_count; i++)
		if (strcmp(found.leases[i].host, wishes[host - 1].host) == 0)
			return &found.leases[i];
	return NULL;
}

static void assert_holds(const struct registry *r, const char *host, bool holds)
{
	struct err e;

	if (holds)
		assert_ok(registry_lease_check(r, host, &e), e);
	else
		assert_refused(registry_lease_check(r, host, &e), e, ERR_UNAVAILABLE, host);
}

static void a_host_is_one_managers_at_a_time(void **state)
{
	enter();
	assert_holds(a, "rack-1", false);
	go_round(a, 1);
	assert_true(wishes[0].held && wishes[0].taken);
	assert_false(wishes[1].held);
	assert_int_equal(found.takeovers, 0);
	go_round(b, 2);
	assert_false(wishes[0].held || wishes[0].taken);
	assert_true(wishes[1].held && wishes[1].taken);
	assert_string_equal(lease(1)->holder, "a");
	assert_string_equal(lease(2)->holder, "b");
	assert_true(lease(1)->runs && lease(1)->fence < lease(2)->fence);
	assert_int_equal(lease(1)->lease_ms, LEASE_MS);
	assert_int_equal(lease(1)->vms_max, 10);
	assert_holds(a, "rack-1", true);
	assert_holds(a, "rack-2", false);
	go_round(a, 2);
	assert_true(wishes[0].held && !wishes[0].taken && !wishes[1].held);
	leave();
}

static void who_does_not_hold_a_host_changes_nothing_of_it(void **state)
{
	struct cvm one = cvm_on(1, 1), two = cvm_on(2, 1), *all;
	size_t count;
	struct err e;

	enter();
	assert_refused(registry_add(a, &one, &e), e, ERR_UNAVAILABLE, "does not hold");
	go_round(a, 1);
	assert_ok(registry_add(a, &one, &e), e);
	assert_refused(registry_add(b, &two, &e), e, ERR_UNAVAILABLE, "does not hold");
	assert_refused(registry_set_step(b, one.id, CVM_CLEANING, &e), e, ERR_UNAVAILABLE,
		       "rack-1");
	assert_refused(registry_set_port(b, one.id, 9, &e), e, ERR_UNAVAILABLE, "rack-1");
	assert_refused(registry_delete(b, &one, &e), e, ERR_UNAVAILABLE, "rack-1");
	assert_refused(registry_delete(b, &two, &e), e, ERR_NOT_FOUND, "no CVM");
	assert_refused(registry_host_drop(b, "rack-1", &e), e, ERR_UNAVAILABLE, "rack-1");
	assert_refused(registry_host_drop(a, "rack-1", &e), e, ERR_PRECONDITION, "has CVMs");
	assert_ok(registry_list(b, &all, &count, &e), e);
	assert_int_equal(count, 1);
	assert_int_equal(all[0].step, CVM_FILES);
	free(all);
	assert_ok(registry_set_step(a, one.id, CVM_DOMAIN, &e), e);
	assert_ok(registry_delete(a, &one, &e), e);
	assert_ok(registry_host_drop(a, "rack-1", &e), e);
	leave();
}

static void who_comes_after_an_end_has_all_records_and_fences_the_other_off(void **state)
{
	struct cvm one = cvm_on(1, 1), two = cvm_on(2, 1);
	int64_t fence;
	struct err e;

	enter();
	go_round(a, 1);
	fence = lease(1)->fence;
	assert_ok(registry_add(a, &one, &e), e);
	assert_ok(registry_add(a, &two, &e), e);
	assert_ok(registry_delete(a, &two, &e), e);
	registry_room_sql("UPDATE lease SET until_ms = 1");
	go_round(b, 1);
	assert_true(wishes[0].held && wishes[0].taken);
	assert_int_equal(found.takeovers, 1);
	assert_true(lease(1)->fence > fence);
	assert_int_equal(found.cvm_count, 1);
	assert_string_equal(found.cvms[0].id, one.id);
	assert_int_equal(found.gone_count, 1);
	assert_string_equal(found.gone[0].id, two.id);
	/* By its own clock it still has the host; the registry knows better. */
	assert_holds(a, "rack-1", true);
	assert_refused(registry_set_step(a, one.id, CVM_DOMAIN, &e), e, ERR_UNAVAILABLE,
		       "does not hold host rack-1 any more");
	assert_refused(registry_add(a, &two, &e), e, ERR_UNAVAILABLE, "any more");
	assert_ok(registry_set_step(b, one.id, CVM_DOMAIN, &e), e);
	go_round(a, 1);
	assert_false(wishes[0].held);
	assert_int_equal(found.other_count, 1);
	assert_string_equal(found.others[0].id, one.id);
	assert_holds(a, "rack-1", false);
	leave();
}

static void a_lease_that_ended_and_nobody_took_goes_on(void **state)
{
	struct cvm one = cvm_on(1, 1);
	int64_t fence;
	struct err e;

	enter();
	go_round(a, 1);
	fence = lease(1)->fence;
	registry_room_sql("UPDATE lease SET until_ms = 1");
	assert_refused(registry_add(a, &one, &e), e, ERR_UNAVAILABLE, "nothing was done");
	go_round(a, 1);
	assert_true(wishes[0].held && !wishes[0].taken);
	assert_int_equal(lease(1)->fence, fence);
	assert_ok(registry_add(a, &one, &e), e);
	leave();
}

/* Also without a server that says so. */
static void a_manager_knows_by_its_own_clock_that_its_lease_has_run_out(void **state)
{
	struct cvm one = cvm_on(1, 1);
	struct err e;

	enter();
	go_round(a, 1);
	assert_holds(a, "rack-1", true);
	later = LEASE_MS / 1000 - LEASE_MS / 10000 + 1; /* it ends a tenth early */
	assert_refused(registry_lease_check(a, "rack-1", &e), e, ERR_UNAVAILABLE, "has run out");
	assert_refused(registry_add(a, &one, &e), e, ERR_UNAVAILABLE, "has run out");
	go_round(a, 1);
	assert_ok(registry_add(a, &one, &e), e);
	leave();
}

static void a_lease_that_was_given_back_is_free_at_once(void **state)
{
	struct err e;

	enter();
	go_round(a, 2);
	assert_ok(registry_lease_release(a, &e), e);
	assert_holds(a, "rack-1", false);
	go_round(b, 2);
	assert_true(wishes[0].taken && wishes[1].taken);
	assert_int_equal(found.takeovers, 0);
	leave();
}

/* Its holder died, and the clock of the database was set back. */
static void a_lease_of_the_far_future_ends_when_nobody_renews_it(void **state)
{
	enter();
	go_round(a, 1);
	registry_room_sql("UPDATE lease SET until_ms = 9000000000000000");
	go_round(b, 1);
	assert_false(wishes[0].held);
	later = LEASE_MAX_MS / 1000 - 1;
	go_round(b, 1);
	assert_false(wishes[0].held);
	registry_room_sql("UPDATE lease SET until_ms = 9000000000000001"); /* renewed */
	later = 2 * LEASE_MAX_MS / 1000;
	go_round(b, 1);
	assert_false(wishes[0].held);
	later = 4 * LEASE_MAX_MS / 1000;
	go_round(b, 1);
	assert_true(wishes[0].taken);
	leave();
}

static void places_and_names_are_those_of_all_managers(void **state)
{
	struct cvm one = cvm_on(1, 1), other = cvm_on(2, 2);
	struct err e;

	enter();
	go_round(a, 1);
	go_round(b, 2);
	assert_ok(registry_add(a, &one, &e), e);
	other.slot = one.slot;
	assert_refused(registry_add(b, &other, &e), e, ERR_ABORTED, "slot 1");
	other.slot = 2;
	other.port = one.port;
	assert_refused(registry_add(b, &other, &e), e, ERR_ABORTED, "port 7101");
	other.port = 7102;
	memcpy(other.name, one.name, sizeof(other.name));
	assert_refused(registry_add(b, &other, &e), e, ERR_EXISTS, "a CVM is called vm-1");
	memcpy(other.owner, "ward-8", sizeof("ward-8"));
	assert_ok(registry_add(b, &other, &e), e);
	go_round(b, 2);
	assert_int_equal(found.other_count, 1);
	assert_int_equal(found.others[0].slot, 1);
	assert_int_equal(found.others[0].port, 7101);
	assert_int_equal(found.others[0].cpus, 3);
	assert_string_equal(found.others[0].owner, "ward-7");
	leave();
}

static void it_is_known_who_has_a_cvm(void **state)
{
	struct registry_place place;
	struct cvm one = cvm_on(1, 1);
	struct err e;

	enter();
	go_round(a, 1);
	assert_ok(registry_add(a, &one, &e), e);
	assert_ok(registry_whereabouts(b, one.id, NULL, NULL, &place, &e), e);
	assert_string_equal(place.holder, "a");
	assert_false(place.mine);
	assert_ok(registry_whereabouts(a, NULL, "ward-7", "vm-1", &place, &e), e);
	assert_string_equal(place.cvm.id, one.id);
	assert_true(place.mine);
	assert_refused(registry_whereabouts(a, NULL, "", "vm-1", &place, &e), e, ERR_NOT_FOUND,
		       "vm-1");
	registry_room_sql("UPDATE lease SET until_ms = 1");
	assert_ok(registry_whereabouts(b, one.id, NULL, NULL, &place, &e), e);
	assert_string_equal(place.holder, "");
	leave();
}

static void a_host_that_is_another_one_there_is_not_taken(void **state)
{
	struct cvm one = cvm_on(1, 1);
	struct err e;

	enter();
	go_round(a, 1);
	assert_ok(registry_add(a, &one, &e), e);
	registry_room_sql("UPDATE lease SET until_ms = 1, uri = 'qemu+tls://elsewhere/system'");
	go_round(b, 1);
	assert_true(wishes[0].other_uri && !wishes[0].held);
	registry_room_sql("DELETE FROM cvm"); /* nothing there can be taken for lost */
	go_round(b, 1);
	assert_true(wishes[0].taken);
	leave();
}

static void a_host_that_was_added_is_taken_as_long_as_it_is_recorded(void **state)
{
	const struct registry_host host = { .name = "rack-1",
					    .uri = "qemu+tls://rack-1/system",
					    .words = "tees=none address=10.0.0.4" };
	struct err e;

	enter();
	want(1);
	wishes[0].added = true;
	assert_ok(registry_lease_round(a, wishes, 1, &found, &e), e);
	assert_false(wishes[0].held);
	assert_ok(registry_host_add(b, &host, &e), e);
	want(1);
	wishes[0].added = true;
	assert_ok(registry_lease_round(a, wishes, 1, &found, &e), e);
	assert_true(wishes[0].held);
	assert_int_equal(found.host_count, 1);
	/* What is said of it stays, whoever says it. */
	assert_ok(registry_host_drain(b, "rack-1", true, &e), e);
	assert_ok(registry_host_drain(b, "rack-2", true, &e), e);
	go_round(a, 0);
	assert_int_equal(found.host_count, 2);
	assert_true(found.hosts[0].draining && found.hosts[1].draining);
	assert_ok(registry_host_undrain(b, "rack-1", &e), e);
	assert_ok(registry_host_undrain(a, "rack-2", &e), e);
	go_round(a, 0);
	assert_int_equal(found.host_count, 1);
	assert_false(found.hosts[0].draining);
	leave();
}

/* A server that says what no manager has written. */
static void rows_of_another_form_take_nothing_from_anybody(void **state)
{
	static const struct {
		const char *sql, *words;
	} rows[] = {
		{ "UPDATE lease SET fence = 0", "fence is out of range" },
		{ "UPDATE lease SET fence = 9223372036854775807", "fence is out of range" },
		{ "UPDATE lease SET until_ms = -1", "until_ms is out of range" },
		{ "UPDATE lease SET instance = -1", "instance is out of range" },
		{ "UPDATE lease SET lease_ms = 1", "lease_ms is out of range" },
		{ "UPDATE lease SET vms_max = 0", "vms_max is out of range" },
		{ "UPDATE lease SET holder = 'a b'", "holder is no text of ours" },
		{ "UPDATE lease SET holder = ''", "holder is no manager's name" },
		{ "UPDATE lease SET holder = {x 64}", "holder is too long" },
		{ "UPDATE lease SET uri = {x 256}", "uri is too long" },
		{ "UPDATE lease SET host = 'RACK'", "host is no host's name" },
		{ "ALTER TABLE lease RENAME TO kept; CREATE TABLE lease AS SELECT * FROM kept;"
		  "INSERT INTO lease SELECT * FROM kept; UPDATE lease SET until_ms = 1",
		  "has two leases" },
	};
	struct cvm one = cvm_on(1, 1);
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enter();
		go_round(a, 1);
		assert_ok(registry_add(a, &one, &e), e);
		registry_room_sql(rows[i].sql);
		assert_refused(try_round(b, &e), e, ERR_DATA_LOSS, rows[i].words);
		assert_non_null(strstr(e.text, registry_room_way_out()));
		assert_holds(b, "rack-1", false);
		assert_null(found.leases);
		leave();
		registry_room_leave(NULL);
	}
}

/* One that says something of too many would keep all from reading any. */
static void hosts_that_nobody_could_read_are_not_recorded(void **state)
{
	struct registry_host *hosts;
	struct err e;
	char name[16];
	size_t count;

	enter();
	for (unsigned i = 0; i < REGISTRY_HOSTS_MAX; i++) {
		snprintf(name, sizeof(name), "host-%u", i);
		assert_ok(registry_host_drain(a, name, true, &e), e);
	}
	assert_refused(registry_host_drain(a, "one-more", true, &e), e, ERR_EXHAUSTED, "128 hosts");
	assert_refused(registry_host_add(b,
					 &(struct registry_host){ "one-more", "qemu+tls://x/system",
								  "", false },
					 &e),
		       e, ERR_EXHAUSTED, "128 hosts");
	assert_ok(registry_host_drain(a, "host-0", false, &e), e); /* one that is there */
	go_round(b, 2);
	assert_true(wishes[0].held);
	assert_ok(registry_hosts(a, &hosts, &count, &e), e);
	assert_int_equal(count, REGISTRY_HOSTS_MAX);
	free(hosts);
	assert_ok(registry_host_undrain(a, "host-1", &e), e);
	assert_ok(registry_host_drain(a, "one-more", true, &e), e);
	leave();
}

static void add_leases(unsigned first, unsigned count, const char *until)
{
	char sql[256];

	for (unsigned i = first; i < first + count; i++) {
		snprintf(
			sql, sizeof(sql),
			"INSERT INTO lease (host, holder, uri, instance, fence, until_ms, lease_ms,"
			" vms_max) VALUES ('old-%u', 'z', 'x', 7, %u, %s, 5000, 1)",
			i, i + 1, until);
		registry_room_sql(sql);
	}
}

/* Of hosts that were, and of as many as may be. */
static void leases_of_hosts_that_were_keep_nobody_out(void **state)
{
	struct cvm one = cvm_on(1, 1);
	struct err e;

	enter();
	go_round(a, 1);
	assert_ok(registry_add(a, &one, &e), e);
	add_leases(0, LEASES_MAX - 1, "1");
	go_round(b, 2); /* the second one would be more than are read */
	assert_true(wishes[1].held && !wishes[0].held);
	assert_int_equal(found.lease_count, 3); /* and the old one with the highest fence */
	assert_true(lease(2)->fence > LEASES_MAX - 1);
	go_round(a, 2);
	assert_true(wishes[0].held && !wishes[0].taken);
	/* What is held by others does not go. */
	registry_room_sql("DELETE FROM lease WHERE host <> 'rack-1'");
	add_leases(LEASES_MAX, LEASES_MAX - 1, "9000000000000000");
	go_round(b, 2);
	go_round(b, 2);
	assert_false(wishes[1].held);
	assert_int_equal(found.lease_count, LEASES_MAX);
	go_round(a, 1);
	assert_true(wishes[0].held);
	leave();
}

static void fences_are_not_used_twice(void **state)
{
	struct err e;

	enter();
	go_round(a, 1);
	registry_room_sql("UPDATE lease SET fence = 9223372036854775806, until_ms = 1");
	assert_refused(try_round(b, &e), e, ERR_DATA_LOSS, "used up");
	leave();
}

/* Rows of CVMs, of which another manager is told. */
static void cvms_of_another_form_are_refused(void **state)
{
	static const struct {
		const char *sql, *words;
	} rows[] = {
		{ "UPDATE cvm SET slot = -1", "slot" },
		{ "UPDATE cvm SET port = 0", "port" },
		{ "UPDATE cvm SET cpus = 0", "cpus" },
		{ "UPDATE cvm SET memory = -1", "memory" },
		{ "UPDATE cvm SET owner = 'A'", "owner" },
		{ "UPDATE cvm SET name = '-'", "name" },
		{ "UPDATE cvm SET host = 'A'", "host" },
		{ "UPDATE cvm SET id = 'x'", "id" },
		{ "UPDATE cvm SET name = {x 99}", "name" },
	};
	struct cvm one = cvm_on(1, 1);
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enter();
		go_round(a, 1);
		assert_ok(registry_add(a, &one, &e), e);
		registry_room_sql(rows[i].sql);
		assert_refused(try_round(b, &e), e, ERR_DATA_LOSS, rows[i].words);
		leave();
		registry_room_leave(NULL);
	}
}

static void who_wants_it_alone_waits_for_those_who_share_it(void **state)
{
	struct registry *alone;
	struct cvm one = cvm_on(1, 1);
	struct err e;

	if (!registry_room_place())
		return;
	enter();
	go_round(a, 1);
	assert_refused(registry_open(registry_room_folder, registry_room_place(), &alone, &e), e,
		       ERR_PRECONDITION, "another service uses");
	registry_close(b);
	registry_close(a); /* killed: its lease stays */
	assert_refused(registry_open(registry_room_folder, registry_room_place(), &alone, &e), e,
		       ERR_PRECONDITION, "'a' holds hosts");
	registry_room_sql("UPDATE lease SET until_ms = 1");
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &alone, &e), e);
	assert_false(registry_is_shared(alone));
	assert_holds(alone, "rack-1", true);
	assert_ok(registry_add(alone, &one, &e), e);
	registry_close(alone);
	registry_round_done(&found);
}

static void another_registry_in_its_place_is_refused(void **state)
{
	struct cvm one = cvm_on(1, 1);
	struct err e;

	enter();
	go_round(a, 1);
	registry_room_sql("UPDATE meta SET value = '00000000' WHERE key = 'tag'");
	assert_refused(registry_add(a, &one, &e), e, ERR_PRECONDITION, "start this one anew");
	assert_refused(try_round(a, &e), e, ERR_PRECONDITION, "start this one anew");
	leave();
}

/* ---- names ---- */

static void two_of_one_name_are_told_apart(void **state)
{
	char words[128], machine[65] = "";
	struct registry *other = NULL;
	struct err e;

	enter();
	assert_int_equal(gethostname(machine, 64), 0);
	snprintf(words, sizeof(words), "another manager is called a: process %d of machine %s",
		 (int)getpid(), machine);
	assert_refused(try_open(&other, "a", NULL, &e), e, ERR_PRECONDITION, words);
	assert_non_null(strstr(e.text, ", started 20"));
	assert_non_null(strstr(e.text, "MANAGER_LEASE_NAME"));
	assert_refused(try_open(&other, "a", "elsewhere", &e), e, ERR_PRECONDITION, words);
	assert_null(other);
	go_round(a, 1); /* nothing was taken from it */
	assert_true(wishes[0].held);
	assert_ok(registry_lease_release(a, &e), e); /* it ends in order */
	open_one(&other, "a");
	registry_close(other);
	leave();
}

/* Nobody else says that place, so the one before has ended. */
static void a_restart_in_the_same_place_takes_over_at_once(void **state)
{
	struct cvm one = cvm_on(1, 1);
	struct registry *again;
	int64_t fence;
	struct err e;

	enter();
	assert_ok(registry_lease_release(a, &e), e);
	registry_close(a);
	open_in(&a, "a", "here");
	go_round(a, 1);
	fence = lease(1)->fence;
	assert_ok(registry_add(a, &one, &e), e);
	assert_refused(try_open(&again, "a", "there", &e), e, ERR_PRECONDITION, "called a");
	open_in(&again, "a", "here");
	go_round(again, 1);
	assert_true(wishes[0].taken);
	assert_int_equal(found.takeovers, 1);
	assert_true(lease(1)->fence > fence);
	assert_int_equal(found.cvm_count, 1);
	assert_refused(registry_set_step(a, one.id, CVM_DOMAIN, &e), e, ERR_UNAVAILABLE,
		       "does not hold host rack-1 any more");
	assert_ok(registry_set_step(again, one.id, CVM_DOMAIN, &e), e);
	registry_close(again);
	leave();
}

/* It was stopped for longer than its time, and another process has its name by then. */
static void who_lost_its_name_holds_nothing(void **state)
{
	struct registry *again;
	struct err e;

	enter();
	go_round(a, 1);
	registry_room_sql("UPDATE manager SET until_ms = 1; UPDATE lease SET until_ms = 1");
	open_one(&again, "a");
	go_round(a, 2); /* though both are free */
	assert_false(wishes[0].held || wishes[1].held);
	assert_holds(a, "rack-1", false);
	go_round(again, 1);
	assert_true(wishes[0].taken);
	go_round(a, 2);
	assert_false(wishes[0].held || wishes[1].held);
	assert_ok(registry_lease_release(again, &e), e);
	registry_close(again);
	go_round(a, 2);
	assert_true(wishes[0].held && wishes[1].held);
	leave();
}

/* The database's clock was set back: leases alone say who may do what. */
static void a_name_of_the_far_future_is_free(void **state)
{
	struct registry *again;

	enter();
	go_round(a, 1);
	registry_room_sql("UPDATE manager SET until_ms = 9000000000000000");
	go_round(a, 1);
	assert_true(wishes[0].held);
	registry_room_sql("UPDATE manager SET until_ms = 9000000000000000");
	open_one(&again, "a");
	go_round(again, 1);
	assert_false(wishes[0].held); /* the lease runs */
	registry_close(again);
	leave();
}

static void rows_of_managers_of_another_form_are_refused(void **state)
{
	static const struct {
		const char *sql, *words;
	} rows[] = {
		{ "UPDATE manager SET instance = -1 WHERE name = 'b'", "instance is none of ours" },
		{ "UPDATE manager SET machine = 'a b' WHERE name = 'b'",
		  "machine is none of ours" },
		{ "UPDATE manager SET machine = {x 65} WHERE name = 'b'",
		  "machine is none of ours" },
		{ "UPDATE manager SET place = {x 97} WHERE name = 'b'", "place is none of ours" },
		{ "UPDATE manager SET pid = 2147483648 WHERE name = 'b'", "pid is none of ours" },
		{ "UPDATE manager SET started_ms = -1 WHERE name = 'b'",
		  "started_ms is none of ours" },
		{ "UPDATE manager SET until_ms = -1 WHERE name = 'b'", "until_ms is none of ours" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enter();
		registry_room_sql(rows[i].sql);
		assert_refused(try_round(b, &e), e, ERR_DATA_LOSS, rows[i].words);
		assert_non_null(strstr(e.text, registry_room_way_out()));
		assert_holds(b, "rack-1", false);
		leave();
		registry_room_leave(NULL);
	}
}

/* As many as may be, and those of long ago make place. */
static void names_are_no_more_than_are_read(void **state)
{
	struct registry *one_more = NULL;
	char sql[256];
	struct err e;

	enter();
	for (unsigned i = 0; i < MANAGERS_MAX - 2; i++) {
		snprintf(
			sql, sizeof(sql),
			"INSERT INTO manager (name, instance, machine, place, pid, started_ms, until_ms)"
			" VALUES ('z-%u', 7, 'm', '', 1, 1, 9000000000000000)",
			i);
		registry_room_sql(sql);
	}
	assert_refused(try_open(&one_more, "c", NULL, &e), e, ERR_EXHAUSTED, "512 managers");
	registry_room_sql("UPDATE manager SET until_ms = 1 WHERE name = 'z-0'");
	open_one(&one_more, "c");
	registry_close(one_more);
	leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		REGISTRY_ROOM_ROW(a_host_is_one_managers_at_a_time),
		REGISTRY_ROOM_ROW(who_does_not_hold_a_host_changes_nothing_of_it),
		REGISTRY_ROOM_ROW(who_comes_after_an_end_has_all_records_and_fences_the_other_off),
		REGISTRY_ROOM_ROW(a_lease_that_ended_and_nobody_took_goes_on),
		REGISTRY_ROOM_ROW(a_manager_knows_by_its_own_clock_that_its_lease_has_run_out),
		REGISTRY_ROOM_ROW(a_lease_that_was_given_back_is_free_at_once),
		REGISTRY_ROOM_ROW(a_lease_of_the_far_future_ends_when_nobody_renews_it),
		REGISTRY_ROOM_ROW(places_and_names_are_those_of_all_managers),
		REGISTRY_ROOM_ROW(it_is_known_who_has_a_cvm),
		REGISTRY_ROOM_ROW(a_host_that_is_another_one_there_is_not_taken),
		REGISTRY_ROOM_ROW(a_host_that_was_added_is_taken_as_long_as_it_is_recorded),
		REGISTRY_ROOM_ROW(rows_of_another_form_take_nothing_from_anybody),
		REGISTRY_ROOM_ROW(hosts_that_nobody_could_read_are_not_recorded),
		REGISTRY_ROOM_ROW(leases_of_hosts_that_were_keep_nobody_out),
		REGISTRY_ROOM_ROW(fences_are_not_used_twice),
		REGISTRY_ROOM_ROW(cvms_of_another_form_are_refused),
		REGISTRY_ROOM_ROW(who_wants_it_alone_waits_for_those_who_share_it),
		REGISTRY_ROOM_ROW(another_registry_in_its_place_is_refused),
		REGISTRY_ROOM_ROW(two_of_one_name_are_told_apart),
		REGISTRY_ROOM_ROW(a_restart_in_the_same_place_takes_over_at_once),
		REGISTRY_ROOM_ROW(who_lost_its_name_holds_nothing),
		REGISTRY_ROOM_ROW(a_name_of_the_far_future_is_free),
		REGISTRY_ROOM_ROW(rows_of_managers_of_another_form_are_refused),
		REGISTRY_ROOM_ROW(names_are_no_more_than_are_read),
	};

	return cmocka_run_group_tests(tests, registry_room_enter, registry_room_end);
}
