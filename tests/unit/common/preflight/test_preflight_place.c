/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, listeners and databases: what is right, each thing that is wrong, and nothing left behind. */
#include "common/preflight/preflight_database.h"
#include "common/preflight/preflight_listen.h"
#include "common/preflight/preflight_place.h"
#include "tests/unit/folder.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sqlite3.h>

static char found[PREFLIGHT_TEXT_MAX];

static const char *in_folder(const char *name)
{
	static char path[sizeof(test_folder) + 64];

	snprintf(path, sizeof(path), "%s/%s", test_folder, name);
	return path;
}

static unsigned entries(void)
{
	DIR *dir = opendir(test_folder);
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void a_missing_folder_is_not_made(void **state)
{
	const struct preflight_folder ours = { .is_ours = true };
	struct err e;

	assert_ok(preflight_folder(in_folder("a/b/c"), &ours, found, &e), e);
	assert_non_null(strstr(found, "/a/b/c' can be made"));
	assert_int_equal(access(in_folder("a"), F_OK), -1);
}

static void a_folder_has_the_mode_that_is_asked_for(void **state)
{
	const struct preflight_folder wanted = { .must_not = S_IWOTH, .must = S_IXOTH };
	const char *path = in_folder("mode");
	struct err e;

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0711), 0);
	assert_ok(preflight_folder(path, &wanted, found, &e), e);
	assert_int_equal(chmod(path, 0700), 0);
	assert_refused(preflight_folder(path, &wanted, found, &e), e, ERR_PRECONDITION,
		       "has mode 0700");
	assert_int_equal(chmod(path, 0713), 0);
	assert_refused(preflight_folder(path, &wanted, found, &e), e, ERR_PRECONDITION,
		       "has mode 0713");
	assert_int_equal(rmdir(path), 0);
}

static void a_folder_of_others_is_refused(void **state)
{
	const struct preflight_folder ours = { .is_ours = true };
	struct err e;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(in_folder("theirs"), 0700), 0);
	assert_int_equal(chown(in_folder("theirs"), 65534, 65534), 0);
	assert_refused(preflight_folder(in_folder("theirs"), &ours, found, &e), e, ERR_PRECONDITION,
		       "belongs to user 65534");
	assert_int_equal(rmdir(in_folder("theirs")), 0);
}

static void a_disk_without_room_is_refused(void **state)
{
	const struct preflight_folder all = { .free_bytes = UINT64_MAX };
	struct err e;

	assert_refused(preflight_folder(test_folder, &all, found, &e), e, ERR_EXHAUSTED,
		       "MiB left of the");
}

