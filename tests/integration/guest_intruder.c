/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_intruder.c — takes the agent's place in an image of the tests: separates itself from the
 * keeper as the agent does, and then wants more than the agent may have, without the agent's filter
 * and with it. The jail behind it is the agent's own. The test compares; nothing is judged here.
 */
#include "agent/core/separation.h"
#include "agent/jail/jail.h"
#include "agent/jail/jail_seccomp.h"
#include "agent/keeper/keeper_seccomp.h"
#include "agent/process/child.h"
#include "agent/process/confine.h"
#include "agent/process/filter.h"
#include "common/base/users.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define WORK  "/var/lib/cocos"
#define GROUP "/sys/fs/cgroup/cocos"

static const char *stage = "start";

static void say(const char *what, const char *value)
{
	printf("probe: %s: %s: %s\n", stage, what, value);
}

static void say_result(const char *what, long result)
{
	say(what, result < 0 ? strerrorname_np(errno) : "ok");
}

static void say_error(const char *what, const struct err *e)
{
	say(what, e->text);
}

/* The lines of a status that tell of rights. */
static void say_status(pid_t pid, const char *name)
{
	static const char *const wanted[] = { "Uid:",     "Gid:",    "Groups:", "NoNewPrivs:",
					      "Seccomp:", "CapInh:", "CapPrm:", "CapEff:",
					      "CapBnd:",  "CapAmb:" };
	char path[64], line[256], what[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		char *value = strchr(line, '\t');

		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; value && i < ARRAY_LEN(wanted); i++)
			if (strncmp(line, wanted[i], strlen(wanted[i])) == 0) {
				snprintf(what, sizeof(what), "%s of %s",
					 strndupa(line, strlen(wanted[i]) - 1), name);
				say(what, value + 1);
			}
	}
	if (file)
		fclose(file);
}

/* The process whose second argument is `word`. */
static pid_t find(const char *word)
{
	DIR *proc = opendir("/proc");
	const struct dirent *item;
	pid_t found = -1;

	while (proc && found < 0 && (item = readdir(proc))) {
		char path[300], text[256] = "";

		snprintf(path, sizeof(path), "/proc/%s/cmdline", item->d_name);
		int fd = item->d_name[0] >= '1' && item->d_name[0] <= '9'
				 ? open(path, O_RDONLY | O_CLOEXEC)
				 : -1;
		ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		size_t first = strlen(text) + 1;

		if (len > (ssize_t)first && strcmp(text + first, word) == 0)
			found = (pid_t)strtol(item->d_name, NULL, 10);
		if (fd >= 0)
			close(fd);
	}
	if (proc)
		closedir(proc);
	return found;
}

static void say_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	say_result(path, fd);
	if (fd >= 0)
		close(fd);
}

static void say_process(pid_t pid, const char *name)
{
	static const char *const files[] = { "mem", "environ", "root", "fd" };
	char path[64], what[64];

	snprintf(what, sizeof(what), "signal to %s", name);
	say_result(what, kill(pid, 0));
	snprintf(what, sizeof(what), "trace of %s", name);
	say_result(what, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		snprintf(what, sizeof(what), "%s of %s", files[i], name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		say_result(what, fd);
		if (fd >= 0)
			close(fd);
	}
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return len == (ssize_t)strlen(text) ? 0 : -1;
}

static int move(pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return put(GROUP "/mine/cgroup.procs", text);
}

/* Who is in a group that we made ends with it: the keeper is not to be moved there; our child is. */
static void want_to_kill(pid_t keeper)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		for (;;)
			pause();
	say_result("move of keeper", move(keeper));
	say_result("entry to the keeper's group", put(USERS_KEEPER_GROUP "/cgroup.procs", "0"));
	say_result("end of the keeper's group", put(USERS_KEEPER_GROUP "/cgroup.kill", "1"));
	say_result("move of a child", move(child));
	say_result("end of a group", put(GROUP "/mine/cgroup.kill", "1"));
	waitpid(child, &status, 0);
	say("end of a child", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? "ok" : "none");
}

