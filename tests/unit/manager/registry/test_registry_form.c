/* SPDX-License-Identifier: Apache-2.0 */
/* Each older form of the registry's tables becomes this one. */
#include "common/base/file.h"
#include "manager/registry/registry_form.h"
#include "tests/unit/manager/registry_room.h"

static void files_of_another_form_are_refused(void **state)
{
	struct registry *r;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	registry_close(r);
	registry_room_form(REGISTRY_VERSION + 1);
	assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e), e,
		       ERR_PRECONDITION, "newer cocos-manager");
	registry_room_form(-1);
	assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e), e,
		       ERR_DATA_LOSS, "which is none");
	registry_room_form(REGISTRY_VERSION);
	registry_room_sql("DELETE FROM meta");
	assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e), e,
		       ERR_DATA_LOSS, "tag");
	assert_non_null(strstr(e.text, registry_room_way_out()));
	registry_room_sql("INSERT INTO meta VALUES ('tag', '../../..')");
	assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e), e,
		       ERR_DATA_LOSS, "tag");
}

static void a_registry_of_the_first_version_is_taken_over(void **state)
{
	static struct cvm_gone gone[REGISTRY_GONE_MAX];
	struct cvm *all, more = registry_room_cvm(2);
	struct registry *r;
	size_t count;
	struct err e;

	for (int has_gone = 0; has_gone < 2; has_gone++) {
		registry_room_first();
		if (has_gone) /* as later managers of that version made it */
			registry_room_sql(
				"CREATE TABLE gone (nr {counted}, id TEXT NOT NULL) {strict};"
				"INSERT INTO gone (id) VALUES ('00000000-0000-4000-8000-000000000077')");
		for (int times = 0; times < 2; times++) {
			assert_ok(
				registry_open(registry_room_folder, registry_room_place(), &r, &e),
				e);
			assert_string_equal(registry_tag(r), "0123abcd");
			assert_int_equal(registry_epoch(r), 1 + times);
			assert_ok(registry_list(r, &all, &count, &e), e);
			assert_int_equal(count, 1);
			registry_room_check_first(&all[0]);
			free(all);
			assert_ok(registry_gone(r, gone, &count, &e), e);
			assert_int_equal(count, has_gone);
			if (has_gone)
				assert_string_equal(gone[0].id, registry_room_cvm(77).id);
			registry_close(r);
		}
		assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
		assert_ok(registry_add(r, &more, &e), e);
		assert_ok(registry_delete(r, &more, &e), e);
		assert_ok(registry_gone(r, gone, &count, &e), e);
		assert_string_equal(gone[count - 1].name, more.name);
		registry_close(r);
		registry_room_leave(NULL);
	}
}

/* Its CVMs run on the one host that it had. */
static void a_registry_of_the_third_version_is_taken_over(void **state)
{
	struct cvm cvm = registry_room_cvm(1), *all;
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_add(r, &cvm, &e), e);
	registry_close(r);
	registry_room_sql(
		"DROP TABLE manager; DROP TABLE lease; DROP TABLE host; ALTER TABLE cvm DROP COLUMN host");
	registry_room_form(3);
	for (int times = 0; times < 2; times++) {
		assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
		assert_ok(registry_list(r, &all, &count, &e), e);
		assert_int_equal(count, 1);
		cvm.host[0] = '\0';
		assert_cvm_equal(&all[0], &cvm);
		free(all);
		registry_close(r);
	}
	registry_room_sql("UPDATE cvm SET host = '../x'");
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_refused(registry_list(r, &all, &count, &e), e, ERR_DATA_LOSS, "is no host's name");
	registry_close(r);
}

/* What it was made of, one step back after the other. */
static void a_registry_of_each_earlier_version_is_taken_over(void **state)
{
	static const char *const back[] = {
		"DROP TABLE manager",
		"DROP TABLE manager; DROP TABLE lease",
		"DROP TABLE manager; DROP TABLE lease; DROP TABLE host",
		"DROP TABLE manager; DROP TABLE lease; DROP TABLE host; ALTER TABLE cvm DROP COLUMN host",
		("DROP TABLE manager; DROP TABLE lease; DROP TABLE host;"
		 "ALTER TABLE cvm DROP COLUMN host; ALTER TABLE cvm DROP COLUMN owner;"
		 "ALTER TABLE gone DROP COLUMN owner"),
	};
	struct registry_host *hosts;
	struct cvm cvm, *all;
	struct registry *r;
	size_t count;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(back) + 1; i++) {
		cvm = registry_room_cvm(1);
		if (i < ARRAY_LEN(back)) {
			assert_ok(
				registry_open(registry_room_folder, registry_room_place(), &r, &e),
				e);
			assert_ok(registry_add(r, &cvm, &e), e);
			registry_close(r);
			registry_room_sql(back[i]);
			registry_room_form(6 - (int)i);
		} else {
			registry_room_first();
		}
		for (int times = 0; times < 2; times++) {
			assert_ok(
				registry_open(registry_room_folder, registry_room_place(), &r, &e),
				e);
			assert_ok(registry_list(r, &all, &count, &e), e);
			assert_int_equal(count, 1);
			assert_string_equal(all[0].id, cvm.id);
			assert_string_equal(all[0].host, i < 3 ? cvm.host : "");
			assert_string_equal(all[0].owner, i < 4 ? cvm.owner : "");
			free(all);
			assert_ok(registry_hosts(r, &hosts, &count, &e), e);
			assert_int_equal(count, times);
			if (!times)
				assert_ok(registry_host_add(r, &registry_room_host, &e), e);
			else
				registry_room_assert_host(hosts, "ward-4", registry_room_host.uri,
							  true);
			free(hosts);
			registry_close(r);
		}
		registry_room_leave(NULL);
	}
}

/* Only whole: what an update could not finish is as it was. */
static void an_update_that_fails_changes_nothing(void **state)
{
	struct registry *r;
	struct err e;

	registry_room_first();
	registry_room_sql(
		"CREATE TABLE gone (nr {integer} PRIMARY KEY, id TEXT, exited_ms {integer})");
	assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e), e,
		       ERR_INTERNAL, "exited_ms");
	registry_room_sql("DROP TABLE gone");
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	registry_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		REGISTRY_ROOM_ROW(files_of_another_form_are_refused),
		REGISTRY_ROOM_ROW(a_registry_of_the_first_version_is_taken_over),
		REGISTRY_ROOM_ROW(a_registry_of_the_third_version_is_taken_over),
		REGISTRY_ROOM_ROW(a_registry_of_each_earlier_version_is_taken_over),
		REGISTRY_ROOM_ROW(an_update_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, registry_room_enter, registry_room_end);
}
