/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_main.c — the jail's process outside: makes the namespaces, gives them their identity and
 * limits, waits, kills. When it has ended, so has everything of the run: waiting for a pid 1
 * returns only after the kernel has killed and reaped its whole name space.
 */
#include "agent/jail/jail.h"
#include "agent/jail/jail_group.h"
#include "agent/jail/jail_init.h"
#include "agent/jail/jail_limits.h"
#include "agent/jail/jail_watch.h"
#include "agent/process/child.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct outside {
	struct jail_init init;
	struct jail_group group;
	int go; /* the end that is written */
	pid_t pid;
};

static int write_map(pid_t pid, const char *file, const char *text, struct err *e)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return err_errno(e, "jail: write '%s'", path);
	return 0;
}

/* One identity inside, nobody; outside it is a number that nobody else has, or, when a user
 * started us, that user: nothing else is allowed then (user_namespaces(7)). */
static int write_maps(pid_t pid, struct err *e)
{
	bool root = geteuid() == 0;
	char uids[48], gids[48];

	snprintf(uids, sizeof(uids), "65534 %u 1", root ? JAIL_UID : geteuid());
	snprintf(gids, sizeof(gids), "65534 %u 1", root ? JAIL_UID : getegid());
	if (!root && write_map(pid, "setgroups", "deny", e) < 0)
		return err_code(e);
	if (write_map(pid, "uid_map", uids, e) < 0 || write_map(pid, "gid_map", gids, e) < 0)
		return err_code(e);
	/* When memory is short, the kernel should kill the algorithm rather than the agent. */
	return write_map(pid, "oom_score_adj", "1000", e);
}

static int start_init(struct outside *o, struct err *e)
{
	const unsigned long spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
				     CLONE_NEWUTS | CLONE_NEWCGROUP |
				     (o->init.spec->network ? 0 : CLONE_NEWNET);
	int go[2];

	if (pipe2(go, O_CLOEXEC) < 0)
		return err_errno(e, "jail: pipe");
	o->init.go = go[0];
	o->go = go[1];
	long pid = syscall(SYS_clone, spaces | SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0) {
		close(go[1]);
		jail_init_run(&o->init);
	}
	if (pid < 0 && (errno == EPERM || errno == ENOSPC || errno == EUSERS))
		return err_errno(e, "jail: this kernel lets us make no user namespaces (see "
				    "user.max_user_namespaces, kernel.unprivileged_userns_clone, "
				    "AppArmor), and without them nothing is run");
	if (pid < 0)
		return err_errno(e, "jail: make namespaces");
	close(go[0]);
	o->pid = (pid_t)pid;
	return 0;
}

/* Until pid 1 ends by itself, or the agent sends anything or is gone. Version 2 kills the whole
 * group that runs out of memory; version 1 kills one process of it, and the rest is for us. */
static void wait_for_end(const struct outside *o)
{
	CLEANUP(close) int pidfd = (int)syscall(SYS_pidfd_open, o->pid, 0);
	struct pollfd ready[] = { { .fd = CHILD_SOCKET, .events = POLLIN },
				  { .fd = pidfd, .events = POLLIN } };
	bool watched = o->group.held & JAIL_HELD_BY_1, grouped = o->group.held & JAIL_HELD_MEMORY;
	const int pause = watched ? JAIL_WATCH_MS : grouped ? JAIL_USAGE_MS : -1;
	uint64_t next = 0;
	int status;

	while (pidfd >= 0 && ready[1].revents == 0) {
		if (grouped && jail_usage_is_due(&next))
			jail_tell_usage(CHILD_SOCKET, jail_usage_of_group(&o->group));
		if (poll(ready, 2, pause) < 0 && errno != EINTR)
			break;
		if (ready[0].revents || (watched && jail_group_ran_out(&o->group)))
			break;
	}
	kill(o->pid, SIGKILL); /* no one else can have the number: it is not reaped yet */
	while (waitpid(o->pid, &status, 0) < 0 && errno == EINTR)
		;
}

static int run(struct outside *o, struct err *e)
{
	if (start_init(o, e) < 0)
		return err_code(e);
	if (write_maps(o->pid, e) < 0 || jail_group_add(&o->group, o->pid, e) < 0 ||
	    write(o->go, "", 1) != 1) {
		kill(o->pid, SIGKILL);
		waitpid(o->pid, NULL, 0);
		return e->code ? err_code(e) : err_set(e, ERR_INTERNAL, "jail: lost pid 1");
	}
	/* Only the program's processes may hold the pipes of its output. */
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	wait_for_end(o);
	if (jail_group_ran_out(&o->group))
		jail_tell(CHILD_SOCKET, JAIL_MEMORY, NULL, 0, -1);
	return 0;
}

static int receive_spec(struct jail_spec_box **box, struct err *e)
{
	CLEANUP(free) uint8_t *packet = malloc(JAIL_SPEC_MAX + 1);

	if (!packet)
		return err_nomem(e);
	ssize_t n = recv(CHILD_SOCKET, packet, JAIL_SPEC_MAX + 1, 0);
	if (n < 0)
		return err_errno(e, "jail: receive spec");
	return jail_spec_read(packet, (size_t)n, box, e);
}

int jail_main(int argc, char **argv)
{
	struct outside o = { .init.sock = CHILD_SOCKET, .group = jail_group_none };
	CLEANUP(jail_spec_free) struct jail_spec_box *box = NULL;
	struct err e = { 0 };
	int type;
	socklen_t len = sizeof(type);

	log_open("cocos-agent jail");
	if (argc != 2 || getsockopt(CHILD_SOCKET, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		log_error("only the agent starts this");
		return 2;
	}
	/* The agent ends us through the socket; signals to its group are for it to handle. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	syscall(SYS_close_range, CHILD_SOCKET + 1, ~0U, 0);
	int failed = receive_spec(&box, &e);
	if (!failed) {
		o.init.spec = jail_spec_of(box);
		o.init.limits = jail_limits_filled(&o.init.spec->limits);
		o.group = jail_group_make(&o.init.limits, o.init.spec->strict);
		o.init.held = o.group.held;
		o.init.grouped = o.group.held & JAIL_HELD_MEMORY;
		failed = jail_limits_ungrouped(o.init.spec->strict, o.group.held, &o.init.limits,
					       &e);
		if (!failed)
			failed = run(&o, &e);
		jail_group_remove(&o.group);
	}
	if (failed)
		jail_tell(CHILD_SOCKET, JAIL_FAILED, e.text, strlen(e.text), -1);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
