/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_ran.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <sys/stat.h>

enum { NOW = 1000 + EXECUTOR_RAN_KEPT_MS };

static char folder[] = "/tmp/cocos-ran-XXXXXX";
static char path[64];

static struct workflow_place place(uint8_t id, uint32_t node, uint32_t attempt)
{
	struct workflow_place p = { .node = node, .attempt = attempt };

	memset(p.id, id, sizeof(p.id));
	return p;
}

static void open_at(struct executor_ran *ran, int64_t now_ms)
{
	struct err e;

	assert_ok(executor_ran_open(path, now_ms, ran, &e), e);
}

static void open_it(struct executor_ran *ran)
{
	open_at(ran, NOW);
}

static void add(struct executor_ran *ran, struct workflow_place p, int64_t expires)
{
	struct err e;

	assert_ok(executor_ran_add(ran, &p, expires, &e), e);
}

static bool is_new_until(const struct executor_ran *ran, struct workflow_place p, int64_t expires)
{
	struct err e;
	int failed = executor_ran_check(ran, &p, expires, &e);

	assert_true(!failed || err_is(failed, ERR_EXISTS));
	return !failed;
}

static bool is_new(const struct executor_ran *ran, struct workflow_place p)
{
	return is_new_until(ran, p, NOW);
}

/* What others do when a lock is asked for, which is when the file is open. */
static void (*meanwhile)(void);
static unsigned locks;
static struct executor_ran other;

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int __wrap_flock(int fd, int how)
{
	void (*act)(void) = TAKE_PTR(meanwhile);

	locks++;
	if (act)
		act();
	return __real_flock(fd, how);
}

static int fresh(void **state)
{
	unlink(path);
	return 0;
}

static void an_attempt_is_begun_once_and_no_earlier_one_after_it(void **state)
{
	struct executor_ran ran;

	open_it(&ran);
	assert_true(is_new(&ran, place(1, 0, 2)));
	add(&ran, place(1, 0, 2), NOW);
	for (int again = 0; again < 2; again++) {
		assert_false(is_new(&ran, place(1, 0, 1)));
		assert_false(is_new(&ran, place(1, 0, 2)));
		assert_true(is_new(&ran, place(1, 0, 3)));
		assert_true(is_new(&ran, place(1, 1, 2)));
		assert_true(is_new(&ran, place(2, 0, 2)));
		/* Another process reads the same. */
		executor_ran_done(&ran);
		open_it(&ran);
	}
	executor_ran_done(&ran);
}

static void what_was_begun_is_not_added_again(void **state)
{
	const struct workflow_place p = place(1, 0, 1);
	struct executor_ran ran;
	struct err e;

	open_it(&ran);
	add(&ran, p, NOW);
	assert_refused(executor_ran_add(&ran, &p, NOW, &e), e, ERR_EXISTS, "begun here before");
	assert_int_equal(ran.count, 1);
	executor_ran_done(&ran);
}

static void what_has_expired_for_a_day_is_forgotten(void **state)
{
	struct executor_ran ran;
	struct stat about;

	open_it(&ran);
	add(&ran, place(1, 0, 1), NOW - EXECUTOR_RAN_KEPT_MS);
	add(&ran, place(2, 0, 1), NOW - EXECUTOR_RAN_KEPT_MS + 1);
	executor_ran_done(&ran);
	open_it(&ran);
	assert_int_equal(ran.count, 1);
	assert_false(is_new(&ran, place(2, 0, 1)));
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_size, ran.size);
	/* The new file is the one that is written to, and locked. */
	add(&ran, place(3, 0, 1), NOW);
	executor_ran_done(&ran);
	open_it(&ran);
	assert_int_equal(ran.count, 2);
	executor_ran_done(&ran);
}

static void what_a_clock_ahead_forgot_is_not_begun_again(void **state)
{
	struct executor_ran ran;
	struct err e;

	open_it(&ran);
	add(&ran, place(1, 0, 1), NOW + 1);
	add(&ran, place(1, 10, 1), NOW + 3);
	add(&ran, place(2, 10, 1), NOW + 2);
	executor_ran_done(&ran);
	for (int again = 0; again < 2; again++) { /* what is forgotten twice is remembered, too */
		open_at(&ran, NOW + 4 + EXECUTOR_RAN_KEPT_MS);
		assert_int_equal(ran.count, 0);
		executor_ran_done(&ran);
	}
	for (int again = 0; again < 2; again++) {
		open_it(&ran);
		assert_int_equal(ran.count, again);
		assert_false(is_new_until(&ran, place(1, 0, 1), NOW + 1));
		assert_false(is_new_until(&ran, place(3, 0, 1), NOW + 3));
		assert_true(is_new_until(&ran, place(3, 0, 1), NOW + 4));
		const struct workflow_place p = place(1, 10, 1);
		assert_refused(executor_ran_add(&ran, &p, NOW + 3, &e), e, ERR_EXISTS,
			       "may have been begun here before");
		if (!again)
			add(&ran, place(4, 0, 1), NOW + 4);
		executor_ran_done(&ran);
	}
}

static void one_executor_has_it(void **state)
{
	struct executor_ran one, two;
	struct err e;

	open_it(&one);
	assert_refused(executor_ran_open(path, NOW, &two, &e), e, ERR_EXISTS, "another executor");
	executor_ran_done(&one);
	open_it(&two);
	executor_ran_done(&two);
}

