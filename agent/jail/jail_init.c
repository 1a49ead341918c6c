/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/jail_init.h"

#include "agent/container/unpack.h"
#include "agent/jail/jail_landlock.h"
#include "agent/jail/jail_limits.h"
#include "agent/jail/jail_root.h"
#include "agent/jail/jail_seccomp.h"
#include "agent/jail/jail_watch.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, LAST_CAPABILITY = 63, FAILURE_FD = 3 };

void jail_tell(int sock, enum jail_news news, const void *content, size_t len, int fd)
{
	uint8_t type = (uint8_t)news;
	struct iovec parts[] = { { &type, 1 }, { (void *)content, len } };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr packet = { .msg_iov = parts, .msg_iovlen = 2 };

	if (fd >= 0) {
		packet.msg_control = control.bytes;
		packet.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *c = CMSG_FIRSTHDR(&packet);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	/* An agent that is gone kills us anyway. */
	while (sendmsg(sock, &packet, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

void jail_tell_usage(int sock, struct jail_usage usage)
{
	uint8_t news[JAIL_USAGE_LEN];

	jail_usage_write(&usage, news);
	jail_tell(sock, JAIL_USED, news, sizeof(news), -1);
}

static _Noreturn void fail(const struct jail_init *init, const struct err *e)
{
	jail_tell(init->sock, JAIL_FAILED, e->text, strlen(e->text), -1);
	_exit(1);
}

/* capabilities(7): `kept` is a mask over the first 32. */
static int keep_capabilities(uint32_t kept, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = kept, .permitted = kept } };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, data) < 0)
		return err_errno(e, "jail: drop capabilities");
	return 0;
}

static int drop_bounding_set(struct err *e)
{
	for (unsigned long cap = 0; cap <= LAST_CAPABILITY; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
			return err_errno(e, "jail: drop capabilities");
	return 0;
}

static int become_nobody(struct err *e)
{
	/* Where a user made the namespace, groups may not be changed (user_namespaces(7)). */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return err_errno(e, "jail: leave groups");
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return err_errno(e, "jail: become nobody");
	umask(022);
	return 0;
}

/* From here we die with the parent, and all others with us. */
static int follow_parent(const struct jail_init *init, struct err *e)
{
	struct pollfd go = { .fd = init->go };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(e, "jail: prctl");
	if (poll(&go, 1, 0) < 0 || (go.revents & POLLHUP)) /* it died just before */
		_exit(1);
	return 0;
}

static int restrict_program(const struct jail_init *init, struct err *e)
{
	/* results/ may be seen in another place, too */
	const char *writable[JAIL_MOUNTS_MAX + 9] = { "/tmp",      "/task",        "/home",
						      "/dev/shm",  "/dev/null",    "/dev/zero",
						      "/dev/full", "/task/results" };
	size_t count = 8;

	for (size_t i = 0; i < init->spec->mount_count; i++)
		if (init->spec->mounts[i].access != JAIL_READ)
			writable[count++] = init->spec->mounts[i].target;
	if (keep_capabilities(0, e) < 0 ||
	    jail_landlock_restrict(writable, init->spec->network, e) < 0 ||
	    jail_seccomp_load(init->spec->network, e) < 0)
		return err_code(e);
	/* last, because making the filter takes memory too */
	return jail_limits_apply(&init->limits, init->grouped || init->spec->unpack, e);
}

static int prepare_descriptors(int failure, struct err *e)
{
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup3(failure, FAILURE_FD, O_CLOEXEC) < 0 ||
	    syscall(SYS_close_range, FAILURE_FD + 1, ~0U, 0) < 0)
		return err_errno(e, "jail: descriptors");
	return 0;
}

static void default_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int start_in_folder(const struct jail_spec *spec, struct err *e)
{
	return chdir(spec->folder) < 0
		       ? err_errno(e, "jail: enter %s", log_quote(spec->folder).text)
		       : 0;
}

static void execute(const struct jail_spec *spec)
{
	char *const *argv = (char *const *)spec->argv, *const *env = (char *const *)spec->env;

	if (strchr(argv[0], '/')) {
		execve(argv[0], argv, env);
		return;
	}
	environ = (char **)env; /* its PATH is the one that counts */
	execvpe(argv[0], argv, env);
}

