/* SPDX-License-Identifier: Apache-2.0 */
/* A console's file, while something else writes, renames and empties it. */
#include "manager/launch/console.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static const char *older(int number)
{
	static char names[2][80];
	static int turn;
	char *name = names[turn++ & 1];

	snprintf(name, sizeof(names[0]), "%s.%d", path, number);
	return name;
}

static void say(const char *text)
{
	FILE *file = fopen(path, "a");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* As virtlogd does. */
static void rotate(int keep)
{
	unlink(older(keep - 1));
	for (int i = keep - 1; i > 0; i--)
		(void)rename(older(i - 1), older(i));
	assert_int_equal(rename(path, older(0)), 0);
}

static int clear(void **state)
{
	unlink(path);
	for (int i = 0; i < CONSOLE_FILES_MAX; i++)
		unlink(older(i));
	return 0;
}

static void begin(struct console *c, const struct console_from *from)
{
	struct err e;

	assert_ok(console_open(path, "salt", from, c, &e), e);
}

/* All that there is. */
static char *told(struct console *c, bool *skipped)
{
	static char text[4096];
	size_t at = 0, len = 1;
	struct err e;

	*skipped = false;
	while (len) {
		bool lost;

		assert_ok(console_read(c, text + at, sizeof(text) - 1 - at, &len, &lost, &e), e);
		*skipped |= lost;
		at += len;
	}
	text[at] = '\0';
	return text;
}

static void expect(struct console *c, const char *text, bool lost)
{
	bool skipped;

	assert_string_equal(told(c, &skipped), text);
	assert_int_equal(skipped, lost);
}

static void what_was_said_is_told_and_what_follows(void **state)
{
	const struct console_from all = { .lines = 0 };
	struct console c;

	begin(&c, &all); /* nothing was said yet */
	assert_int_equal(c.there, 0);
	expect(&c, "", false);
	say("one\n");
	expect(&c, "one\n", false);
	say("two\n");
	say("thr");
	expect(&c, "two\nthr", false);
	expect(&c, "", false);
	console_close(&c);
	begin(&c, &all);
	assert_int_equal(c.there, 11);
	expect(&c, "one\ntwo\nthr", false);
	console_close(&c);
	console_close(&c);
}

static void older_files_come_first(void **state)
{
	const struct console_from all = { .lines = 0 };
	struct console c;

	say("1\n");
	rotate(3);
	say("2\n");
	rotate(3);
	say(""); /* an empty one */
	rotate(3);
	say("4\n");
	begin(&c, &all);
	assert_int_equal(c.there, 6);
	expect(&c, "1\n2\n4\n", false);
	console_close(&c);
}

static void a_file_that_is_renamed_is_read_to_its_end(void **state)
{
	const struct console_from all = { .lines = 0 };
	struct console c;

	say("1\n");
	begin(&c, &all);
	expect(&c, "1\n", false);
	say("2\n");
	rotate(3);
	say("3\n");
	rotate(3);
	say("4\n");
	expect(&c, "2\n3\n4\n", false);
	rotate(3); /* and nothing is said yet */
	expect(&c, "", false);
	say("5\n");
	expect(&c, "5\n", false);
	console_close(&c);
}

static void what_was_lost_is_told(void **state)
{
	const struct console_from all = { .lines = 0 };
	struct console c;

	/* Rotated away. */
	say("1\n");
	begin(&c, &all);
	expect(&c, "1\n", false);
	for (int i = 0; i < 3; i++) {
		rotate(2);
		say("n\n");
	}
	expect(&c, "n\nn\nn\n", true);
	say("m\n");
	expect(&c, "m\n", false);
	/* Emptied. */
	assert_int_equal(truncate(path, 0), 0);
	say("x\n");
	expect(&c, "x\n", true);
	console_close(&c);
	/* Taken away with its folder: there is no more, and nothing to be told. */
	begin(&c, &all);
	(void)clear(NULL);
	expect(&c, "n\n", false);
	console_close(&c);
}

static void a_place_is_found_again(void **state)
{
	struct console_from from = { .lines = 0 };
	struct console c, holds; /* a file that is open: its number is not used again */
	char text[CONSOLE_CURSOR_MAX], again[CONSOLE_CURSOR_MAX];
	struct err e;

	say("1\n");
	begin(&holds, &from);
	begin(&c, &from);
	expect(&c, "1\n", false);
	console_place_write(&c.next, text);
	console_close(&c);
	assert_ok(console_place_read(text, &from.place, &e), e);
	console_place_write(&from.place, again);
	assert_string_equal(text, again);
	rotate(2);
	say("2\n");
	begin(&c, &from);
	assert_int_equal(c.there, 2);
	expect(&c, "2\n", false);
	console_close(&c);
	/* Its file is gone: from the oldest on. */
	rotate(1);
	say("3\n");
	begin(&c, &from);
	expect(&c, "2\n3\n", true);
	console_close(&c);
	console_close(&holds);
}

/* Each number of lines, over files' ends and with a last line that has no end. */
static void lines_are_counted_from_the_end(void **state)
{
	static const struct {
		uint32_t lines;
		const char *told;
	} rows[] = {
		{ 1, "ef" },
		{ 2, "d\nef" },
		{ 3, "c\nd\nef" },
		{ 5, "a\nb\nc\nd\nef" },
		{ 6, "a\nb\nc\nd\nef" },
		{ CONSOLE_LINES_MAX, "a\nb\nc\nd\nef" },
	};
	const struct console_from one = { .lines = 1 };
	struct console c;

	say("a\nb\nc\n");
	rotate(3);
	say("d\ne");
	rotate(3);
	say("f");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct console_from from = { .lines = rows[i].lines };

		begin(&c, &from);
		assert_int_equal(c.there, strlen(rows[i].told));
		expect(&c, rows[i].told, false);
		console_close(&c);
	}
	say("\n");
	begin(&c, &one);
	expect(&c, "ef\n", false);
	console_close(&c);
}

