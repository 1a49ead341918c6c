/* SPDX-License-Identifier: Apache-2.0 */
/* What a journal is sent, read as systemd's docs/JOURNAL_NATIVE_PROTOCOL.md has it. */
#include "common/base/log.h"
#include "common/base/log_about.h"
#include "common/base/log_journal.h"
#include "common/base/reader.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/test-log-journal-XXXXXX";
static char path[64];
static int journal;

static int open_journal(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return bind(journal, (struct sockaddr *)&at, sizeof(at));
}

static int close_journal(void **state)
{
	log_journal_close();
	close(journal);
	return unlink(path) | rmdir(folder);
}

/* The next entry as "NAME=value|NAME=value|"; "" if there is none. */
static const char *entry(void)
{
	static char text[64 << 10];
	static uint8_t bytes[64 << 10];
	ssize_t len = recv(journal, bytes, sizeof(bytes), 0);
	struct reader r = reader_over(bytes, len < 0 ? 0 : (size_t)len);
	size_t at = 0;

	text[0] = '\0';
	while (len > 0 && !reader_done(&r)) {
		uint64_t value_len;
		const uint8_t *value;
		char c;

		while ((c = (char)reader_u8(&r)) != '\n' && !r.bad)
			text[at++] = c;
		text[at++] = '=';
		value_len = reader_le64(&r);
		value = reader_take(&r, value_len);
		assert_non_null(value);
		memcpy(text + at, value, value_len);
		at += value_len;
		assert_int_equal(reader_u8(&r), '\n');
		assert_false(r.bad);
		text[at++] = '|';
		text[at] = '\0';
	}
	return text;
}

static void fields_arrive_as_they_are(void **state)
{
	const struct log_journal_field fields[] = {
		{ "MESSAGE", "one\ntwo=\"\xff\"" },
		{ "COCOS_CVM", "" },
		{ "PRIORITY", "6" },
	};
	struct err e;

	assert_ok(log_journal_open(path, &e), e);
	assert_ok(log_journal_send(fields, 3, &e), e);
	assert_string_equal(entry(), "MESSAGE=one\ntwo=\"\xff\"|PRIORITY=6|");
	assert_string_equal(entry(), "");
}

static void limits_hold(void **state)
{
	static char value[LOG_JOURNAL_VALUE_MAX + 2];
	struct log_journal_field fields[LOG_JOURNAL_FIELDS_MAX + 1];
	char long_path[256];
	struct err e;

	memset(value, 'x', LOG_JOURNAL_VALUE_MAX);
	for (size_t i = 0; i <= LOG_JOURNAL_FIELDS_MAX; i++)
		fields[i] = (struct log_journal_field){ "MESSAGE", value };
	assert_ok(log_journal_open(path, &e), e);
	assert_ok(log_journal_send(fields, LOG_JOURNAL_FIELDS_MAX, &e), e);
	assert_true(strlen(entry()) > (size_t)LOG_JOURNAL_FIELDS_MAX * LOG_JOURNAL_VALUE_MAX);
	assert_refused(log_journal_send(fields, LOG_JOURNAL_FIELDS_MAX + 1, &e), e, ERR_INVALID,
		       "fields");
	value[LOG_JOURNAL_VALUE_MAX] = 'x';
	assert_refused(log_journal_send(fields, 1, &e), e, ERR_EXHAUSTED, "entry");
	assert_string_equal(entry(), "");

	memset(long_path, 'p', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_refused(log_journal_open(long_path, &e), e, ERR_INVALID, "path");
	assert_true(log_journal_is_open()); /* the one before */
}

static void a_journal_that_does_not_keep_up_is_not_waited_for(void **state)
{
	const struct log_journal_field field = { "MESSAGE", "x" };
	unsigned sent = 0;
	int failed = 0;
	struct err e;

	assert_ok(log_journal_open(path, &e), e);
	while (!failed) {
		failed = log_journal_send(&field, 1, &e);
		sent += !failed;
	}
	assert_refused(failed, e, ERR_EXHAUSTED, "keep up");
	assert_true(sent > 0);
	for (unsigned i = 0; i < sent; i++)
		assert_string_equal(entry(), "MESSAGE=x|");
	assert_ok(log_journal_send(&field, 1, &e), e);
	assert_string_equal(entry(), "MESSAGE=x|");
}

static void a_journal_that_is_not_there_is_told(void **state)
{
	const struct log_journal_field field = { "MESSAGE", "x" };
	struct err e;

	assert_ok(log_journal_open("/nonexistent/socket", &e), e);
	assert_refused(log_journal_send(&field, 1, &e), e, ERR_NOT_FOUND, "journal");
}

/* Standard error is a file that JOURNAL_STREAM names. Returns what is in it. */
static const char *said_on_stderr(void (*say)(void))
{
	static char text[8192];
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	char stream[64];
	struct stat st;
	size_t len;

	assert_non_null(file);
	assert_true(kept >= 0 && fstat(fileno(file), &st) == 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	dup2(fileno(file), STDERR_FILENO);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("cocos-test");
	say();
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	unsetenv("JOURNAL_STREAM");
	return text;
}

static void say(void)
{
	struct log_about about = { 0 };

	assert_true(log_about_put(&about, LOG_TRACE, "0af7651916cd43dd8448eb211c80319c"));
	assert_true(log_about_put(&about, LOG_CVM, "the-cvm"));
	assert_true(log_about_put(&about, LOG_COMPUTATION, "the-computation"));
	log_warn("%s", "about nothing");
	LOG_ABOUT(&about);
	log_error("one\ntwo %d", 3);
}

static void lines_become_entries(void **state)
{
	struct err e;

	assert_ok(log_journal_open(path, &e), e);
	assert_string_equal(said_on_stderr(say), "");
	assert_string_equal(entry(),
			    "MESSAGE=about nothing|PRIORITY=4|SYSLOG_IDENTIFIER=cocos-test|");
	assert_string_equal(entry(), "MESSAGE=one two 3|PRIORITY=3|SYSLOG_IDENTIFIER=cocos-test|"
				     "COCOS_TRACE=0af7651916cd43dd8448eb211c80319c|"
				     "COCOS_CVM=the-cvm|COCOS_COMPUTATION=the-computation|");
}

/* None, or one that takes nothing: nothing is lost. */
static void what_no_journal_takes_is_a_line(void **state)
{
	static const char lines[] = "<4>about nothing\n"
				    "<3>one two 3 trace=0af7651916cd43dd8448eb211c80319c\n";
	struct err e;

	log_journal_close();
	assert_string_equal(said_on_stderr(say), lines);
	assert_ok(log_journal_open("/nonexistent/socket", &e), e);
	assert_string_equal(said_on_stderr(say), lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_arrive_as_they_are),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(a_journal_that_does_not_keep_up_is_not_waited_for),
		cmocka_unit_test(a_journal_that_is_not_there_is_told),
		cmocka_unit_test(lines_become_entries),
		cmocka_unit_test(what_no_journal_takes_is_a_line),
	};

	return cmocka_run_group_tests(tests, open_journal, close_journal);
}
