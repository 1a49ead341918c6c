/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/cleanup.h"
#include "computations/machines/manager_table.h"
#include "tests/unit.h"

#include <stdio.h>

static struct manager_table table;

static int parse(const char *text, struct err *e)
{
	return manager_table_parse(text, strlen(text), "t", &table, e);
}

#define HERE "manager here unix:/run/m.sock agents=10.0.2.2:7001\n"

static void a_table_is_read(void **state)
{
	const struct manager_row *row;
	struct machine_quota quota;
	struct err e;

	assert_ok(
		parse("# comment\n\n" HERE
		      "manager ward-2 m.example:7 agents=s.example:7001 ca=/ca cert=/cert key=/key "
		      "agents-ca=/a agents-cert=/b agents-key=/c\n"
		      "manager near 127.0.0.1:7 agents=[::1]:1\nmanager six [::1]:7 agents=h:1\n"
		      "limit lab cvms=3 cpus=8 memory=4G cvm-hours=5 cpu-hours=100000000 "
		      "memory-hours=1\nlimit * cvms=1\nlimit none cvms=0 cpu-hours=9\n",
		      &e),
		e);
	assert_int_equal(table.count, 4);
	assert_ok(manager_table_find(&table, "ward-2", &row, &e), e);
	assert_string_equal(row->address, "m.example:7");
	assert_string_equal(row->agents, "s.example:7001");
	assert_string_equal(row->files[MANAGER_KEY], "/key");
	assert_string_equal(row->files[MANAGER_AGENTS_KEY], "/c");
	assert_refused(manager_table_find(&table, "x", &row, &e), e, ERR_NOT_FOUND,
		       "no manager 'x'");
	assert_refused(manager_table_find(&table, "", &row, &e), e, ERR_INVALID, "say which one");
	assert_ok(manager_table_quota(&table, "lab", &quota, &e), e);
	assert_int_equal(quota.cvms, 3);
	assert_int_equal(quota.cpus, 8);
	assert_int_equal(quota.memory, UINT64_C(4) << 30);
	assert_int_equal(quota.cvm_hours, 5);
	assert_int_equal(quota.cpu_hours, USAGE_LIMIT_MAX);
	assert_int_equal(quota.memory_hours, 1);
	assert_ok(manager_table_quota(&table, "other", &quota, &e), e);
	assert_int_equal(quota.cvms, 1);
	assert_int_equal(quota.cpus, UINT64_MAX);
	assert_int_equal(quota.cpu_hours, UINT64_MAX);
	assert_refused(manager_table_quota(&table, "none", &quota, &e), e, ERR_DENIED,
		       "may have no CVMs");
	/* Those that it has are measured all the same. */
	assert_true(manager_table_quota_of(&table, "none", &quota));
	assert_int_equal(quota.cpu_hours, 9);
	assert_true(manager_table_quota_of(&table, "other", &quota));
	assert_int_equal(quota.cpu_hours, UINT64_MAX);
	assert_true(manager_table_limits(&table, "none"));
	assert_false(manager_table_limits(&table, "other"));
}

static void one_manager_needs_no_name_and_no_limit_is_none(void **state)
{
	const struct manager_row *row;
	struct machine_quota quota;
	struct err e;

	assert_ok(parse(HERE, &e), e);
	assert_ok(manager_table_find(&table, "", &row, &e), e);
	assert_string_equal(row->name, "here");
	assert_refused(manager_table_quota(&table, "lab", &quota, &e), e, ERR_DENIED,
		       "'limit lab cvms=N'");
	assert_false(manager_table_quota_of(&table, "lab", &quota));
	table.count = 0;
	assert_refused(manager_table_find(&table, "", &row, &e), e, ERR_PRECONDITION,
		       "no manager to make CVMs");
}

