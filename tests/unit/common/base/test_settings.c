/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/settings_idle.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

struct demo {
	char *name;
	uint16_t port;
	uint64_t vms, memory, wait;
	bool plain, port_given;
};

static const struct setting table[] = {
	SETTING("DEMO_NAME", SETTING_TEXT, demo, name, NULL, "a name"),
	{ .name = "DEMO_PORT",
	  .type = SETTING_PORT,
	  .offset = offsetof(struct demo, port),
	  .given = offsetof(struct demo, port_given),
	  .fallback = "7002",
	  .help = "a port" },
	{ .name = "DEMO_VMS",
	  .type = SETTING_NUMBER,
	  .offset = offsetof(struct demo, vms),
	  .fallback = "10",
	  .min = 1,
	  .max = 100,
	  .help = "how many" },
	SETTING("DEMO_MEMORY", SETTING_SIZE, demo, memory, "512M", "how much"),
	{ .name = "DEMO_WAIT",
	  .type = SETTING_DURATION,
	  .offset = offsetof(struct demo, wait),
	  .fallback = "30s",
	  .min = 1000,
	  .max = 7200000,
	  .help = "how long" },
	SETTING("DEMO_PLAIN", SETTING_FLAG, demo, plain, "false", "whether"),
};

static const char *const others[] = { "DEMO_CLIENT", "DEMO_QEMU_", NULL };
static const struct settings_environment environment = { "DEMO_", others };

static int load(const char *text, struct demo *d, struct err *e)
{
	struct keyfile file;

	memset(d, 0, sizeof(*d));
	if (keyfile_parse(text, strlen(text), &file, e) < 0)
		return err_code(e);
	file.path = "/etc/demo.env";
	int result = settings_load(table, ARRAY_LEN(table), &file, &environment, d, e);
	keyfile_done(&file);
	return result;
}

static void defaults_file_and_environment_stand_in_order(void **state)
{
	struct demo d;
	struct err e;

	assert_ok(load("# comment\n\nDEMO_NAME=\"a b\"\r\nDEMO_VMS=7\nDEMO_PORT=\n", &d, &e), e);
	assert_string_equal(d.name, "a b");
	assert_int_equal(d.vms, 7);
	assert_int_equal(d.port, 7002); /* empty is absent */
	assert_int_equal(d.memory, 512 << 20);
	assert_int_equal(d.wait, 30000);
	settings_done(table, ARRAY_LEN(table), &d);
	setenv("DEMO_VMS", "8", 1);
	assert_ok(load("DEMO_VMS=7\n", &d, &e), e);
	assert_int_equal(d.vms, 8);
	assert_null(d.name);
	unsetenv("DEMO_VMS");
}

static void bad_settings_are_named(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "DEMO_PORT=65536", "DEMO_PORT" },
		{ "DEMO_PORT=-1", "DEMO_PORT" },
		{ "DEMO_VMS=0", "out of range" },
		{ "DEMO_VMS=101", "out of range" },
		{ "DEMO_VMS=18446744073709551616", "too large" },
		{ "DEMO_MEMORY=1X", "is not a size" },
		{ "DEMO_MEMORY=99999999T", "too large" },
		{ "DEMO_WAIT=5", "is not a duration" },
		{ "DEMO_WAIT=h", "is not a duration" },
		{ "DEMO_WAIT=0s", "out of range (1s to 2h)" },
		{ "DEMO_WAIT=10000000h", "longer than any duration" },
		{ "DEMO_PLAIN=yes", "neither true nor false" },
		{ "DEMO_STRANGE=1", "unknown setting DEMO_STRANGE" },
		{ "DEMO_VSM=1", "the nearest there is: DEMO_VMS" },
		{ "DEMO_VMS=1\nDEMO_VMS=1", "line 2" },
		{ "\nnonsense", "line 2" },
		{ "=x", "line 1" },
		{ "demo=x", "line 1" },
		{ "1A=x", "line 1" },
		{ "A\xC0=x", "invalid UTF-8" },
	};
	struct demo d;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_true(load(bad[i].text, &d, &e) < 0);
		if (!strstr(e.text, bad[i].words))
			fail_msg("%s: %s", bad[i].text, e.text);
	}
}

static void what_is_refused_tells_where_it_stands(void **state)
{
	struct demo d;
	struct err e;

	assert_true(load("DEMO_PORT=65536\n", &d, &e) < 0);
	assert_string_equal(e.text,
			    "'/etc/demo.env': DEMO_PORT: '65536' is not a port; use 0 to 65535");
	assert_true(load("DEMO_VSM=1\n", &d, &e) < 0);
	assert_non_null(strstr(e.text, "'/etc/demo.env': unknown setting DEMO_VSM"));
	setenv("DEMO_PORT", "65536", 1);
	assert_true(load("DEMO_PORT=1\n", &d, &e) < 0);
	assert_non_null(strstr(e.text, "environment: DEMO_PORT: "));
	unsetenv("DEMO_PORT");
}