static void write_text(const char *text, size_t len)
{
	struct err e;

	assert_ok(file_write(path, text, len, 0600, &e), e);
}

static void every_truncation_keeps_whole_lines_and_no_half_one(void **state)
{
	struct executor_ran ran;
	uint8_t *text;
	size_t len, line;
	struct err e;

	open_it(&ran);
	add(&ran, place(1, 0, 1), NOW);
	line = (size_t)ran.size;
	add(&ran, place(2, 0, 1), NOW);
	executor_ran_done(&ran);
	assert_ok(file_read(path, 4096, &text, &len, &e), e);
	assert_int_equal(len, 2 * line);
	for (size_t cut = 0; cut <= len; cut++) {
		write_text((char *)text, cut);
		open_it(&ran);
		assert_int_equal(ran.count, cut / line);
		add(&ran, place(9, 0, 1), NOW);
		executor_ran_done(&ran);
		open_it(&ran);
		assert_int_equal(ran.count, cut / line + 1);
		executor_ran_done(&ran);
	}
	free(text);
}

static void other_lines_are_refused(void **state)
{
#define ID "1111111111111111111111111111111111111111111111111111111111111111"
	static const char *const rows[] = {
		"\n",
		"x\n",
		ID "\n",
		ID " 0 1\n",
		ID " 0 1 86401000 1\n",
		ID "  0 1 86401000\n",
		ID " 00 1 86401000\n",
		ID " 0 +1 86401000\n",
		ID " 0 1 86401000 \n",
		ID " 4294967296 1 86401000\n",
		ID " 0 1 9223372036854775808\n",
		"1" ID " 0 1 86401000\n",
		"A111111111111111111111111111111111111111111111111111111111111111 0 1 86401000\n",
	};
	struct executor_ran ran;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_text(rows[i], strlen(rows[i]));
		assert_refused(executor_ran_open(path, NOW, &ran, &e), e, ERR_DATA_LOSS, "line 1");
	}
	write_text(ID " 0 1 86401000\n", strlen(ID " 0 1 86401000\n"));
	open_it(&ran);
	assert_int_equal(ran.count, 1);
	executor_ran_done(&ran);
}

static void a_link_is_not_followed(void **state)
{
	struct executor_ran ran;
	struct err e;

	assert_int_equal(symlink("/dev/null", path), 0);
	assert_true(executor_ran_open(path, NOW, &ran, &e) < 0);
}

/* Something has expired, so whoever opens the file puts another one there. */
static void write_what_is_forgotten(void)
{
	struct executor_ran ran;

	open_it(&ran);
	add(&ran, place(1, 0, 1), NOW - EXECUTOR_RAN_KEPT_MS);
	add(&ran, place(1, 1, 1), NOW - EXECUTOR_RAN_KEPT_MS);
	executor_ran_done(&ran);
}

static void the_other_starts(void)
{
	open_it(&other);
}

static void the_other_has_been(void)
{
	open_it(&other);
	add(&other, place(2, 0, 1), NOW);
	executor_ran_done(&other);
}

static void the_file_changes_always(void)
{
	struct err e;

	assert_ok(file_write(path, "", 0, 0600, &e), e);
	meanwhile = the_file_changes_always;
}

/* Both have opened the file that was there; the first has put another one in its place since, and let go of this one. */
static void of_two_that_start_at_once_one_has_it(void **state)
{
	const struct workflow_place p = place(2, 0, 1);
	struct executor_ran ran;
	struct err e;

	write_what_is_forgotten();
	meanwhile = the_other_starts;
	assert_refused(executor_ran_open(path, NOW, &ran, &e), e, ERR_EXISTS, "another executor");
	executor_ran_done(&other);
	/* It has ended by then: what it began is known. */
	fresh(NULL);
	write_what_is_forgotten();
	meanwhile = the_other_has_been;
	open_it(&ran);
	assert_false(is_new(&ran, p));
	executor_ran_done(&ran);
	open_it(&ran);
	assert_false(is_new(&ran, p));
	executor_ran_done(&ran);
}

static void nobody_tries_for_ever(void **state)
{
	struct executor_ran ran;
	struct err e;

	locks = 0;
	meanwhile = the_file_changes_always;
	assert_refused(executor_ran_open(path, NOW, &ran, &e), e, ERR_EXISTS, "all the time");
	meanwhile = NULL;
	assert_int_equal(locks, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_attempt_is_begun_once_and_no_earlier_one_after_it, fresh),
		cmocka_unit_test_setup(what_was_begun_is_not_added_again, fresh),
		cmocka_unit_test_setup(what_has_expired_for_a_day_is_forgotten, fresh),
		cmocka_unit_test_setup(what_a_clock_ahead_forgot_is_not_begun_again, fresh),
		cmocka_unit_test_setup(one_executor_has_it, fresh),
		cmocka_unit_test_setup(every_truncation_keeps_whole_lines_and_no_half_one, fresh),
		cmocka_unit_test_setup(other_lines_are_refused, fresh),
		cmocka_unit_test_setup(a_link_is_not_followed, fresh),
		cmocka_unit_test_setup(of_two_that_start_at_once_one_has_it, fresh),
		cmocka_unit_test_setup(nobody_tries_for_ever, fresh),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/ran", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(folder);
	return failed;
}