static void managers_of_one_fleet_are_one_to_who_names_none(void **state)
{
	const struct manager_row *row;
	struct err e;

	assert_ok(parse("manager a h:1 fleet=ward agents=h:2 ca=/c cert=/d key=/e\n"
			"manager b h:3 fleet=ward agents=h:2 ca=/c cert=/d key=/e\n",
			&e),
		  e);
	assert_ok(manager_table_find(&table, "", &row, &e), e);
	assert_string_equal(row->name, "a");
	assert_ok(manager_table_find(&table, "b", &row, &e), e);
	assert_string_equal(row->name, "b");
	for (int i = 0; i < 2; i++) { /* of two fleets, or one of none */
		strcpy(table.rows[i].fleet, i ? "" : "west");
		assert_refused(manager_table_find(&table, "", &row, &e), e, ERR_INVALID,
			       "say which one");
	}
	strcpy(table.rows[0].fleet, "");
	assert_refused(manager_table_find(&table, "", &row, &e), e, ERR_INVALID, "say which one");
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "t: no manager" },
		{ "host x\n", "t:1: 'host': a line begins with manager, limit or plan" },
		{ "\nmanager\n", "t:2: manager ''" },
		{ "manager A unix:/m agents=h:1\n", "t:1: manager 'A': a name" },
		{ "manager a\n", "is no HOST:PORT and no unix:/PATH" },
		{ "manager a unix:m agents=h:1\n", "is no HOST:PORT and no unix:/PATH" },
		{ "manager a h agents=h:1\n", "is no HOST:PORT and no unix:/PATH" },
		{ "manager a unix:/m\n", "agents= is missing" },
		{ "manager a unix:/m agents=unix:/x\n", "it has to be HOST:PORT" },
		{ "manager a unix:/m agents=h:1 agents=h:1\n", "agents is there twice" },
		{ "manager a unix:/m agents=h:1 ca=x\n", "the absolute path of a file" },
		{ "manager a unix:/m agents=h:1 ca=/x ca=/x\n", "ca is there twice" },
		{ "manager a unix:/m agents=h:1 port=1\n", "'port' is no agents=" },
		{ "manager a unix:/m agents=h:1 agents\n", "'agents' is no agents=" },
		{ "manager a unix:/m agents=h:1 fleet=A\n", "fleet='A': it has to be a name" },
		{ "manager a unix:/m agents=h:1 fleet=\n", "it has to be a name" },
		{ "manager a unix:/m agents=h:1 fleet=x fleet=x\n", "fleet is there twice" },
		{ "manager a unix:/m agents=h:1 ca=/x cert=/x key=/x\n", "a socket takes no ca=" },
		{ "manager a unix:/m agents=h:1 cert=/x key=/x\n", "go together" },
		{ "manager a unix:/m agents=h:1 agents-key=/x\n", "go together" },
		{ "manager a h:1 agents=h:1\n", "on another machine" },
		{ "manager a h:1 agents=h:1 ca=/x\n", "on another machine" },
		{ "manager a h:1 agents=h:1 ca=/x key=/x\n", "go together" },
		{ HERE HERE, "t:2: manager here is there twice" },
		{ HERE "manager b unix:/run/m.sock agents=h:1\n",
		  "has the address of manager here" },
		{ "limit\n", "the name of a workspace" },
		{ "limit a\n", "cvms= is missing" },
		{ "limit a cpus=1\n", "cvms= is missing" },
		{ "limit a cvms=01\n", "limit a: 'cvms'" },
		{ "limit a cvms=4097\n", "limit a: 'cvms'" },
		{ "limit a cvms\n", "limit a: 'cvms'" },
		{ "limit a cvms=1 cvms=1\n", "once at most" },
		{ "limit a cvms=1 cpus=524289\n", "limit a: 'cpus'" },
		{ "limit a cvms=1 memory=65T\n", "limit a: 'memory'" },
		{ "limit a cvms=1 disk=1\n", "limit a: 'disk'" },
		{ "limit a cvms=1 cpu-hours=0\n", "limit a: 'cpu-hours'" },
		{ "limit a cvms=1 cvm-hours=100000001\n", "limit a: 'cvm-hours'" },
		{ "limit a cvms=1 memory-hours=1 memory-hours=1\n", "limit a: 'memory-hours'" },
		{ "limit a cpu-hours=1\n", "cvms= is missing" },
		{ "plan\n", "plan '': use at most" },
		{ "plan A cpu-hours=1\n", "plan 'A': use at most" },
		{ "plan a\n", "plan a limits nothing" },
		{ "plan a cvms=1\n", "plan a: 'cvms'" },
		{ "plan a cpu-hours=0\n", "plan a: 'cpu-hours'" },
		{ "plan a cpu-hours=100000001\n", "plan a: 'cpu-hours'" },
		{ "plan a cpu-hours=1 cpu-hours=1\n", "once at most" },
		{ "plan a disk-hours=1\n", "plan a: 'disk-hours'" },
		{ "plan a cpu-hours\n", "plan a: 'cpu-hours'" },
		{ "plan a cpu-hours=1\nplan a cvm-hours=1\n", "t:2: plan a is there twice" },
		{ "limit a cvms=1\nlimit a cvms=1\n", "t:2: limit a is there twice" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(parse(rows[i].text, &e), e, ERR_INVALID, rows[i].words);
}