/* What an intruder in the agent would like. */
static void want_more(pid_t keeper)
{
	static const char *const written[] = {
		"/dev/tpmrm0",
		"/dev/tpm0",
		"/dev/mem",
		"/dev/kmsg",
		"/proc/sys/kernel/core_pattern",
		"/proc/sys/kernel/hostname",
		"/proc/sysrq-trigger",
		"/sys/kernel/security/ima/policy",
		"/sys/fs/cgroup/cgroup.procs",
		GROUP "/memory.max",
		GROUP "/processes/cgroup.procs",
		"/run/written",
	};

	say_process(1, "init");
	say_process(keeper, "keeper");
	for (size_t i = 0; i < ARRAY_LEN(written); i++)
		say_open(written[i],
			 strncmp(written[i], "/run", 4) == 0 ? O_WRONLY | O_CREAT : O_WRONLY);
	say_open("/sys/kernel/security/ima/binary_runtime_measurements", O_RDONLY);
	say_result("user keeper", setresuid(USERS_KEEPER, USERS_KEEPER, USERS_KEEPER));
	say_result("user 1", setresuid(1, 1, 1));
	say_result("module", syscall(SYS_init_module, "x", 1, ""));
	say_result("mount", mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
	say_result("bind", mount("/dev", WORK, NULL, MS_BIND, NULL));
	say_result("chroot", chroot("/tmp"));
	say_result("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, NULL));
	say_result("clock", syscall(SYS_settimeofday, &(long[2]){ 0 }, NULL));
	say_result("group of init's", mkdir("/sys/fs/cgroup/mine", 0755));
	/* and what it may, so that the refusals above say something */
	say_open(WORK "/written", O_WRONLY | O_CREAT);
	say_open("/dev/null", O_RDWR);
	say_result("file for the algorithm",
		   fchownat(AT_FDCWD, WORK "/written", USERS_ALGORITHM, USERS_ALGORITHM, 0));
	say_result("file for root", fchownat(AT_FDCWD, WORK "/written", 1, 1, 0));
	say_result("group", mkdir(GROUP "/mine", 0755));
	want_to_kill(keeper);
	say_result("no group", rmdir(GROUP "/mine"));
	unlink(WORK "/written");
}

static void on_line(void *data, int stream, const char *text, size_t len)
{
	printf("probe: %s: %.*s\n", stage, (int)len, text);
}

static void on_exit_(void *data, const struct jail_exit *exit, int results)
{
	say("jail", exit->cause);
	if (results >= 0)
		close(results);
}

static void run_jail(uv_loop_t *loop)
{
	static const char *const argv[] = { "/usr/bin/cocos-agent", "--ran", NULL },
				 *env[] = { NULL };
	const struct jail_spec spec = { .argv = argv, .env = env, .strict = true };
	const struct jail_callbacks callbacks = { .on_line = on_line,
						  .on_exit = on_exit_,
						  .data = NULL };
	struct jail *jail;
	struct err e;

	if (jail_start(loop, &spec, &callbacks, &jail, &e) < 0) {
		say_error("jail", &e);
		return;
	}
	uv_run(loop, UV_RUN_DEFAULT);
	jail_free(jail);
	uv_run(loop, UV_RUN_DEFAULT);
}

/* Where the keeper would be, with all that the keeper is left with: what is the keeper's. */
static int keep(void)
{
	struct err e;
	char byte;

	stage = "keeper";
	if (confine_process(&e) < 0 || confine_rights(0, 0, &e) < 0 ||
	    keeper_seccomp_load(false, &e) < 0) {
		say_error("failed", &e);
		return 1;
	}
	say_open("/dev/tpmrm0", O_RDWR);
	say_open("/sys/kernel/security/ima/binary_runtime_measurements", O_RDONLY);
	say_open("/etc/cocos/environment", O_RDONLY);
	say_open(WORK, O_RDONLY);
	if (write(CHILD_SOCKET, "", 1) == 1 && read(CHILD_SOCKET, &byte, 1) == 0)
		return 0;
	return 1;
}

struct seen {
	pid_t keeper, agent;
};

/* As root, who sees everybody's own numbers. */
static pid_t start_observer(int pipes[2])
{
	struct seen seen;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	stage = "seen";
	close(pipes[1]);
	if (read(pipes[0], &seen, sizeof(seen)) == sizeof(seen)) {
		say_status(1, "init");
		say_status(seen.keeper, "keeper");
		say_status(seen.agent, "agent");
	}
	_exit(0);
}

static void want_more_both_ways(pid_t keeper)
{
	struct err e;

	for (int filtered = 0; filtered < 2; filtered++) {
		stage = filtered ? "filtered" : "unfiltered";
		if (fork() == 0) {
			if (filtered && jail_seccomp_load_outside(&e) < 0)
				say_error("filter", &e);
			want_more(keeper);
			_exit(0);
		}
		wait(NULL);
	}
}

static int run(struct err *e)
{
	struct seen seen;
	int sock, pipes[2];
	uv_loop_t loop;
	pid_t observer;
	char byte;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_errno(e, "pipe");
	observer = start_observer(pipes);
	if (confine_process(e) < 0 || separation_make(&sock, e) < 0 || filter_rings(e) < 0)
		return err_code(e);
	if (uv_loop_init(&loop) < 0)
		return err_set(e, ERR_INTERNAL, "no event loop");
	if (read(sock, &byte, 1) != 1)
		return err_set(e, ERR_INTERNAL, "the keeper's process has ended");
	seen = (struct seen){ find("keeper"), getpid() };
	want_more_both_ways(seen.keeper);
	stage = "jail";
	if (jail_seccomp_load_outside(e) < 0)
		return err_code(e);
	run_jail(&loop);
	if (write(pipes[1], &seen, sizeof(seen)) != sizeof(seen))
		return err_errno(e, "tell the observer");
	waitpid(observer, NULL, 0);
	return 0;
}

/* In the jail. */
static int ran(void)
{
	stage = "ran";
	say_status(getpid(), "algorithm");
	say_open("/dev/tpmrm0", O_RDWR);
	return 0;
}

int main(int argc, char **argv)
{
	struct err e = { .code = ERR_OK };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keep();
	if (argc > 1 && strcmp(argv[1], "jail") == 0)
		return jail_main(argc, argv);
	if (argc > 1 && strcmp(argv[1], "--ran") == 0)
		return ran();
	if (run(&e) < 0)
		say_error("failed", &e);
	printf("probe: end\n");
	return 0;
}
