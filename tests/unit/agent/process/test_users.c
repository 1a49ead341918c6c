/* SPDX-License-Identifier: Apache-2.0 */
/* The image's users on this machine, each step in a child: it needs root. */
#include "agent/process/child.h"
#include "agent/process/confine.h"
#include "agent/process/users.h"
#include "common/base/users.h"
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t rights = UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SETGID |
			       UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_DAC_OVERRIDE;

/* The line's first number of a process's status, as we see it. */
static unsigned long number_of(pid_t pid, const char *line, int base)
{
	char path[64], text[256];
	unsigned long number = 0;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(text, sizeof(text), file))
		if (strncmp(text, line, strlen(line)) == 0) {
			number = strtoul(text + strlen(line), NULL, base);
			found = true;
		}
	fclose(file);
	assert_true(found);
	return number;
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
}

/* Enters, runs `f` and tells its answer, or 100 and more where entering fails. */
static int entered(int (*f)(int fd), int fd)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e;

		if (users_enter(rights, &e) < 0) {
			fprintf(stderr, "# %s\n", e.text);
			_exit(100);
		}
		_exit(f(fd));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int has_what_was_left(int fd)
{
	if (geteuid() != 0 || getuid() != 0 || getegid() != 0 || getgroups(0, NULL) != 0)
		return 1;
	return number_of(getpid(), "CapEff:", 16) != rights ||
	       number_of(getpid(), "CapPrm:", 16) != rights ||
	       number_of(getpid(), "CapBnd:", 16) != rights ||
	       number_of(getpid(), "CapAmb:", 16) != 0;
}

static int has_only_two_users(int fd)
{
	if (fchown(fd, USERS_ALGORITHM, USERS_ALGORITHM) != 0 || fchown(fd, 0, 0) != 0)
		return 1;
	if (fchown(fd, 1, 1) == 0 || fchown(fd, USERS_KEEPER, USERS_KEEPER) == 0 ||
	    setresuid(USERS_KEEPER, USERS_KEEPER, USERS_KEEPER) == 0 || setresuid(1, 1, 1) == 0)
		return 2;
	return setresuid(USERS_ALGORITHM, USERS_ALGORITHM, USERS_ALGORITHM) == 0 ? 0 : 3;
}

