/* SPDX-License-Identifier: Apache-2.0 */
/* A database beside the program that writes it, is killed over it, or has ended: told as it is, and left as it is. */
#include "common/preflight/preflight_database.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sqlite3.h>

enum { LOOKS = 100, ROWS = 50, FILES = 3 };

static char found[PREFLIGHT_TEXT_MAX];
static char path[sizeof(test_folder) + 16];
static const char *const ends[FILES] = { "", "-wal", "-shm" };

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
		_exit(2);
	}
}

static sqlite3 *open_database(void)
{
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK)
		_exit(3);
	return db;
}

/* Form 2 in the file itself, 3 in its log alone. */
static sqlite3 *make(void)
{
	sqlite3 *db = open_database();

	run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA user_version = 2;"
		"CREATE TABLE t (n INTEGER PRIMARY KEY, what TEXT); CREATE INDEX i ON t (what);"
		"PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version = 3;"
		"INSERT INTO t (what) VALUES (hex(randomblob(2000)))");
	return db;
}

static void write_on(sqlite3 *db)
{
	for (int i = 0; i < ROWS; i++)
		run(db, "INSERT INTO t (what) VALUES (hex(randomblob(2000)))");
	run(db, "DELETE FROM t WHERE n % 3 = 0; PRAGMA wal_checkpoint(TRUNCATE)");
}

static void wait_for_a_word(int fd)
{
	char word;

	while (read(fd, &word, 1) < 0)
		;
}

/* Another process that has the database open, and says so; it writes on, or waits. */
static pid_t other(bool writes)
{
	int said[2], stay[2];
	pid_t pid;

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	assert_int_equal(pipe2(stay, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		sqlite3 *db = make();

		(void)!write(said[1], "", 1);
		close(stay[1]);
		while (writes)
			write_on(db);
		wait_for_a_word(stay[0]); /* killed, or its parent is gone */
		_exit(0);
	}
	assert_true(pid > 0);
	close(said[1]);
	wait_for_a_word(said[0]);
	close(said[0]);
	close(stay[0]);
	return pid; /* stay[1] stays open as long as this process */
}

static void end(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status)); /* and had not failed before */
}

struct seen {
	struct stat st[FILES];
	uint8_t *bytes[FILES];
	size_t len[FILES];
};

static void see(struct seen *s)
{
	char name[sizeof(path) + 8];
	struct err e;

	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		s->bytes[i] = NULL;
		s->len[i] = 0;
		if (stat(name, &s->st[i]) == 0)
			assert_ok(file_read(name, 1 << 24, &s->bytes[i], &s->len[i], &e), e);
	}
}

static void assert_same(struct seen *a, struct seen *b)
{
	for (int i = 0; i < FILES; i++) {
		assert_int_equal(a->bytes[i] != NULL, b->bytes[i] != NULL);
		assert_int_equal(a->len[i], b->len[i]);
		if (a->len[i])
			assert_memory_equal(a->bytes[i], b->bytes[i], a->len[i]);
		if (a->bytes[i])
			assert_memory_equal(&a->st[i].st_mtim, &b->st[i].st_mtim,
					    sizeof(a->st[i].st_mtim));
		free(a->bytes[i]);
		free(b->bytes[i]);
	}
}

static void look(void)
{
	struct err e;

	assert_ok(preflight_database(path, 3, found, &e), e);
	assert_non_null(strstr(found, "form 3"));
	assert_refused(preflight_database(path, 2, found, &e), e, ERR_PRECONDITION, "has form 3");
}

static void remove_all(void)
{
	char name[sizeof(path) + 8];

	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
}

static void what_the_log_holds_counts_beside_a_program_that_waits(void **state)
{
	struct seen before, after;
	pid_t pid = other(false);

	see(&before);
	look();
	see(&after);
	assert_same(&before, &after);
	end(pid);
	remove_all();
}

static void what_a_killed_program_left_is_read_and_not_put_in_order(void **state)
{
	struct seen before, after;

	end(other(false));
	see(&before);
	assert_int_equal(before.bytes[1] != NULL, 1);
	look();
	look();
	see(&after);
	assert_same(&before, &after);
	remove_all();
}

static void a_program_that_writes_is_never_called_damaged(void **state)
{
	pid_t pid = other(true);

	for (int i = 0; i < LOOKS; i++)
		look();
	end(pid);
	look();
	remove_all();
}

static void a_program_that_ends_leaves_nothing_to_be_made(void **state)
{
	struct seen before, after;

	sqlite3_close(make());
	see(&before);
	assert_null(before.bytes[1]);
	look();
	see(&after);
	assert_same(&before, &after);
	remove_all();
}

static void a_log_without_its_index_is_left_to_the_start(void **state)
{
	struct seen before, after;
	char index[sizeof(path) + 8];
	struct err e;

	end(other(false));
	snprintf(index, sizeof(index), "%s-shm", path);
	assert_int_equal(unlink(index), 0);
	see(&before);
	assert_int_equal(preflight_database(path, 3, found, &e), PREFLIGHT_NOT_ASKED);
	assert_non_null(strstr(found, "no index"));
	see(&after);
	assert_same(&before, &after);
	remove_all();
}

/* The lock that is held while it is read keeps nobody from writing, and is not held behind it. */
static void a_program_may_start_write_and_end_meanwhile(void **state)
{
	for (int i = 0; i < LOOKS / 10; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			sqlite3 *db = make();

			write_on(db);
			run(db, "DROP TABLE t");
			sqlite3_close(db);
			_exit(0);
		}
		assert_true(pid > 0);
		while (waitpid(pid, &status, WNOHANG) == 0) {
			struct err e;

			assert_ok(preflight_database(path, 3, found, &e), e);
		}
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		look();
	}
	remove_all();
}

static void damage_in_the_log_s_reach_is_told(void **state)
{
	uint8_t zeros[4096] = { 0 };
	struct err e;
	int fd;

	sqlite3_close(make());
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 4096), (ssize_t)sizeof(zeros));
	close(fd);
	assert_refused(preflight_database(path, 3, found, &e), e, ERR_DATA_LOSS, "test.db");
	remove_all();
}

static int begin(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/test.db", test_folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_log_holds_counts_beside_a_program_that_waits),
		cmocka_unit_test(what_a_killed_program_left_is_read_and_not_put_in_order),
		cmocka_unit_test(a_program_that_writes_is_never_called_damaged),
		cmocka_unit_test(a_program_that_ends_leaves_nothing_to_be_made),
		cmocka_unit_test(a_log_without_its_index_is_left_to_the_start),
		cmocka_unit_test(a_program_may_start_write_and_end_meanwhile),
		cmocka_unit_test(damage_in_the_log_s_reach_is_told),
	};

	return cmocka_run_group_tests(tests, begin, folder_remove);
}
