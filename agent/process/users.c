/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/users.h"

#include "agent/process/child.h"
#include "agent/process/confine.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/users.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAP USERS_TEXT(USERS_ALGORITHM) " " USERS_TEXT(USERS_ALGORITHM) " 1\n"

static int become(uid_t user, struct err *e)
{
	if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ||
	    setresuid(user, user, user) < 0)
		return err_errno(e, "become user %u", user);
	return 0;
}

static int keep_socket(int sock, struct err *e)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return err_errno(e, "open /dev/null");
	/* dup2() of a number to itself would leave close-on-exec as it is */
	if (sock == CHILD_SOCKET ? fcntl(sock, F_SETFD, 0) < 0 : dup2(sock, CHILD_SOCKET) < 0)
		return err_errno(e, "socket of a child");
	if (syscall(SYS_close_range, CHILD_SOCKET + 1, ~0U, 0) < 0)
		return err_errno(e, "close what is not a child's");
	return 0;
}

/* In a child: its parent learns no more than that it failed. */
static _Noreturn void tell_and_fail(const struct err *e)
{
	dprintf(STDERR_FILENO, "cocos-agent: %s\n", e->text);
	_exit(EXIT_FAILURE);
}

static int enter_cgroup(const char *cgroup, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (!cgroup)
		return 0;
	if (text_format(&path, e, "%s/cgroup.procs", cgroup) < 0)
		return err_code(e);
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return err_errno(e, "write '%s'", path);
	return 0;
}

static _Noreturn void run_as(const struct users_child *child, int sock)
{
	char *const argv[] = { (char *)"cocos-agent", (char *)child->word, NULL },
		    *env[] = { NULL };
	struct err e;

	/* An orphan, so that who faces the network is not its parent. */
	pid_t orphan = fork();
	if (orphan > 0)
		_exit(EXIT_SUCCESS);
	if (orphan < 0) {
		err_errno(&e, "start '%s': fork", child->word);
		tell_and_fail(&e);
	}
	setsid();
	if (enter_cgroup(child->cgroup, &e) == 0 && keep_socket(sock, &e) == 0 &&
	    confine_rights(UINT64_MAX, 0, &e) == 0 && become(child->user, &e) == 0) {
		execve("/proc/self/exe", argv, env);
		err_errno(&e, "start '%s'", child->word);
	}
	tell_and_fail(&e);
}

/* Waits for a child's good end. */
static int await(pid_t pid, const char *what, struct err *e)
{
	int status;

	if (pid < 0)
		return err_errno(e, "%s: fork", what);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "%s: wait", what);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
		return err_set(e, ERR_INTERNAL, "%s: its process failed", what);
	return 0;
}

int users_start(const struct users_child *child, int *sock, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(e, "socket pair");
	CLEANUP(close) int ours = pair[0];
	CLEANUP(close) int theirs = pair[1];
	pid_t pid = fork();
	if (pid == 0)
		run_as(child, theirs);
	if (await(pid, child->word, e) < 0)
		return err_code(e);
	*sock = TAKE_FD(ours);
	return 0;
}

static int write_map(pid_t pid, const char *file, struct err *e)
{
	static const char map[] = "0 " USERS_TEXT(USERS_AGENT) " 1\n" MAP;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map, sizeof(map) - 1) != (ssize_t)sizeof(map) - 1)
		return err_errno(e, "write '%s'", path);
	return 0;
}

/* Who is in the namespace may not say whom it stands for; one who is still outside may. */
static _Noreturn void map_parent(int go)
{
	pid_t parent = getppid();
	struct err e;
	char byte;

	if (read(go, &byte, 1) != 1) /* the parent has failed, and says why */
		_exit(EXIT_FAILURE);
	if (write_map(parent, "uid_map", &e) < 0 || write_map(parent, "gid_map", &e) < 0)
		tell_and_fail(&e);
	_exit(EXIT_SUCCESS);
}

static int make_namespace(struct err *e)
{
	int go[2];

	if (pipe2(go, O_CLOEXEC) < 0)
		return err_errno(e, "pipe");
	CLEANUP(close) int reading = go[0];
	CLEANUP(close) int writing = go[1];
	pid_t pid = fork();
	if (pid == 0) {
		close(writing);
		map_parent(reading);
	}
	int failed = unshare(CLONE_NEWUSER) < 0 ? err_errno(e, "make a user namespace") : 0;
	if (!failed && write(writing, "", 1) != 1)
		failed = err_errno(e, "pipe");
	close(TAKE_FD(writing)); /* without a byte it fails */
	if (failed) {
		waitpid(pid, NULL, 0);
		return failed;
	}
	return await(pid, "user namespace", e);
}

int users_enter(uint64_t rights, struct err *e)
{
	if (setgroups(0, NULL) < 0)
		return err_errno(e, "leave groups");
	if (make_namespace(e) < 0 || become(0, e) < 0)
		return err_code(e);
	return confine_rights(rights, rights, e);
}