static _Noreturn void become_program(const struct jail_init *init, int failure)
{
	const struct jail_spec *spec = init->spec;
	struct err e;

	/* libseccomp may open descriptors for a moment: they close on exec */
	default_signals();
	setsid();
	if (prepare_descriptors(failure, &e) == 0) {
		failure = FAILURE_FD;
		if (start_in_folder(spec, &e) == 0 && restrict_program(init, &e) == 0) {
			if (spec->unpack) {
				close(failure); /* as executing something else would */
				_exit(unpack_main(spec->unpack));
			}
			execute(spec);
			err_errno(&e, "cannot execute %s", spec->argv[0]);
		}
	}
	size_t len = strlen(e.text);
	_exit(write(failure, e.text, len) == (ssize_t)len ? 126 : 127);
}

/* The program's pid, once it is executed. */
static pid_t start_program(const struct jail_init *init, struct err *e)
{
	int failure[2];

	if (pipe2(failure, O_CLOEXEC) < 0)
		return err_errno(e, "jail: pipe");
	pid_t pid = fork();
	if (pid < 0)
		return err_errno(e, "jail: fork");
	if (pid == 0)
		become_program(init, failure[1]);
	close(failure[1]);
	char text[ERR_TEXT_MAX];
	ssize_t n;
	while ((n = read(failure[0], text, sizeof(text) - 1)) < 0 && errno == EINTR)
		;
	close(failure[0]);
	if (n != 0)
		return err_set(e, ERR_PRECONDITION, "%.*s", n > 0 ? (int)n : 0, text);
	return pid;
}

/* True when the program itself has ended; any other process is just reaped. */
static bool reap(pid_t program, int *status)
{
	int one;
	pid_t pid;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
		if (pid == program) {
			*status = one;
			return true;
		}
	return false;
}

/* False: it uses more than it may, and that is told. */
static bool look_at_memory(const struct jail_init *init, struct jail_usage *usage)
{
	if (init->grouped)
		return true;
	usage->memory = jail_watch_memory(!init->spec->network);
	if (usage->memory <= init->limits.memory)
		return true;
	jail_tell(init->sock, JAIL_MEMORY, NULL, 0, -1);
	return false;
}

static void wait_for(const struct jail_init *init, pid_t program, int children)
{
	const bool counts = !jail_usage_has_processor(init->held);
	const int pause = !init->grouped ? JAIL_WATCH_MS : counts ? JAIL_USAGE_MS : -1;
	struct pollfd ready = { .fd = children, .events = POLLIN };
	struct jail_usage usage = { 0 };
	struct signalfd_siginfo info;
	uint64_t next = 0;
	int status = 0;

	while (!reap(program, &status)) {
		if (poll(&ready, 1, pause) > 0 && read(children, &info, sizeof(info)) < 0)
			continue;
		if (!look_at_memory(init, &usage))
			return;
		if (counts && jail_usage_is_due(&next)) {
			usage.processor = jail_usage_processor();
			jail_tell_usage(init->sock, usage);
		}
	}
	uint8_t news[] = { (uint8_t)(status >> 24), (uint8_t)(status >> 16), (uint8_t)(status >> 8),
			   (uint8_t)status };
	jail_tell(init->sock, JAIL_EXITED, news, sizeof(news), -1);
}

static int build(const struct jail_init *init, struct jail_trees *trees, int *results,
		 struct err *e)
{
	if (jail_root_take(init->spec, trees, e) < 0 || become_nobody(e) < 0 ||
	    follow_parent(init, e) < 0)
		return err_code(e);
	if (sethostname("jail", 4) < 0)
		return err_errno(e, "jail: host name");
	if (jail_root_enter(init->spec, &init->limits, trees, results, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < trees->count; i++)
		close(trees->trees[i].fd);
	return drop_bounding_set(e);
}

static void tell_started(const struct jail_init *init, const struct jail_trees *trees, int results)
{
	char news[1 + sizeof(trees->unlayered)] = { (char)init->held };
	size_t len = strlen(trees->unlayered);

	memcpy(news + 1, trees->unlayered, len);
	jail_tell(init->sock, JAIL_STARTED, news, 1 + len, results);
}

_Noreturn void jail_init_run(const struct jail_init *init)
{
	struct jail_trees trees = { 0 };
	sigset_t child;
	struct err e;
	int results = -1;
	char go = 0;

	if (read(init->go, &go, 1) != 1)
		_exit(1);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if (build(init, &trees, &results, &e) < 0)
		fail(init, &e);
	int children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	pid_t program = start_program(init, &e);
	if (program < 0)
		fail(init, &e);
	/* Counting what can't be read needs the right to look. */
	if (keep_capabilities(init->grouped ? 0 : 1u << CAP_SYS_PTRACE, &e) < 0)
		fail(init, &e);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	tell_started(init, &trees, results);
	close(results);
	wait_for(init, program, children);
	_exit(0);
}
