/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/writer.h"
#include "guest/modules.h"
#include "tests/unit.h"

static void a_list_is_read_in_order(void **state)
{
	struct modules modules;
	struct err e;

	assert_ok(modules_parse("netfs.ko needed\nsev_guest.ko optional\n", &modules, &e), e);
	assert_int_equal(modules.count, 2);
	assert_string_equal(modules.module[0].name, "netfs.ko");
	assert_false(modules.module[0].optional);
	assert_string_equal(modules.module[1].name, "sev_guest.ko");
	assert_true(modules.module[1].optional);
	assert_ok(modules_parse("", &modules, &e), e);
	assert_int_equal(modules.count, 0);
}

static void what_is_no_line_is_refused(void **state)
{
	static const char *const lists[] = {
		"\n",
		"a.ko\n",
		"a.ko \n",
		"a.ko wanted\n",
		"a.ko  needed\n",
		"a b.ko needed\n",
		"../a.ko needed\n",
		"x/a.ko needed\n",
		".ko needed\n",
		" needed\n",
		"a.ko needed",
		"a.ko needed\n\n",
		"a.ko needed\r\n",
		"a.ko needed optional\n",
	};
	struct modules modules = { .count = 7 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		assert_refused(modules_parse(lists[i], &modules, &e), e, ERR_INVALID,
			       "module list");
	assert_int_equal(modules.count, 7);
}

static void count_and_names_have_limits(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(MODULES_LIST_MAX);
	char line[MODULE_NAME_MAX + 16];
	struct modules modules;
	struct err e;

	for (int i = 0; i < MODULES_MAX; i++)
		writer_printf(&w, "m%d.ko needed\n", i);
	writer_u8(&w, 0);
	assert_ok(modules_parse((char *)w.bytes, &modules, &e), e);
	assert_int_equal(modules.count, MODULES_MAX);
	w.len--;
	writer_text(&w, "one.ko needed\n");
	writer_u8(&w, 0);
	assert_false(w.bad);
	assert_refused(modules_parse((char *)w.bytes, &modules, &e), e, ERR_INVALID, "more than");

	memset(line, 'a', sizeof(line));
	memcpy(line + MODULE_NAME_MAX, " needed\n", 9);
	assert_ok(modules_parse(line, &modules, &e), e);
	memcpy(line + MODULE_NAME_MAX, "a needed\n", 10);
	assert_refused(modules_parse(line, &modules, &e), e, ERR_INVALID, "line 1");
}

static void a_folder_without_a_list_is_refused(void **state)
{
	struct err e;

	assert_refused(modules_load("/proc/nowhere", &e), e, ERR_NOT_FOUND, "/proc/nowhere");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_read_in_order),
		cmocka_unit_test(what_is_no_line_is_refused),
		cmocka_unit_test(count_and_names_have_limits),
		cmocka_unit_test(a_folder_without_a_list_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