/* However long the file is, no more than the limit is read of it; nothing but holes is written here. */
static void no_more_than_the_limit_is_told(void **state)
{
	const struct console_from all = { .lines = 0 }, lines = { .lines = 5 };
	struct console c;
	char byte;
	size_t len;
	bool skipped;
	struct err e;

	for (int more = -1; more <= 1; more++) {
		say("");
		assert_int_equal(truncate(path, CONSOLE_BACK_MAX + more), 0);
		begin(&c, &all);
		assert_int_equal(c.there, CONSOLE_BACK_MAX + (more < 0 ? more : 0));
		assert_ok(console_read(&c, &byte, 1, &len, &skipped, &e), e);
		assert_int_equal(skipped, more > 0);
		console_close(&c);
	}
	assert_int_equal(truncate(path, (off_t)1 << 40), 0);
	begin(&c, &lines);
	assert_int_equal(c.there, CONSOLE_BACK_MAX);
	console_close(&c);
}

static void cursors_that_are_none_are_refused(void **state)
{
	static const char good[] = "1f.2a";
	static const char *const bad[] = {
		"",
		"1",
		"1.",
		".1",
		"0.1",
		"1.2.3",
		"1.2 ",
		" 1.2",
		"01.2",
		"1.02",
		"0x1.2",
		"-1.2",
		"1.-2",
		"A.1",
		"ffffffffffffffffff.1",
		"1.ffffffffffffffffff",
		"1111111111111111111111111111111111111111.1",
	};
	struct console_from from = { .place = { 1, 1 } };
	struct console_place place = { 0 };
	struct console c;
	struct err e;

	assert_ok(console_place_read(good, &place, &e), e);
	assert_int_equal(place.file, 0x1f);
	assert_int_equal(place.at, 0x2a);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(console_place_read(bad[i], &place, &e), e, ERR_INVALID, "cursor");
	for (size_t cut = 0; cut <= 3; cut++) {
		char text[sizeof(good)] = "";

		memcpy(text, good, cut);
		assert_refused(console_place_read(text, &place, &e), e, ERR_INVALID, "cursor");
	}
	assert_int_equal(place.file, 0x1f);
	/* A place behind the end is none. */
	say("x\n");
	begin(&c, &from);
	from.place = (struct console_place){ c.next.file, 3 };
	console_close(&c);
	begin(&c, &from);
	expect(&c, "x\n", true);
	console_close(&c);
}

static void nothing_but_files_is_read(void **state)
{
	const struct console_from all = { .lines = 0 };
	struct console c;
	size_t len;
	bool skipped;
	char byte;
	struct err e;

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(console_open(path, "salt", &all, &c, &e), e, ERR_PRECONDITION, "regular");
	unlink(path);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_true(console_open(path, "salt", &all, &c, &e) < 0);
	unlink(path);
	say("1\n");
	begin(&c, &all);
	expect(&c, "1\n", false);
	rotate(2);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(console_read(&c, &byte, 1, &len, &skipped, &e), e, ERR_PRECONDITION,
		       "regular");
	console_close(&c);
	rmdir(path);
}

/* Whoever has a cursor knows nothing of the disk, where the same file has one number. */
static void another_manager_numbers_a_file_otherwise(void **state)
{
	static const char *const salts[] = { "salt", "salt", "other" };
	const struct console_from all = { .lines = 0 };
	uint64_t numbers[ARRAY_LEN(salts)];
	struct err e;

	say("1\n");
	for (size_t i = 0; i < ARRAY_LEN(salts); i++) {
		struct console c;

		assert_ok(console_open(path, salts[i], &all, &c, &e), e);
		numbers[i] = c.next.file;
		console_close(&c);
	}
	assert_true(numbers[0] == numbers[1]);
	assert_true(numbers[0] != numbers[2]);
}

static int setup(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/console.log", test_folder);
	return 0;
}

#define ROW(name_) cmocka_unit_test_teardown(name_, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(what_was_said_is_told_and_what_follows),
		ROW(older_files_come_first),
		ROW(a_file_that_is_renamed_is_read_to_its_end),
		ROW(what_was_lost_is_told),
		ROW(a_place_is_found_again),
		ROW(lines_are_counted_from_the_end),
		ROW(no_more_than_the_limit_is_told),
		ROW(cursors_that_are_none_are_refused),
		ROW(nothing_but_files_is_read),
		ROW(another_manager_numbers_a_file_otherwise),
	};

	return cmocka_run_group_tests(tests, setup, folder_remove);
}