/* `fd` is a folder that has a file of root's, which only root may read. */
static int gets_nothing_of_roots(int fd)
{
	if (openat(fd, "secret", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return 1;
	if (openat(fd, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 || errno != EACCES)
		return 2;
	if (mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0 || errno != EPERM)
		return 3;
	return kill(getppid(), 0) == 0 || errno != EPERM ? 4 : 0;
}

/* A file of USERS_ALGORITHM's without any mode. */
static int reads_what_the_algorithm_made(int fd)
{
	char byte;
	int again = openat(fd, "made", O_RDONLY | O_CLOEXEC);

	return again < 0 || read(again, &byte, 1) != 1 || unlinkat(fd, "made", 0) < 0;
}

static int make_folder(char path[64])
{
	strcpy(path, "/tmp/test-users-XXXXXX");
	assert_non_null(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void make_file(int folder, const char *name, uid_t owner, mode_t mode)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(fchown(fd, owner, owner), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void who_enters_keeps_what_was_said_and_two_users(void **state)
{
	char path[64];

	need_root();
	int folder = make_folder(path);
	make_file(folder, "own", USERS_AGENT, 0600);
	int own = openat(folder, "own", O_RDWR | O_CLOEXEC);
	assert_int_equal(entered(has_what_was_left, -1), 0);
	assert_int_equal(entered(has_only_two_users, own), 0);
	close(own);
	unlinkat(folder, "own", 0);
	close(folder);
	rmdir(path);
}

static void who_enters_has_no_power_over_others(void **state)
{
	char path[64];

	need_root();
	int folder = make_folder(path);
	make_file(folder, "secret", 0, 0600);
	assert_int_equal(fchmod(folder, 0755), 0);
	assert_int_equal(entered(gets_nothing_of_roots, folder), 0);
	unlinkat(folder, "secret", 0);
	/* the same rights serve for what is its own and the algorithm's */
	make_file(folder, "made", USERS_ALGORITHM, 0);
	assert_int_equal(fchown(folder, USERS_ALGORITHM, USERS_ALGORITHM), 0);
	assert_int_equal(fchmod(folder, 0), 0);
	assert_int_equal(entered(reads_what_the_algorithm_made, folder), 0);
	close(folder);
	rmdir(path);
}

/* This program again, below: says who it is on its socket, and waits for the socket's end. */
static int other_main(void)
{
	struct {
		uid_t user;
		gid_t group;
		int groups, descriptors;
		uint64_t permitted, bounding;
		pid_t parent;
	} said = { 0 };
	char byte;

	said.user = geteuid();
	said.group = getegid();
	said.groups = getgroups(0, NULL);
	said.permitted = number_of(getpid(), "CapPrm:", 16);
	said.bounding = number_of(getpid(), "CapBnd:", 16);
	said.parent = getppid();
	for (int fd = CHILD_SOCKET + 1; fd < 1024; fd++)
		said.descriptors += fcntl(fd, F_GETFD) >= 0;
	if (said.user != USERS_KEEPER || said.group != USERS_KEEPER || said.groups ||
	    said.descriptors || said.permitted || said.bounding || getenv("PATH"))
		return 1;
	if (write(CHILD_SOCKET, &said.parent, sizeof(said.parent)) != sizeof(said.parent))
		return 1;
	return (int)read(CHILD_SOCKET, &byte, 1);
}

static const struct users_child other = { .word = "other", .user = USERS_KEEPER };

static void another_user_starts_with_nothing_but_its_socket(void **state)
{
	struct err e;
	pid_t parent;
	int sock;

	need_root();
	assert_ok(users_start(&other, &sock, &e), e);
	assert_int_equal(read(sock, &parent, sizeof(parent)), sizeof(parent));
	assert_int_not_equal(parent, getpid());
	assert_true(fcntl(sock, F_GETFD) & FD_CLOEXEC);
	close(sock);
}

static void without_a_right_nothing_is_separated(void **state)
{
	int status, sock;
	pid_t pid = fork();
	struct err e;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (setresgid(54321, 54321, 54321) < 0 || setresuid(54321, 54321, 54321) < 0))
			_exit(1);
		if (users_enter(rights, &e) == 0)
			_exit(2);
		/* the process is made, and ends before it says anything */
		if (users_start(&other, &sock, &e) == 0 && read(sock, &status, sizeof(status)) > 0)
			_exit(3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Runs `f`, which returns 0 and has said the words on standard error. */
static void assert_told(int (*f)(void), const char *words)
{
	char told[1024] = "";
	size_t len = 0;
	ssize_t n;
	int ends[2], status;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (dup2(ends[1], STDERR_FILENO) < 0)
			_exit(100);
		_exit(f());
	}
	close(ends[1]);
	while ((n = read(ends[0], told + len, sizeof(told) - 1 - len)) > 0)
		len += (size_t)n;
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0 || !strstr(told, words))
		fail_msg("status %x: %s", (unsigned)status, told);
}

/* As a user who has no other process, and who may have one more: the keeper's own is one too many. */
static int start_with_room_for_one(void)
{
	const uid_t nobodys = 0x40000000u + (uid_t)getpid();
	const struct rlimit two = { 2, 2 };
	struct err e;
	int sock;

	if (setresgid(nobodys, nobodys, nobodys) < 0 || setresuid(nobodys, nobodys, nobodys) < 0 ||
	    setrlimit(RLIMIT_NPROC, &two) < 0)
		return 1;
	if (users_start(&other, &sock, &e) == 0)
		return 2;
	return strcmp(e.text, "other: its process failed") == 0 ? 0 : 3;
}

/* Without the right to say whom a user of the namespace stands for. */
static int enter_without_setuid(void)
{
	const uint64_t groups = UINT64_C(1) << CAP_SETGID;
	struct err e;

	if (confine_rights(groups, groups, &e) < 0)
		return 1;
	if (users_enter(rights, &e) == 0)
		return 2;
	return strcmp(e.text, "user namespace: its process failed") == 0 ? 0 : 3;
}

static void a_process_that_can_t_be_made_is_told(void **state)
{
	need_root();
	assert_told(start_with_room_for_one, "start 'other': fork: ");
}

static void a_map_that_can_t_be_written_is_told(void **state)
{
	need_root();
	assert_told(enter_without_setuid, "/uid_map'");
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "other") == 0)
		return other_main();

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_enters_keeps_what_was_said_and_two_users),
		cmocka_unit_test(who_enters_has_no_power_over_others),
		cmocka_unit_test(another_user_starts_with_nothing_but_its_socket),
		cmocka_unit_test(without_a_right_nothing_is_separated),
		cmocka_unit_test(a_process_that_can_t_be_made_is_told),
		cmocka_unit_test(a_map_that_can_t_be_written_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
