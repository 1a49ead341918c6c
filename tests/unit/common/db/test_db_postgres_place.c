/* SPDX-License-Identifier: Apache-2.0 */
/* Where a PostgreSQL database may be, and what may be said of it. */
#include "common/db/db_postgres.h"
#include "common/db/db_postgres_place.h"
#include "tests/unit.h"

static const char *value_of(const struct postgres_place *place, const char *key)
{
	for (size_t i = 0; place->keys[i]; i++)
		if (strcmp(place->keys[i], key) == 0)
			return place->values[i];
	return "";
}

static void a_path_is_no_server(void **state)
{
	assert_false(db_postgres_is_place("/var/lib/cocos/a=b.db"));
	assert_false(db_postgres_is_place("computations.db"));
	assert_true(db_postgres_is_place("postgresql:///cocos"));
	assert_true(db_postgres_is_place("postgres://db.example/cocos"));
	assert_true(db_postgres_is_place("host=/run/postgresql"));
}

static void another_machine_needs_tls_with_its_name(void **state)
{
	static const struct {
		const char *place, *mode;
	} good[] = {
		{ "postgresql:///cocos", "" },
		{ "host=/run/postgresql dbname=cocos", "" },
		{ "host=127.0.0.1", "" },
		{ "postgresql://[::1]:5433/cocos", "" },
		{ "host=localhost sslmode=disable", "disable" },
		{ "host=db.example", "verify-full" },
		{ "postgresql://db.example/cocos?sslmode=verify-full", "verify-full" },
		{ "host=localhost,db.example", "verify-full" },
		{ "host=localhost hostaddr=192.0.2.1", "verify-full" },
		{ "hostaddr=127.0.0.1,192.0.2.1", "verify-full" },
	};
	static const char *const wrong[] = {
		"host=db.example sslmode=require",
		"host=db.example sslmode=verify-ca",
		"host=/run/postgresql,db.example sslmode=prefer",
		"host=localhost hostaddr=192.0.2.1 sslmode=disable",
		"postgresql://db.example/cocos?sslmode=allow",
	};
	struct postgres_place place;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(postgres_place_read(good[i].place, &place, &e), e);
		assert_string_equal(value_of(&place, "sslmode"), good[i].mode);
		postgres_place_done(&place);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_refused(db_postgres_check(wrong[i], &e), e, ERR_INVALID, "verify-full");
}

static void passwords_and_strange_words_are_refused(void **state)
{
	static const struct {
		const char *place, *words;
	} wrong[] = {
		{ "postgresql://cocos:hunter2@localhost/cocos", "passfile" },
		{ "host=localhost password=hunter2", "passfile" },
		{ "host=localhost options='-c hunter2=1'", "'options'" },
		{ "service=hunter2", "'service'" },
		{ "host=localhost gssencmode=prefer", "'gssencmode'" },
		{ "host=localhost hunter2=1", "neither" },
		{ "host=localhost hunter2", "neither" },
		{ "postgresql://cocos:hunter2@[::1/cocos", "neither" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_refused(db_postgres_check(wrong[i].place, &e), e, ERR_INVALID,
			       wrong[i].words);
		assert_null(strstr(e.text, "hunter2"));
	}
}

static void the_environment_says_nothing_of_it(void **state)
{
	static const char *const variables[] = { "PGHOST", "PGPASSWORD", "PGSSLMODE", "PGSERVICE",
						 "PGOPTIONS" };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		setenv(variables[i], "x", 1);
		assert_refused(db_postgres_check("host=localhost", &e), e, ERR_INVALID,
			       variables[i]);
		unsetenv(variables[i]);
	}
	setenv("PGPASSFILE", "/nowhere", 1);
	assert_ok(db_postgres_check("host=localhost", &e), e);
	unsetenv("PGPASSFILE");
}

static void nobody_there_is_said_in_a_line(void **state)
{
	const struct db_postgres how = { .place = "host=/nowhere dbname=cocos", .schema = "test" };
	struct db db;
	struct err e;

	assert_refused(db_postgres_open(&db, &how, &e), e, ERR_UNAVAILABLE,
		       "PostgreSQL database 'cocos' at '/nowhere': database: connect: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_no_server),
		cmocka_unit_test(another_machine_needs_tls_with_its_name),
		cmocka_unit_test(passwords_and_strange_words_are_refused),
		cmocka_unit_test(the_environment_says_nothing_of_it),
		cmocka_unit_test(nobody_there_is_said_in_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