static void what_was_given_is_told_from_a_default(void **state)
{
	static const struct {
		const char *text;
		bool given;
	} rows[] = { { "", false }, { "DEMO_PORT=\n", false }, { "DEMO_PORT=7002\n", true } };
	struct demo d;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(load(rows[i].text, &d, &e), e);
		assert_int_equal(d.port, 7002);
		assert_int_equal(d.port_given, rows[i].given);
	}
	setenv("DEMO_PORT", "0", 1);
	assert_ok(load("", &d, &e), e);
	assert_true(d.port_given && d.port == 0);
	unsetenv("DEMO_PORT");
}

/* Where the log goes meanwhile. */
struct log_kept {
	int kept, to;
};

static struct log_kept log_keep(void)
{
	struct log_kept k = { fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10),
			      memfd_create("log", MFD_CLOEXEC) };

	assert_true(k.kept >= 0 && k.to >= 0 && dup2(k.to, STDERR_FILENO) == STDERR_FILENO);
	return k;
}

/* What was logged since; "" for nothing. */
static const char *log_kept(struct log_kept k)
{
	static char text[4096];
	ssize_t len;

	dup2(k.kept, STDERR_FILENO);
	close(k.kept);
	len = pread(k.to, text, sizeof(text) - 1, 0);
	close(k.to);
	assert_true(len >= 0);
	text[len] = '\0';
	return text;
}

/* What settings_load() logs of those variables. */
static const char *logged(int *failed, struct demo *d, struct err *e)
{
	struct log_kept k = log_keep();

	*failed = load("", d, e);
	return log_kept(k);
}

static const char *warned_of(const struct setting_idle *rows, size_t count,
			     const struct keyfile *file)
{
	struct log_kept k = log_keep();

	settings_warn_idle(table, ARRAY_LEN(table), rows, count, file, &environment);
	return log_kept(k);
}

static void misspelt_variables_are_refused_and_others_told(void **state)
{
	static const struct {
		const char *name, *value, *refused, *told; /* both NULL: neither */
	} rows[] = {
		{ "DEMO_MEMROY", "1G",
		  "environment: unknown setting 'DEMO_MEMROY'; the nearest there is: DEMO_MEMORY",
		  NULL },
		{ "DEMO_PLAINN", "true", "DEMO_PLAIN", NULL },
		{ "DEMO_PLAINNN", "true", "DEMO_PLAIN", NULL },
		{ "DEMO_PLAINNNN", "true", NULL, "'DEMO_PLAINNNN'" },
		{ "DEMO_STRANGE", "1", NULL, "ignored: 'DEMO_STRANGE'\n" },
		{ "DEMO_STR\033[2J", "1", NULL, "'DEMO_STR\\x1b[2J'" },
		{ "DEMO_", "1", NULL, "'DEMO_'" },
		{ "DEMO_CLIENTS", "1", NULL, "'DEMO_CLIENTS'" },
		{ "DEMO_QEMU", "1", NULL, "'DEMO_QEMU'" },
		{ "DEMO_MEMROY", "", NULL, NULL }, /* empty is absent */
		{ "DEMO_STRANGE", "", NULL, NULL },
		{ "DEMO_CLIENT", "1", NULL, NULL },
		{ "DEMO_QEMU_CPU", "1", NULL, NULL },
		{ "DEMOX", "1", NULL, NULL },
		{ "demo_memroy", "1", NULL, NULL },
	};
	struct demo d;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *said;
		int failed;

		setenv(rows[i].name, rows[i].value, 1);
		said = logged(&failed, &d, &e);
		unsetenv(rows[i].name);
		if (rows[i].refused)
			assert_refused(failed, e, ERR_INVALID, rows[i].refused);
		else
			assert_ok(failed, e);
		if (rows[i].told)
			assert_non_null(strstr(said, rows[i].told));
		else
			assert_string_equal(said, "");
	}
}

static void variables_are_told_in_one_line_however_many(void **state)
{
	char name[300] = "DEMO_";
	struct demo d;
	struct err e;
	const char *said;
	int failed;

	memset(name + 5, 'X', sizeof(name) - 6);
	for (int i = 0; i < 14; i++) {
		name[20] = (char)('A' + i);
		setenv(name, "1", 1);
	}
	said = logged(&failed, &d, &e);
	assert_ok(failed, e);
	assert_non_null(strstr(said, " and 6 more\n"));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	setenv("DEMO_MEMROY", "1G", 1);
	assert_refused(load("", &d, &e), e, ERR_INVALID, "'DEMO_MEMROY'");
	unsetenv("DEMO_MEMROY");
	for (int i = 0; i < 14; i++) {
		name[20] = (char)('A' + i);
		unsetenv(name);
	}
}

