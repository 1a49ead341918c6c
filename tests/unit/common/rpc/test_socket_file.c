/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/admin_socket.h"
#include "common/rpc/socket_file.h"
#include "tests/unit/folder.h"

#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un address(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", test_folder, name);
	return a;
}

static mode_t mode_of(const struct sockaddr_un *a)
{
	struct stat st;

	assert_int_equal(lstat(a->sun_path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	return st.st_mode & 07777;
}

static bool can_connect(const struct sockaddr_un *a)
{
	CLEANUP(close) int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0;
}

static void its_file_is_for_its_user_or_its_group(void **state)
{
	struct sockaddr_un a = address("modes");
	struct socket_file *file;
	struct group *daemon = getgrnam("daemon");
	struct stat st;
	struct err e;
	mode_t before = umask(0);
	int fd;

	assert_ok(socket_file_open(&a, NULL, &file, &fd, &e), e);
	assert_int_equal(mode_of(&a), 0600);
	assert_true(can_connect(&a));
	close(fd);
	socket_file_free(file);
	assert_int_equal(access(a.sun_path, F_OK), -1);
	assert_ok(socket_file_open(&a, "no-such-group-here", &file, &fd, &e), e);
	assert_int_equal(mode_of(&a), 0600);
	close(fd);
	socket_file_free(file);
	umask(0777);
	assert_ok(socket_file_open(&a, "daemon", &file, &fd, &e), e);
	umask(before);
	assert_int_equal(lstat(a.sun_path, &st), 0);
	if (geteuid() == 0 && daemon)
		assert_int_equal(st.st_gid, daemon->gr_gid);
	assert_int_equal(mode_of(&a), daemon && st.st_gid == daemon->gr_gid ? 0660 : 0600);
	close(fd);
	socket_file_free(file);
}

enum { NOBODY = 65534 };

/* In a process of its own, with no group but one that nobody named. */
static int open_as_nobody(void)
{
	struct sockaddr_un a = { AF_UNIX, "nobody" };
	struct socket_file *file;
	struct stat st;
	struct err e;
	int fd;

	if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		return 1;
	if (socket_file_open(&a, "daemon", &file, &fd, &e) < 0)
		return 2;
	return lstat(a.sun_path, &st) < 0 || (st.st_mode & 07777) != 0600 ? 3 : 0;
}

static void whoever_cannot_give_it_to_the_group_keeps_it(void **state)
{
	int status;
	pid_t child;

	if (geteuid() != 0 || !getgrnam("daemon"))
		skip();
	child = fork();
	if (child == 0) {
		/* Relative, for the folders above are root's. */
		if (chdir(test_folder) < 0 || mkdir("given", 0700) < 0 ||
		    chown("given", NOBODY, NOBODY) < 0 || chdir("given") < 0)
			_exit(4);
		_exit(open_as_nobody());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void one_that_is_listened_on_is_not_taken(void **state)
{
	struct sockaddr_un a = address("live");
	struct socket_file *first, *second;
	struct err e;
	int fd, other;

	assert_ok(socket_file_open(&a, NULL, &first, &fd, &e), e);
	assert_refused(socket_file_open(&a, NULL, &second, &other, &e), e, ERR_EXISTS,
		       "another program listens");
	assert_true(can_connect(&a));
	close(fd);
	socket_file_free(first);
}

/* A program that knows nothing of our lock. */
static void nor_one_of_a_program_without_a_lock(void **state)
{
	struct sockaddr_un a = address("stranger");
	struct socket_file *file;
	struct err e;
	int fd, stranger = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(bind(stranger, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(stranger, 0), 0);
	assert_refused(socket_file_open(&a, NULL, &file, &fd, &e), e, ERR_INTERNAL, "in use");
	/* Its queue is full, too. */
	for (int i = 0; i < 2; i++) {
		int waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

		(void)!connect(waiting, (struct sockaddr *)&a, sizeof(a));
	}
	assert_refused(socket_file_open(&a, NULL, &file, &fd, &e), e, ERR_INTERNAL, "in use");
	assert_int_equal(access(a.sun_path, F_OK), 0);
	close(stranger);
	/* Now it is left over. */
	assert_ok(socket_file_open(&a, NULL, &file, &fd, &e), e);
	close(fd);
	socket_file_free(file);
}

/* As kill -9 leaves it. */
static void what_a_killed_program_leaves_is_replaced(void **state)
{
	struct sockaddr_un a = address("killed");
	struct socket_file *file;
	struct err e;
	int fd, status;
	pid_t child = fork();

	if (child == 0) {
		_exit(socket_file_open(&a, NULL, &file, &fd, &e) < 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(mode_of(&a), 0600);
	assert_false(can_connect(&a));
	assert_ok(socket_file_open(&a, NULL, &file, &fd, &e), e);
	assert_true(can_connect(&a));
	close(fd);
	socket_file_free(file);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct sockaddr_un a = address("file");
	struct socket_file *file;
	struct err e;
	int fd;

	assert_ok(file_write(a.sun_path, "x", 1, 0600, &e), e);
	assert_refused(socket_file_open(&a, NULL, &file, &fd, &e), e, ERR_INTERNAL, "in use");
	assert_int_equal(unlink(a.sun_path), 0);
	assert_int_equal(symlink("/nowhere", a.sun_path), 0);
	assert_refused(socket_file_open(&a, NULL, &file, &fd, &e), e, ERR_INTERNAL, "in use");
}

static void only_ones_own_file_is_removed(void **state)
{
	struct sockaddr_un a = address("own");
	struct socket_file *file;
	struct err e;
	int fd;

	assert_ok(socket_file_open(&a, NULL, &file, &fd, &e), e);
	assert_ok(file_write(a.sun_path, "somebody else's", 15, 0600, &e), e);
	close(fd);
	socket_file_free(file);
	assert_int_equal(access(a.sun_path, F_OK), 0);
}

static unsigned folder_mode(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* Daemons have a umask that is for themselves alone; the group has to reach the socket. */
static void administrators_reach_the_folder_that_is_made(void **state)
{
	char closed[128], made[160], inner[192], path[224];
	struct rpc_server *server;
	uv_loop_t loop;
	mode_t before;
	struct err e;

	snprintf(closed, sizeof(closed), "%s/closed", test_folder);
	snprintf(made, sizeof(made), "%s/made", closed);
	snprintf(inner, sizeof(inner), "%s/inner", made);
	snprintf(path, sizeof(path), "%s/s", inner);
	assert_int_equal(mkdir(closed, 0700), 0);
	uv_loop_init(&loop);
	assert_ok(rpc_server_new(&loop, NULL, &server, &e), e);
	before = umask(0077);
	assert_ok(admin_socket_listen(server, path, &e), e);
	umask(before);
	assert_int_equal(folder_mode(closed), 0700); /* somebody's own */
	assert_int_equal(folder_mode(made), 0755);
	assert_int_equal(folder_mode(inner), 0755);
	rpc_server_free(server);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_ok(rpc_server_new(&loop, NULL, &server, &e), e);
	assert_ok(file_write(path, "", 0, 0600, &e), e);
	snprintf(path, sizeof(path), "%s/s/below/s", inner);
	assert_refused(admin_socket_listen(server, path, &e), e, ERR_INTERNAL, "make folder");
	rpc_server_free(server);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_file_is_for_its_user_or_its_group),
		cmocka_unit_test(whoever_cannot_give_it_to_the_group_keeps_it),
		cmocka_unit_test(one_that_is_listened_on_is_not_taken),
		cmocka_unit_test(nor_one_of_a_program_without_a_lock),
		cmocka_unit_test(what_a_killed_program_leaves_is_replaced),
		cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
		cmocka_unit_test(only_ones_own_file_is_removed),
		cmocka_unit_test(administrators_reach_the_folder_that_is_made),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