static void a_table_has_its_limits(void **state)
{
	static char text[MANAGER_TABLE_FILE_MAX + 2];
	char name[MANAGER_NAME_MAX + 2] = "";
	size_t len = 0;
	struct err e;

	for (int i = 0; i < MANAGERS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"manager m%d unix:/%d agents=h:1\n", i, i);
	for (int i = 0; i < MANAGER_LIMITS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"limit w%d cvms=4096 cpus=524288 memory=64T\n", i);
	assert_ok(manager_table_parse(text, len, "t", &table, &e), e);
	snprintf(text + len, sizeof(text) - len, "limit more cvms=1\n");
	assert_refused(parse(text, &e), e, ERR_INVALID, "more than 256 limits");
	snprintf(text + len, sizeof(text) - len, "manager more unix:/x agents=h:1\n");
	assert_refused(parse(text, &e), e, ERR_INVALID, "more than 16 managers");
	memset(text, '#', sizeof(text));
	assert_refused(manager_table_parse(text, MANAGER_TABLE_FILE_MAX + 1, "t", &table, &e), e,
		       ERR_INVALID, "more than 65536 bytes");
	memset(name, 'a', MANAGER_NAME_MAX);
	snprintf(text, sizeof(text), "manager %s unix:/m agents=h:1\n", name);
	assert_ok(parse(text, &e), e);
	name[MANAGER_NAME_MAX] = 'a';
	snprintf(text, sizeof(text), "manager %.*s unix:/m agents=h:1\n", MANAGER_NAME_MAX + 1,
		 name);
	assert_refused(parse(text, &e), e, ERR_INVALID, "a name is 32");
}

static void managers_of_one_fleet_are_asked_in_turn(void **state)
{
	const struct manager_row *rows = table.rows;
	struct err e;

	assert_ok(
		parse("manager a unix:/a agents=h:1 fleet=w\nmanager b unix:/b agents=h:1\n"
		      "manager c unix:/c agents=h:1 fleet=w\nmanager d unix:/d agents=h:1 fleet=v\n"
		      "manager e unix:/e fleet=w agents=h:1\n",
		      &e),
		e);
	assert_string_equal(rows[0].fleet, "w");
	assert_string_equal(rows[1].fleet, "");
	assert_ptr_equal(manager_table_next(&table, &rows[0], &rows[0]), &rows[2]);
	assert_ptr_equal(manager_table_next(&table, &rows[0], &rows[2]), &rows[4]);
	assert_ptr_equal(manager_table_next(&table, &rows[0], &rows[4]), &rows[2]);
	assert_ptr_equal(manager_table_next(&table, &rows[4], &rows[4]), &rows[0]);
	assert_null(manager_table_next(&table, &rows[1], &rows[1])); /* of none */
	assert_null(manager_table_next(&table, &rows[3], &rows[3])); /* the only one of its */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_read),
		cmocka_unit_test(one_manager_needs_no_name_and_no_limit_is_none),
		cmocka_unit_test(managers_of_one_fleet_are_one_to_who_names_none),
		cmocka_unit_test(what_is_wrong_is_said_with_its_line),
		cmocka_unit_test(a_table_has_its_limits),
		cmocka_unit_test(managers_of_one_fleet_are_asked_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
