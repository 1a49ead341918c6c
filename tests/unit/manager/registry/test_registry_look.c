/* SPDX-License-Identifier: Apache-2.0 */
/* A registry on a server, as somebody sees it who has not opened it; tests/postgres.py has started that. */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "manager/registry/registry_look.h"
#include "tests/unit/manager/registry_room.h"

#include <time.h>
#include <unistd.h>

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_clock_gettime(clockid_t clock, struct timespec *now);

/* By how much this machine's clock is ahead. */
static time_t ahead;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = __real_clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += ahead;
	return r;
}

enum { LEASE_MS = 60 * 1000 };

static struct registry_look look;

static void see(const char *name)
{
	struct err e;

	registry_look_done(&look);
	assert_ok(registry_look(registry_room_folder, registry_room_place(), name, &look, &e), e);
}

static struct registry *share(const char *name, const char *place)
{
	const struct registry_share how = {
		.name = name, .place = place, .lease_ms = LEASE_MS, .vms_max = 10
	};
	struct registry *r;
	struct err e;

	assert_ok(registry_open_shared(registry_room_folder, registry_room_place(), &how, &r, &e),
		  e);
	return r;
}

static int leave(void **state)
{
	registry_look_done(&look);
	return registry_room_leave(state);
}

static void where_nothing_is_nothing_is_made(void **state)
{
	for (int i = 0; i < 2; i++) {
		see("a");
		assert_int_equal(look.form, 0);
		assert_false(look.is_known);
		assert_int_equal(look.host_count, 0);
	}
	assert_int_equal(access(registry_room_tag, F_OK), -1);
}

static void it_is_known_whose_the_name_and_the_hosts_are(void **state)
{
	struct registry *a = share("a", "here-1-2");
	struct registry_wish wish = { .host = "rack-2",
				      .uri = "qemu+tls://rack-2/system",
				      .wanted = true };
	struct registry_round round;
	struct cvm cvm = registry_room_cvm(1);
	struct err e;

	assert_ok(registry_lease_round(a, &wish, 1, &round, &e), e);
	registry_round_done(&round);
	assert_true(wish.held);
	assert_ok(registry_add(a, &cvm, &e), e);
	see("a");
	assert_true(look.is_known);
	assert_int_equal(look.form, REGISTRY_VERSION);
	assert_string_equal(look.tag, registry_tag(a));
	assert_int_equal(look.tag_failed, 0);
	assert_true(look.is_named && look.named.runs);
	assert_string_equal(look.named.place, "here-1-2");
	assert_int_equal(look.named.pid, getpid());
	assert_int_equal(look.host_count, 1);
	assert_string_equal(look.hosts[0].lease.host, "rack-2");
	assert_string_equal(look.hosts[0].lease.holder, "a");
	assert_true(look.hosts[0].lease.runs);
	assert_int_equal(look.hosts[0].cvms, 1);
	see("b");
	assert_true(look.is_known);
	assert_false(look.is_named);
	registry_room_sql("UPDATE manager SET until_ms = 1");
	see("a");
	assert_true(look.is_named && !look.named.runs);
	registry_room_sql("UPDATE lease SET until_ms = 1");
	see("a");
	assert_false(look.hosts[0].lease.runs);
	registry_close(a);
}

/* Who looks keeps nobody out, and is kept out by nobody. */
static void looking_changes_nothing(void **state)
{
	struct registry *a = share("a", "here-1-2");
	uint64_t epoch = registry_epoch(a);
	struct registry *b;

	for (int i = 0; i < 3; i++)
		see("a");
	b = share("b", NULL);
	assert_int_equal(registry_epoch(b), epoch + 1);
	see(NULL);
	assert_false(look.is_named);
	registry_close(b);
	registry_close(a);
}

static void another_registrys_folder_is_told(void **state)
{
	struct registry *a = share("a", NULL);
	struct err e;

	registry_close(a);
	assert_ok(file_write(registry_room_tag, "00000000\n", 9, 0600, &e), e);
	see("a");
	assert_true(look.tag_failed);
	assert_non_null(strstr(look.tag_why.text, "00000000"));
	assert_non_null(strstr(look.tag_why.text, look.tag));
	assert_ok(file_write(registry_room_tag, "x\n", 2, 0600, &e), e);
	see("a");
	assert_true(look.tag_failed);
	assert_int_equal(look.tag_why.code, ERR_DATA_LOSS);
	unlink(registry_room_tag);
	see("a"); /* beside others it takes the registry's */
	assert_int_equal(look.tag_failed, 0);
	see(NULL); /* alone it would make one of its own */
	assert_true(look.tag_failed);
	assert_non_null(strstr(look.tag_why.text, "says nothing"));
}

static void other_forms_are_not_looked_into(void **state)
{
	struct registry *a = share("a", NULL);

	registry_close(a);
	registry_room_form(REGISTRY_VERSION + 1);
	see("a");
	assert_int_equal(look.form, REGISTRY_VERSION + 1);
	assert_false(look.is_known);
	registry_room_form(REGISTRY_VERSION - 1);
	see("a");
	assert_false(look.is_known);
	registry_room_form(REGISTRY_VERSION);
}

static void assert_damaged(const char *sql)
{
	struct registry *a = share("a", NULL);
	struct err e;

	registry_room_sql(sql);
	assert_true(registry_look(registry_room_folder, registry_room_place(), "a", &look, &e) < 0);
	assert_int_equal(e.code, ERR_DATA_LOSS);
	assert_null(look.hosts);
	registry_close(a);
	registry_room_leave(NULL);
}

static void what_is_not_ours_is_refused(void **state)
{
	assert_damaged("UPDATE manager SET machine = 'a b'");
	assert_damaged("UPDATE manager SET pid = -1");
	assert_damaged("UPDATE meta SET value = 'no tag' WHERE key = 'tag'");
	assert_damaged(
		"INSERT INTO lease (host, holder, instance, fence, until_ms, uri, lease_ms, vms_max)"
		" VALUES ('../etc', 'a', 1, 1, 1, 'u', 60000, 1)");
}

static void a_server_that_is_not_there_is_told(void **state)
{
	struct err e;

	assert_true(registry_look(registry_room_folder, "host=/nowhere user=nobody dbname=none",
				  "a", &look, &e) < 0);
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	assert_null(look.hosts);
}

/* What the server took to answer is in neither: a day's difference is a day's, however slow it is. */
static void a_clock_that_is_off_is_told(void **state)
{
	enum { DAY = 24 * 3600 };

	ahead = DAY;
	see("a");
	assert_in_range(look.ahead_ms, (DAY - 3600) * 1000LL, DAY * 1000LL + 1000);
	ahead = -DAY;
	see("a");
	assert_in_range(-look.ahead_ms, (DAY - 3600) * 1000LL, DAY * 1000LL + 1000);
	ahead = 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(where_nothing_is_nothing_is_made, leave),
		cmocka_unit_test_teardown(it_is_known_whose_the_name_and_the_hosts_are, leave),
		cmocka_unit_test_teardown(looking_changes_nothing, leave),
		cmocka_unit_test_teardown(another_registrys_folder_is_told, leave),
		cmocka_unit_test_teardown(other_forms_are_not_looked_into, leave),
		cmocka_unit_test_teardown(what_is_not_ours_is_refused, leave),
		cmocka_unit_test_teardown(a_server_that_is_not_there_is_told, leave),
		cmocka_unit_test_teardown(a_clock_that_is_off_is_told, leave),
	};

	return cmocka_run_group_tests(tests, registry_room_enter, registry_room_end);
}
