/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

static void quoting_hides_what_a_terminal_would_obey(void **state)
{
	assert_string_equal(log_quote("a\033[2J'\"\n").text, "'a\\x1b[2J\\x27\"\\x0a'");
	assert_string_equal(log_quote("C:\\x").text, "'C:\\x5cx'");
	assert_string_equal(log_quote("\\x1").text, "'\\x5cx1'");
	assert_string_equal(log_quote("\\x1B\\xg0").text, "'\\x5cx1B\\x5cxg0'");
	assert_string_equal(log_quote(NULL).text, "''");
	assert_string_equal(log_quote_bytes(NULL, 0).text, "''");
}

/* A message about a message about a name. */
static void what_was_quoted_is_readable_once_more(void **state)
{
	const struct log_quoted name = log_quote("it's\n\\");
	char said[LOG_QUOTE_MAX + 32];

	assert_string_equal(name.text, "\"it's\\x0a\\x5c\"");
	snprintf(said, sizeof(said), "open %s", name.text);
	assert_string_equal(log_quote(said).text, "'open \"it\\x27s\\x0a\\x5c\"'");
	snprintf(said, sizeof(said), "open %s", log_quote("a\n").text);
	assert_string_equal(log_quote(said).text, "\"open 'a\\x0a'\"");
	assert_string_equal(log_quote("not 'a'").text, "\"not 'a'\"");
}

static void quoting_leaves_letters_as_they_are(void **state)
{
	assert_string_equal(log_quote("Universitätsklinikum Köln €😀").text,
			    "'Universitätsklinikum Köln €😀'");
	/* What turns the direction, C1, what is not seen, and no UTF-8. */
	assert_string_equal(log_quote("a\u202eb\xc2\x85").text, "'a\\xe2\\x80\\xaeb\\xc2\\x85'");
	assert_string_equal(log_quote("a\u200bb\xff\xc3").text, "'a\\xe2\\x80\\x8bb\\xff\\xc3'");
}

static void quoting_cuts_long_values(void **state)
{
	char text[1000];

	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	const struct log_quoted q = log_quote(text);
	assert_true(strlen(q.text) < LOG_QUOTE_MAX);
	assert_string_equal(q.text + strlen(q.text) - strlen("…'"), "…'");
	for (size_t len = 100; len < 200; len++) { /* no character is cut */
		char letters[2 * 200 + 1] = "";

		for (size_t i = 0; i < len; i++)
			memcpy(letters + 2 * i, "ü", 2);
		const struct log_quoted cut = log_quote(letters + len % 2 * 2);

		assert_true(utf8_valid(cut.text, strlen(cut.text)));
		assert_string_equal(cut.text + strlen(cut.text) - strlen("…'"), "…'");
	}
}

static void an_unknown_level_is_refused(void **state)
{
	struct err e;

	assert_ok(log_set_level("Warning", &e), e);
	assert_refused(log_set_level("loud", &e), e, ERR_INVALID, "'loud'");
}

/* The next file that is opened must not get a descriptor that messages are written to. */
static void closed_standard_descriptors_are_held(void **state)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int kept = fcntl(fd, F_DUPFD_CLOEXEC, 10);
		int next;
		bool used;

		assert_true(kept >= 0);
		close(fd);
		log_open("test");
		used = fd == STDIN_FILENO ? read(fd, &(char){ 0 }, 1) >= 0 : write(fd, "x", 1) >= 0;
		next = open("/dev/null", O_RDWR | O_CLOEXEC);
		close(next);
		dup2(kept, fd);
		close(kept);
		assert_true(next > STDERR_FILENO);
		assert_false(used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quoting_hides_what_a_terminal_would_obey),
		cmocka_unit_test(quoting_leaves_letters_as_they_are),
		cmocka_unit_test(what_was_quoted_is_readable_once_more),
		cmocka_unit_test(quoting_cuts_long_values),
		cmocka_unit_test(an_unknown_level_is_refused),
		cmocka_unit_test(closed_standard_descriptors_are_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
