/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/cleanup.h"
#include "computations/machines/machine_said.h"
#include "tests/unit.h"

#define ID    "5b1c6d3e-0000-4000-8000-00000000000a"
#define OTHER "5b1c6d3e-0000-4000-8000-00000000000b"

static Manager__CreateRes created(const char *id, const char *port, const char *host)
{
	Manager__CreateRes m = MANAGER__CREATE_RES__INIT;

	m.cvm_id = (char *)(uintptr_t)id;
	m.forwarded_port = (char *)(uintptr_t)port;
	m.host_address = (char *)(uintptr_t)host;
	return m;
}

static void what_was_made_is_read(void **state)
{
	Manager__CreateRes m = created(ID, "7100", "");
	struct machine_said said;
	struct err e;

	assert_ok(machine_said_created(&m, "unix:/m", &said, &e), e);
	assert_string_equal(said.id, ID);
	assert_string_equal(said.address, "127.0.0.1:7100");
	assert_ok(machine_said_created(&m, "m.example:7", &said, &e), e);
	assert_string_equal(said.address, "m.example:7100");
	m.host_address = (char *)(uintptr_t)"10.0.0.3";
	assert_ok(machine_said_created(&m, "m.example:7", &said, &e), e);
	assert_string_equal(said.address, "10.0.0.3:7100");
}

static void what_can_not_have_been_made_is_refused(void **state)
{
	static const struct {
		const char *id, *port, *host;
	} rows[] = {
		{ "", "7100", "" },
		{ "5b1c6d3e-0000-4000-8000-00000000000", "7100", "" },
		{ ID "0", "7100", "" },
		{ "5B1C6D3E-0000-4000-8000-00000000000A", "7100", "" },
		{ "5b1c6d3e00000-4000-8000-00000000000a", "7100", "" },
		{ "5b1c6d3e-0000-4000-8000-0000000000-a", "7100", "" },
		{ ID, "", "" },
		{ ID, "0", "" },
		{ ID, "65536", "" },
		{ ID, "000001", "" },
		{ ID, "-1", "" },
		{ ID, "7100", "a b" },
		{ ID, "7100", "$(id)" },
		{ ID, "7100", "a\n" },
	};
	struct machine_said said;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Manager__CreateRes m = created(rows[i].id, rows[i].port, rows[i].host);

		assert_int_equal(machine_said_created(&m, "unix:/m", &said, &e), -ERR_DATA_LOSS);
	}
}

static void a_host_may_be_so_long(void **state)
{
	char host[REACH_MAX] = "";
	struct machine_said said;
	struct err e;

	memset(host, 'a', REACH_MAX - sizeof(":65535") - 1);
	Manager__CreateRes m = created(ID, "65535", host);
	assert_ok(machine_said_created(&m, "unix:/m", &said, &e), e);
	host[strlen(host)] = 'a';
	assert_int_equal(machine_said_created(&m, "unix:/m", &said, &e), -ERR_DATA_LOSS);
}

static Manager__Vm vm(const char *state, const char *reason)
{
	Manager__Vm m = MANAGER__VM__INIT;

	m.id = (char *)(uintptr_t)ID;
	m.name = (char *)(uintptr_t)"tag";
	m.state = (char *)(uintptr_t)state;
	m.exit_reason = (char *)(uintptr_t)reason;
	m.forwarded_port = 7100;
	return m;
}

static void each_state_is_a_fate(void **state)
{
	static const struct {
		const char *state, *reason;
		enum machine_fate fate;
	} rows[] = {
		{ "creating", "", MACHINE_FATE_COMING },
		{ "running", "", MACHINE_FATE_RUNNING },
		{ "lost", "", MACHINE_FATE_UNKNOWN },
		{ "removing", "failed", MACHINE_FATE_GOING },
		{ "exited", "abandoned", MACHINE_FATE_LEFT_US },
		{ "exited", "interrupted", MACHINE_FATE_LEFT_US },
		{ "exited", "expired", MACHINE_FATE_EXPIRED },
		{ "exited", "removed", MACHINE_FATE_GONE },
		{ "exited", "ended", MACHINE_FATE_GONE },
		{ "exited", "failed", MACHINE_FATE_GONE },
		{ "exited", "", MACHINE_FATE_GONE },
		{ "exited", "anything", MACHINE_FATE_GONE },
	};
	struct machine_said said;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Manager__Vm m = vm(rows[i].state, rows[i].reason);

		assert_ok(machine_said_vm(&m, "unix:/m", "tag", ID, &said, &e), e);
		assert_int_equal(said.fate, rows[i].fate);
		assert_true(*said.words);
		assert_int_equal(*said.address != 0, said.fate == MACHINE_FATE_RUNNING);
		assert_ok(machine_said_vm(&m, "unix:/m", "tag", "", &said, &e), e);
		assert_string_equal(said.id, ID);
	}
}

static void of_another_nothing_is_believed(void **state)
{
	Manager__Vm m = vm("running", "");
	struct machine_said said;
	struct err e;

	assert_refused(machine_said_vm(&m, "unix:/m", "other", ID, &said, &e), e, ERR_DATA_LOSS,
		       "not asked for");
	assert_refused(machine_said_vm(&m, "unix:/m", "tag", OTHER, &said, &e), e, ERR_DATA_LOSS,
		       "the id of another one");
	m.forwarded_port = 65536;
	assert_refused(machine_said_vm(&m, "unix:/m", "tag", ID, &said, &e), e, ERR_DATA_LOSS,
		       "no port");
	m = vm("Running", "");
	assert_refused(machine_said_vm(&m, "unix:/m", "tag", ID, &said, &e), e, ERR_DATA_LOSS,
		       "no such state");
	m = vm("running", "");
	m.id = (char *)(uintptr_t)"cvm-1";
	assert_refused(machine_said_vm(&m, "unix:/m", "tag", "", &said, &e), e, ERR_DATA_LOSS,
		       "no UUID");
}

static void tags_are_names_that_no_other_has(void **state)
{
	char one[MACHINE_TAG_LEN + 1], two[MACHINE_TAG_LEN + 1];
	struct err e;

	assert_ok(machine_tag_make(one, &e), e);
	assert_ok(machine_tag_make(two, &e), e);
	assert_int_equal(strlen(one), MACHINE_TAG_LEN);
	assert_int_equal(strspn(one + 6, "0123456789abcdef"), 32);
	assert_string_not_equal(one, two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_made_is_read),
		cmocka_unit_test(what_can_not_have_been_made_is_refused),
		cmocka_unit_test(a_host_may_be_so_long),
		cmocka_unit_test(each_state_is_a_fate),
		cmocka_unit_test(of_another_nothing_is_believed),
		cmocka_unit_test(tags_are_names_that_no_other_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