static void durations_are_written_as_they_are_read(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} rows[] = {
		{ 1, "1ms" },     { 1500, "1500ms" }, { 90000, "90s" },
		{ 120000, "2m" }, { 7200000, "2h" },  { UINT64_MAX, "18446744073709551615ms" }
	};
	char text[DURATION_TEXT_MAX];
	uint64_t ms;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		duration_text(rows[i].ms, text);
		assert_string_equal(text, rows[i].text);
		if (rows[i].ms < UINT64_MAX) {
			assert_ok(duration_parse(text, &ms, &e), e);
			assert_int_equal(ms, rows[i].ms);
		}
	}
}

static void durations_are_go_s(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = { { "0", 0 },          { "300ms", 300 },
		     { "1.5h", 5400000 }, { "1h30m", 5400000 },
		     { "1m0.5s", 60500 }, { "1500us", 1 },
		     { "1500µs", 1 },     { "2562047h", 9223369200000 } };
	uint64_t ms;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(duration_parse(good[i].text, &ms, &e), e);
		assert_int_equal(ms, good[i].ms);
	}
	assert_int_equal(duration_parse("9999999999999h", &ms, &e), -ERR_INVALID);
	assert_int_equal(duration_parse("1.h", &ms, &e), -ERR_INVALID);
	assert_int_equal(duration_parse("", &ms, &e), -ERR_INVALID);
}

static void the_count_of_lines_has_a_limit(void **state)
{
	char text[KEYFILE_LINES_MAX * 8 + 16];
	struct keyfile file;
	struct err e;
	size_t at = 0;

	for (int i = 0; i < KEYFILE_LINES_MAX; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "K%04d=\n", i);
	assert_ok(keyfile_parse(text, at, &file, &e), e);
	assert_int_equal(file.count, KEYFILE_LINES_MAX);
	keyfile_done(&file);
	at += (size_t)snprintf(text + at, sizeof(text) - at, "L=\n");
	assert_int_equal(keyfile_parse(text, at, &file, &e), -ERR_EXHAUSTED);
}

static void what_does_nothing_is_told_in_one_line(void **state)
{
	static const char text[] = "DEMO_NAME=ward\nDEMO_VMS=2\nDEMO_WAIT=\nDEMO_PLAIN=true\n";
	const struct setting_idle rows[] = {
		{ "DEMO_NAME", true, "without DEMO_PORT" },
		{ "DEMO_VMS", false, "without DEMO_NAME" }, /* it does something */
		{ "DEMO_WAIT", true, "without DEMO_NAME" }, /* it is not given */
		{ "DEMO_P", true, "never" },                /* nothing is called so */
		{ "DEMO_PL_", true, "never" },
		{ "DEMO_MEMORY", true, "with DEMO_PLAIN" },
	};
	const struct setting_idle all = { "DEMO_", true, "anyway" };
	struct keyfile file;
	struct err e;

	assert_ok(keyfile_parse(text, strlen(text), &file, &e), e);
	assert_int_equal(setenv("DEMO_MEMORY", "1G", 1), 0);
	assert_non_null(strstr(warned_of(rows, ARRAY_LEN(rows), &file),
			       "settings that do nothing: DEMO_NAME without DEMO_PORT, "
			       "DEMO_MEMORY with DEMO_PLAIN\n"));
	assert_non_null(strstr(warned_of(&all, 1, &file),
			       ": DEMO_NAME anyway, DEMO_VMS anyway, "
			       "DEMO_MEMORY anyway, DEMO_PLAIN anyway\n"));
	assert_int_equal(unsetenv("DEMO_MEMORY"), 0);
	assert_string_equal(warned_of(rows + 1, 4, &file), "");
	keyfile_done(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_file_and_environment_stand_in_order),
		cmocka_unit_test(bad_settings_are_named),
		cmocka_unit_test(what_is_refused_tells_where_it_stands),
		cmocka_unit_test(what_was_given_is_told_from_a_default),
		cmocka_unit_test(misspelt_variables_are_refused_and_others_told),
		cmocka_unit_test(variables_are_told_in_one_line_however_many),
		cmocka_unit_test(what_does_nothing_is_told_in_one_line),
		cmocka_unit_test(durations_are_go_s),
		cmocka_unit_test(durations_are_written_as_they_are_read),
		cmocka_unit_test(the_count_of_lines_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
