/* SPDX-License-Identifier: Apache-2.0 */
/* The console in a terminal's place: its other end types, and reads what comes out. */
#include "guest/console.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void what_is_typed_is_not_echoed_and_stops_nothing(void **state)
{
	static const char typed[] = "cocos-init: typed\r\n\003\032\004\033[6n\023";
	char text[256] = "";
	struct termios t;
	struct err e;
	int host = posix_openpt(O_RDWR | O_NOCTTY), saved = dup(STDERR_FILENO), console;

	assert_true(host >= 0 && saved >= 0 && grantpt(host) == 0 && unlockpt(host) == 0);
	console = open(ptsname(host), O_RDWR | O_NOCTTY);
	assert_true(console >= 0);
	assert_int_equal(write(host, "\023", 1), 1); /* what was held back before goes on */
	assert_int_equal(dup2(console, STDERR_FILENO), STDERR_FILENO);
	int failed = console_deafen(&e);

	dup2(saved, STDERR_FILENO);
	assert_ok(failed, e);
	assert_int_equal(tcgetattr(console, &t), 0);
	assert_int_equal(t.c_lflag & (ECHO | ECHONL | ISIG | ICANON), 0);
	assert_int_equal(t.c_iflag & (IXON | IXOFF | BRKINT), 0);
	assert_int_equal(write(host, typed, sizeof(typed)), sizeof(typed));
	assert_int_equal(write(console, "said\n", 5), 5);
	assert_int_equal(read(host, text, sizeof(text) - 1), 6);
	assert_string_equal(text, "said\r\n");
	close(console);
	close(host);
	close(saved);
}

static void without_a_console_there_is_nothing_to_do(void **state)
{
	int saved = dup(STDERR_FILENO), nothing = open("/dev/null", O_RDWR);
	struct err e;

	assert_true(saved >= 0 && nothing >= 0);
	assert_int_equal(dup2(nothing, STDERR_FILENO), STDERR_FILENO);
	int failed = console_deafen(&e);

	dup2(saved, STDERR_FILENO);
	assert_ok(failed, e);
	close(nothing);
	close(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_typed_is_not_echoed_and_stops_nothing),
		cmocka_unit_test(without_a_console_there_is_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
