/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry on a PostgreSQL server alone can be. */
#include "common/base/file.h"
#include "manager/registry/registry_form.h"
#include "tests/unit/manager/registry_room.h"

#include <unistd.h>

static void one_manager_uses_a_server_at_a_time(void **state)
{
	struct registry *r, *other;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_refused(registry_open(registry_room_folder, registry_room_place(), &other, &e), e,
		       ERR_PRECONDITION, "another service uses");
	assert_int_equal(registry_epoch(r), 1);
	registry_close(r);
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_int_equal(registry_epoch(r), 2);
	registry_close(r);
}

/* Those of managers: each holds a lock of its own. */
static void break_connections(void)
{
	registry_room_sql(
		"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted");
}

static void a_connection_that_broke_is_made_anew(void **state)
{
	struct cvm one = registry_room_cvm(1), *all;
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_add(r, &one, &e), e);
	break_connections();
	assert_ok(registry_set_step(r, one.id, CVM_DOMAIN, &e), e);
	break_connections();
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 1);
	assert_int_equal(all[0].step, CVM_DOMAIN);
	free(all);
	registry_close(r);
}

/* It lost its connection, and another one was quicker. */
static void a_manager_that_lost_its_place_waits_and_then_changes_nothing(void **state)
{
	struct cvm one = registry_room_cvm(1);
	struct registry *r, *other;
	struct err e;
	int failed;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	break_connections();
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &other, &e), e);
	assert_refused(registry_add(r, &one, &e), e, ERR_UNAVAILABLE, "another service uses");
	assert_ok(registry_add(other, &one, &e), e);
	registry_close(other);
	do { /* it tries again at intervals */
		usleep(50 * 1000);
		failed = registry_set_step(r, one.id, CVM_DOMAIN, &e);
	} while (failed && e.code == ERR_UNAVAILABLE);
	assert_refused(failed, e, ERR_PRECONDITION, "another manager has used it");
	registry_close(r);
}

static void what_a_server_says_is_told(void **state)
{
	struct cvm one = registry_room_cvm(1);
	struct registry *r;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	registry_room_sql(
		"CREATE FUNCTION full_() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN"
		" RAISE EXCEPTION ''No space left on device'' USING ERRCODE = ''53100''; END';"
		"CREATE TRIGGER is_full BEFORE INSERT ON cvm FOR EACH ROW EXECUTE FUNCTION full_()");
	assert_refused(registry_add(r, &one, &e), e, ERR_EXHAUSTED, "No space left");
	assert_non_null(strstr(e.text, "PostgreSQL database"));
	assert_null(strchr(e.text, '\n'));
	registry_room_sql("DROP TRIGGER is_full ON cvm");
	assert_ok(registry_add(r, &one, &e), e);
	registry_close(r);
}

static void columns_of_another_type_are_refused(void **state)
{
	static const struct {
		const char *sql, *words;
		enum err_code code;
	} rows[] = {
		{ "ALTER TABLE cvm ALTER COLUMN id TYPE VARCHAR", "id is no text of ours",
		  ERR_DATA_LOSS },
		{ "ALTER TABLE cvm ALTER COLUMN slot TYPE TEXT", "slot is no number",
		  ERR_DATA_LOSS },
		{ "ALTER TABLE cvm ALTER COLUMN port DROP NOT NULL; UPDATE cvm SET port = NULL",
		  "port is no number", ERR_DATA_LOSS },
		{ "ALTER TABLE cvm ALTER COLUMN boot_sha3_384 TYPE TEXT", "length of a digest",
		  ERR_DATA_LOSS },
		{ "ALTER TABLE cvm DROP COLUMN owner", "owner", ERR_INTERNAL },
	};
	struct cvm one = registry_room_cvm(1), *all;
	struct registry *r;
	size_t count;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
		assert_ok(registry_add(r, &one, &e), e);
		registry_room_sql(rows[i].sql);
		assert_refused(registry_list(r, &all, &count, &e), e, rows[i].code, rows[i].words);
		registry_close(r);
		registry_room_leave(NULL);
	}
}

/* Its CVMs would be taken for lost. */
static void what_another_manager_has_made_is_refused(void **state)
{
	char tag[REGISTRY_TAG_LEN + 1];
	struct registry *r;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	strcpy(tag, registry_tag(r));
	registry_close(r);
	assert_int_equal(unlink(registry_room_tag), 0);
	for (int times = 0; times < 2; times++) {
		assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e),
			       e, ERR_PRECONDITION, "it is another manager's");
		assert_non_null(strstr(e.text, tag));
	}
	assert_ok(file_write(registry_room_tag, tag, REGISTRY_TAG_LEN, 0600, &e), e);
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_string_equal(registry_tag(r), tag);
	assert_int_equal(registry_epoch(r), 2); /* who was refused has not replaced it */
	registry_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		REGISTRY_ROOM_ROW(one_manager_uses_a_server_at_a_time),
		REGISTRY_ROOM_ROW(what_another_manager_has_made_is_refused),
		REGISTRY_ROOM_ROW(a_connection_that_broke_is_made_anew),
		REGISTRY_ROOM_ROW(a_manager_that_lost_its_place_waits_and_then_changes_nothing),
		REGISTRY_ROOM_ROW(what_a_server_says_is_told),
		REGISTRY_ROOM_ROW(columns_of_another_type_are_refused),
	};

	return cmocka_run_group_tests(tests, registry_room_enter, registry_room_end);
}