static void what_takes_no_files_is_told_and_what_takes_them_keeps_none(void **state)
{
	const struct preflight_folder any = { .free_bytes = 0 };
	struct stat before, after;
	struct err e;

	assert_int_equal(stat(test_folder, &before), 0);
	assert_ok(preflight_folder(test_folder, &any, found, &e), e);
	assert_int_equal(stat(test_folder, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	assert_refused(preflight_folder("/proc", &any, found, &e), e, ERR_NOT_FOUND,
		       "write into '/proc'");
}

static void a_log_is_opened_as_who_writes_it_does(void **state)
{
	const char *path = in_folder("audit.log");
	struct stat before, after;
	struct err e;

	assert_int_equal(preflight_log(NULL, found, &e), PREFLIGHT_NOT_ASKED);
	assert_ok(preflight_log(path, found, &e), e); /* made in its folder */
	assert_int_equal(access(path, F_OK), -1);
	assert_ok(file_write(path, "x\n", 2, 0600, &e), e);
	assert_int_equal(stat(path, &before), 0);
	assert_ok(preflight_log(path, found, &e), e);
	assert_non_null(strstr(found, "MiB free"));
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_size, 2);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	assert_int_equal(unlink(path), 0);
	assert_refused(preflight_log(in_folder("none/audit.log"), found, &e), e, ERR_NOT_FOUND,
		       "/none'");
	assert_refused(preflight_log(test_folder, found, &e), e, ERR_PRECONDITION,
		       "no regular file");
	assert_refused(preflight_folder_of(in_folder("some.db"), UINT64_MAX, found, &e), e,
		       ERR_EXHAUSTED, "MiB left of the");
}

static void secrets_belong_into_memory(void **state)
{
	const struct preflight_folder secrets = { .in_memory = true };
	struct err e;

	assert_ok(preflight_folder("/dev/shm/cocos-preflight", &secrets, found, &e), e);
	assert_refused(preflight_folder("/sys/fs", &secrets, found, &e), e, ERR_PRECONDITION,
		       "not on tmpfs");
}

static void a_file_is_no_folder_and_a_folder_no_file(void **state)
{
	const char *path = in_folder("file");
	struct err e;

	assert_ok(file_write(path, "x", 1, 0600, &e), e);
	assert_refused(preflight_folder(path, &(struct preflight_folder){ 0 }, found, &e), e,
		       ERR_PRECONDITION, "no folder");
	assert_ok(preflight_file(path, found, &e), e);
	assert_refused(preflight_file(test_folder, found, &e), e, ERR_INVALID, "no regular file");
	assert_int_equal(unlink(path), 0);
	assert_refused(preflight_file(path, found, &e), e, ERR_NOT_FOUND, "file");
}

/* A port of 127.0.0.1 that is bound, and listened on. */
static uint16_t take_port(int *fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(*fd, 1), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

static void a_port_is_looked_at_and_given_back(void **state)
{
	struct err e;
	int fd;
	uint16_t port = take_port(&fd);

	assert_refused(preflight_port("127.0.0.1", port, found, &e), e, ERR_INTERNAL, "port");
	assert_refused(preflight_port("localhost", port, found, &e), e, ERR_INTERNAL, "in use");
	close(fd);
	assert_ok(preflight_port("127.0.0.1", 0, found, &e), e);
	assert_ok(preflight_port("[::1]", 0, found, &e), e);
	assert_refused(preflight_port("192.0.2.1", 0, found, &e), e, ERR_INTERNAL, "192.0.2.1");
	assert_refused(preflight_port("[not an address]", 1, found, &e), e, ERR_NOT_FOUND,
		       "address");
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void a_socket_that_somebody_listens_on_is_taken(void **state)
{
	char path[sizeof(test_folder) + 8];
	unsigned before;
	struct err e;
	int fd;

	snprintf(path, sizeof(path), "%s/s.sock", test_folder);
	before = entries();
	assert_ok(preflight_socket(path, found, &e), e);
	assert_int_equal(entries(), before); /* neither socket nor lock */
	fd = listen_at(path);
	assert_refused(preflight_socket(path, found, &e), e, ERR_EXISTS, "another program listens");
	close(fd);
	assert_ok(preflight_socket(path, found, &e), e); /* one that was left over */
	assert_int_equal(unlink(path), 0);
	assert_ok(file_write(path, "x", 1, 0600, &e), e);
	assert_refused(preflight_socket(path, found, &e), e, ERR_EXISTS, "no socket");
	assert_int_equal(unlink(path), 0);
}

static void a_socket_s_name_has_a_length(void **state)
{
	char path[109] = "/";
	struct err e;

	memset(path + 1, 'x', 106);
	assert_ok(preflight_socket(path, found, &e), e); /* 107 bytes */
	path[107] = 'x';
	assert_refused(preflight_socket(path, found, &e), e, ERR_INVALID, "longer than 107");
}

/* A database of that form, in WAL mode with something in its log. */
static sqlite3 *database(const char *path, int form)
{
	char sql[256];
	sqlite3 *db;

	snprintf(sql, sizeof(sql),
		 "PRAGMA journal_mode=WAL; CREATE TABLE t (x); PRAGMA user_version=%d;"
		 "PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t VALUES (1)",
		 form);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void a_database_is_read_and_never_written(void **state)
{
	const char *path = in_folder("a %?#.db");
	struct stat before, after;
	unsigned count;
	struct err e;
	sqlite3 *db;

	assert_ok(preflight_database(path, 3, found, &e), e);
	assert_non_null(strstr(found, "made at the start"));
	assert_int_equal(access(path, F_OK), -1);
	db = database(path, 3);
	count = entries(); /* with its log and its index, as of a service that runs */
	assert_int_equal(stat(path, &before), 0);
	assert_ok(preflight_database(path, 3, found, &e), e);
	assert_ok(preflight_database(path, 4, found, &e), e);
	assert_non_null(strstr(found, "form 3, becomes 4 at the start"));
	assert_refused(preflight_database(path, 2, found, &e), e, ERR_PRECONDITION,
		       "has form 3, and this program knows those up to 2");
	assert_int_equal(entries(), count);
	assert_int_equal(stat(path, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	sqlite3_close(db);
	assert_int_equal(unlink(path), 0);
}

static void a_damaged_database_is_told(void **state)
{
	const char *path = in_folder("bad.db");
	struct err e;

	assert_ok(file_write(path, "this is no database, but it is long enough", 42, 0600, &e), e);
	assert_refused(preflight_database(path, 1, found, &e), e, ERR_DATA_LOSS, "bad.db");
	assert_int_equal(unlink(path), 0);
	assert_refused(preflight_database(test_folder, 1, found, &e), e, ERR_PRECONDITION,
		       "no regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_folder_is_not_made),
		cmocka_unit_test(a_folder_has_the_mode_that_is_asked_for),
		cmocka_unit_test(a_folder_of_others_is_refused),
		cmocka_unit_test(a_disk_without_room_is_refused),
		cmocka_unit_test(what_takes_no_files_is_told_and_what_takes_them_keeps_none),
		cmocka_unit_test(a_log_is_opened_as_who_writes_it_does),
		cmocka_unit_test(secrets_belong_into_memory),
		cmocka_unit_test(a_file_is_no_folder_and_a_folder_no_file),
		cmocka_unit_test(a_port_is_looked_at_and_given_back),
		cmocka_unit_test(a_socket_that_somebody_listens_on_is_taken),
		cmocka_unit_test(a_socket_s_name_has_a_length),
		cmocka_unit_test(a_database_is_read_and_never_written),
		cmocka_unit_test(a_damaged_database_is_told),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
