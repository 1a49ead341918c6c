/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attacker.c — the algorithm that test_jail.c and test_runner.c run: argv[1] says what it tries.
 * What it achieved it prints; the tests know what must not be there.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static char buffer[1 << 16];

static int hello(int argc, char **argv)
{
	printf("out");
	for (int i = 2; i < argc; i++)
		printf(" [%s]", argv[i]);
	printf("\n");
	fprintf(stderr, "err\n");
	printf("uid %u gid %u pid %d cwd %s\n", getuid(), getgid(), getpid(),
	       getcwd(buffer, sizeof(buffer)));
	return 0;
}

/* Every one of these has to fail. */
static const struct {
	const char *name;
	long number, args[6];
} calls[] = {
	{ "io_uring_setup", SYS_io_uring_setup, { 4, (long)buffer } },
	{ "io_uring_enter", SYS_io_uring_enter, { 0 } },
	{ "io_uring_register", SYS_io_uring_register, { 0 } },
	{ "keyctl", SYS_keyctl, { 0, -3, 1 } },
	{ "add_key", SYS_add_key, { (long)"user", (long)"x", (long)"y", 1, -3 } },
	{ "request_key", SYS_request_key, { (long)"user", (long)"x", 0, -3 } },
	{ "bpf", SYS_bpf, { 0, (long)buffer, 64 } },
	{ "userfaultfd", SYS_userfaultfd, { 1 } },
	{ "ptrace traceme", SYS_ptrace, { PTRACE_TRACEME } },
	{ "ptrace attach 1", SYS_ptrace, { PTRACE_ATTACH, 1 } },
	{ "process_vm_readv", SYS_process_vm_readv, { 1 } },
	{ "process_vm_writev", SYS_process_vm_writev, { 1 } },
	{ "kcmp", SYS_kcmp, { 1, 1 } },
	{ "pidfd_getfd", SYS_pidfd_getfd, { 0, 0, 0 } },
	{ "mount", SYS_mount, { (long)"none", (long)"/tmp", (long)"tmpfs" } },
	{ "umount2", SYS_umount2, { (long)"/task/datasets", MNT_DETACH } },
	{ "pivot_root", SYS_pivot_root, { (long)"/tmp", (long)"/tmp" } },
	{ "chroot", SYS_chroot, { (long)"/tmp" } },
	{ "open_tree", SYS_open_tree, { AT_FDCWD, (long)"/usr", 1 } },
	{ "move_mount", SYS_move_mount, { AT_FDCWD, (long)"/usr", AT_FDCWD, (long)"/tmp" } },
	{ "mount_setattr", SYS_mount_setattr, { AT_FDCWD, (long)"/usr", 0, (long)buffer, 32 } },
	{ "fsopen", SYS_fsopen, { (long)"tmpfs", 0 } },
	{ "fsmount", SYS_fsmount, { 0 } },
	{ "unshare user", SYS_unshare, { CLONE_NEWUSER } },
	{ "unshare files", SYS_unshare, { CLONE_FILES } },
	{ "setns", SYS_setns, { 0, 0 } },
	{ "clone user", SYS_clone, { CLONE_NEWUSER | SIGCHLD } },
	{ "clone net", SYS_clone, { CLONE_NEWNET | SIGCHLD } },
	{ "clone pid", SYS_clone, { CLONE_NEWPID | SIGCHLD } },
	{ "clone mounts", SYS_clone, { CLONE_NEWNS | SIGCHLD } },
	{ "clone high bits", SYS_clone, { (long)(0xFFFFFFFF00000000UL | CLONE_NEWUSER) } },
	{ "clone3", SYS_clone3, { (long)buffer, 88 } },
	{ "perf_event_open", SYS_perf_event_open, { (long)buffer, 0, -1, -1 } },
	{ "kexec_load", SYS_kexec_load, { 0 } },
	{ "init_module", SYS_init_module, { (long)buffer, 1, (long)"" } },
	{ "finit_module", SYS_finit_module, { 0, (long)"" } },
	{ "delete_module", SYS_delete_module, { (long)"x" } },
	{ "reboot", SYS_reboot, { (long)0xfee1dead, 672274793, 0 } },
	{ "swapon", SYS_swapon, { (long)"/tmp/x" } },
	{ "syslog", SYS_syslog, { 3, (long)buffer, 100 } },
	{ "acct", SYS_acct, { 0 } },
	{ "settimeofday", SYS_settimeofday, { (long)buffer } },
	{ "clock_settime", SYS_clock_settime, { 0, (long)buffer } },
	{ "sethostname", SYS_sethostname, { (long)"x", 1 } },
	{ "setuid", SYS_setuid, { 0 } },
	{ "setresuid", SYS_setresuid, { 65534, 65534, 65534 } },
	{ "setgroups", SYS_setgroups, { 0, 0 } },
	{ "capset", SYS_capset, { (long)buffer, (long)buffer } },
	{ "seccomp", SYS_seccomp, { 0, 0, 0 } },
	{ "memfd_create", SYS_memfd_create, { (long)"x", 0 } },
	{ "name_to_handle_at", SYS_name_to_handle_at, { AT_FDCWD, (long)"/usr" } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { AT_FDCWD, (long)buffer, 0 } },
	{ "mknod device", SYS_mknod, { (long)"/tmp/dev", S_IFCHR | 0666, 0x101 } },
	{ "mknodat device", SYS_mknodat, { AT_FDCWD, (long)"/tmp/dev", S_IFBLK | 0666, 0x800 } },
	{ "quotactl", SYS_quotactl, { 0 } },
	{ "fanotify_init", SYS_fanotify_init, { 0, 0 } },
	{ "inotify_init1", SYS_inotify_init1, { 0 } },
	{ "iopl", SYS_iopl, { 3 } },
	{ "ioperm", SYS_ioperm, { 0x80, 1, 1 } },
	{ "modify_ldt", SYS_modify_ldt, { 0, (long)buffer, 16 } },
	{ "personality", SYS_personality, { ADDR_NO_RANDOMIZE } },
	{ "personality high", SYS_personality, { (long)0x100000000 | READ_IMPLIES_EXEC } },
	{ "shmget", SYS_shmget, { 0, 4096, 0600 } },
	{ "msgget", SYS_msgget, { 0, 0600 } },
	{ "semget", SYS_semget, { 0, 1, 0600 } },
	{ "mq_open", SYS_mq_open, { (long)"x", O_RDWR | O_CREAT, 0600, 0 } },
	{ "sched_setscheduler", SYS_sched_setscheduler, { 1, SCHED_IDLE, (long)buffer } },
	{ "limit of pid 1", SYS_prlimit64, { 1, RLIMIT_CPU, (long)buffer, 0 } },
	{ "socket internet", SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
	{ "socket internet 6", SYS_socket, { AF_INET6, SOCK_DGRAM, 0 } },
	{ "socket high bits", SYS_socket, { (long)(0x100000000 | AF_INET), SOCK_STREAM, 0 } },
	{ "socket raw", SYS_socket, { AF_INET, SOCK_RAW, 1 } },
	{ "socket packet", SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
	{ "socket netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 0 } },
	{ "socket vsock", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 } },
	{ "socket alg", SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 } },
	{ "socket unix raw", SYS_socket, { AF_UNIX, SOCK_RAW, 0 } },
	{ "socketpair internet", SYS_socketpair, { AF_INET, SOCK_STREAM, 0, (long)buffer } },
	{ "socket buffer", SYS_setsockopt, { 0, SOL_SOCKET, SO_SNDBUF, (long)buffer, 4 } },
	{ "socket buffer forced",
	  SYS_setsockopt,
	  { 0, SOL_SOCKET, SO_SNDBUFFORCE, (long)buffer, 4 } },
	{ "ioctl TIOCSTI", SYS_ioctl, { 0, TIOCSTI, (long)"x" } },
	{ "prctl dumpable", SYS_prctl, { PR_SET_DUMPABLE, 0 } },
	{ "prctl mm", SYS_prctl, { PR_SET_MM, 1, 0 } },
	{ "prctl seccomp", SYS_prctl, { PR_SET_SECCOMP, 1 } },
	{ "a number that nobody has", 9999, { 0 } },
};

static int one_call(size_t i)
{
	const long *a = calls[i].args;

	errno = 0;
	return (int)syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* "worked: NAME" is what the test must not find. A child each, since some would change us. */
static int all_calls(int argc, char **argv)
{
	for (size_t i = 0; i < LEN(calls); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			int result = one_call(i);

			_exit(result >= 0 ? 0 : errno == EPERM ? 1 : errno == ENOSYS ? 2 : 3);
		}
		if (waitpid(pid, &status, 0) < 0)
			return 1;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			printf("worked: %s\n", calls[i].name);
		else if (!WIFEXITED(status) || WEXITSTATUS(status) == 3)
			printf("not by the filter: %s\n", calls[i].name);
	}
	printf("tried %zu\n", LEN(calls));
	return 0;
}

/* The 32-bit gate and the x32 numbers lead around a filter that forgot them. */
static int other_gates(int argc, char **argv)
{
	int status;
#if defined(__x86_64__)
	pid_t pid = fork();
	if (pid == 0) {
		long result;

		__asm__ volatile("int $0x80" : "=a"(result) : "a"(20 /* getpid */) : "memory");
		_exit(result > 0 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	printf("int80: %s\n", WIFSIGNALED(status) ? "killed" : "not killed");
	pid = fork();
	if (pid == 0)
		_exit(syscall(0x40000000 + 39 /* getpid */) > 0 ? 0 : 1);
	waitpid(pid, &status, 0);
	printf("x32: %s\n", WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "worked" : "refused");
#else
	printf("int80: killed\nx32: refused\n");
	(void)status;
#endif
	return 0;
}

/* Says which of the paths it can open or list. */
static int look(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY | O_NONBLOCK);

		printf("%s: %s\n", argv[i], fd >= 0 ? "opened" : strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

static int list(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		const struct dirent *item;

		printf("%s:", argv[i]);
		while (dir && (item = readdir(dir)))
			if (item->d_name[0] != '.')
				printf(" %s", item->d_name);
		printf("\n");
		if (dir)
			closedir(dir);
	}
	return 0;
}

/* Says which of the paths it can create or change. */
static int scribble(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		int fd = open(argv[i], O_WRONLY | O_CREAT, 0666);

		printf("%s: %s\n", argv[i],
		       fd >= 0 && write(fd, "x", 1) == 1 ? "written" : strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

static int environment(int argc, char **argv)
{
	extern char **environ;

	for (char **e = environ; *e; e++)
		printf("%s\n", *e);
	return 0;
}

static int status(int argc, char **argv)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "NoNewPrivs", 10) == 0 ||
		    strncmp(line, "Seccomp:", 8) == 0 || strncmp(line, "Uid", 3) == 0 ||
		    strncmp(line, "Groups:", 7) == 0)
			fputs(line, stdout);
	return 0;
}

static int descriptors(int argc, char **argv)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("open: %d\n", fd);
	return 0;
}

static int fork_bomb(int argc, char **argv)
{
	int forked = 0;

	while (forked < 100000) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0)
			for (;;)
				pause();
		forked++;
	}
	printf("forked %d: %s\n", forked, strerror(errno));
	fflush(stdout);
	return 0;
}

static void eat(size_t megabytes)
{
	for (size_t i = 0; i < megabytes; i++) {
		char *block = malloc(1 << 20);

		if (!block) {
			printf("malloc failed after %zu MiB\n", i);
			fflush(stdout);
			_exit(9);
		}
		for (int at = 0; at < 1 << 20; at += 4096)
			((volatile char *)block)[at] = 1; /* a compiler may drop what is unused */
	}
}

static int memory_bomb(int argc, char **argv)
{
	eat(4096);
	printf("ate it all\n");
	return 0;
}

/* None of them is over a limit, all together are. */
/* However slow the machine is: it is told by each that has had its part. */
static int memory_shared_out(int argc, char **argv)
{
	enum { EATERS = 16 };
	int ends[2];
	char full;

	if (pipe(ends) < 0)
		return 1;
	for (int i = 0; i < EATERS; i++)
		if (fork() == 0) {
			eat(96);
			if (write(ends[1], "", 1) != 1)
				return 1;
			for (;;)
				pause();
		}
	for (int i = 0; i < EATERS; i++)
		if (read(ends[0], &full, 1) != 1)
			return 1;
	printf("ate it all\n");
	return 0;
}

static int flood(int argc, char **argv)
{
	for (;;)
		if (write(1, "noise noise noise noise\n", 24) < 0)
			return 1;
}

static int long_line(int argc, char **argv)
{
	memset(buffer, 'x', sizeof(buffer));
	for (int i = 0; i < 64; i++)
		if (write(1, buffer, sizeof(buffer)) < 0)
			return 1;
	printf("\nafter\n");
	return 0;
}

/* Leaves a child in a session of its own that holds the pipes. */
static int leave_daemon(int argc, char **argv)
{
	if (fork() == 0) {
		setsid();
		signal(SIGTERM, SIG_IGN);
		if (fork() == 0)
			for (;;)
				pause();
		_exit(0);
	}
	printf("left\n");
	return 0;
}

static int deaf(int argc, char **argv)
{
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_IGN);
	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			break;
	printf("deaf\n");
	fflush(stdout);
	while (pause() < 0)
		;
	return 0;
}

static int fill(int argc, char **argv)
{
	const char *path = argc > 2 ? argv[2] : "results/big";
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	size_t written = 0;
	ssize_t n;

	while (fd >= 0 && written < (size_t)1 << 30 && (n = write(fd, buffer, sizeof(buffer))) > 0)
		written += (size_t)n;
	printf("filled %zu: %s\n", written, strerror(errno));
	return 0;
}

static int many_files(int argc, char **argv)
{
	int made = 0;

	for (; made < 1000000; made++) {
		snprintf(buffer, sizeof(buffer), "results/%d", made);
		int fd = open(buffer, O_WRONLY | O_CREAT, 0644);
		if (fd < 0)
			break;
		close(fd);
	}
	printf("made %d: %s\n", made, strerror(errno));
	return 0;
}

static int segfault(int argc, char **argv)
{
	raise(SIGSEGV);
	return 0;
}

static int kill_pid_1(int argc, char **argv)
{
	for (int i = 1; i < NSIG; i++)
		kill(1, i);
	printf("still here\n");
	return 3;
}

/* All of them, from 1 up: nothing outside must be reachable. */
static int kill_everybody(int argc, char **argv)
{
	int reached = 0;

	for (pid_t pid = 1; pid < 70000; pid++)
		if (pid != getpid() && pid != 1 && kill(pid, 0) == 0)
			reached++;
	printf("reached %d\n", reached);
	return 0;
}

static int results(int argc, char **argv)
{
	mkdir("results/sub", 0755);
	FILE *file = fopen("results/sub/model", "w");
	if (!file)
		return 1;
	fputs("trained", file);
	fclose(file);
	return symlink("/etc/passwd", "/tmp/link") < 0;
}

static int result_link(int argc, char **argv)
{
	return symlink("/etc/shadow", "results/link") < 0;
}

/* Fifty files of four megabytes each, in a file system of four. */
static int inflated(int argc, char **argv)
{
	int fd = open("results/sparse", O_WRONLY | O_CREAT, 0644);

	if (fd < 0 || ftruncate(fd, 4 << 20) < 0)
		return 1;
	for (int i = 0; i < 50; i++) {
		snprintf(buffer, sizeof(buffer), "results/link-%d", i);
		if (link("results/sparse", buffer) < 0)
			return 1;
	}
	return 0;
}

static int print_file(int argc, char **argv)
{
	int fd = open(argv[2], O_RDONLY);
	ssize_t n = read(fd, buffer, sizeof(buffer));

	return n < 0 || write(1, buffer, (size_t)n) < 0;
}

/* The kernel's memory: connections that nobody accepts, each full, and no descriptor to any. */
static int socket_bomb(int argc, char **argv)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0bomb" };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), made = 0;

	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    listen(listener, 4096) < 0)
		return 1;
	for (; made < 600; made++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
			break;
		while (write(fd, buffer, sizeof(buffer)) > 0)
			;
		close(fd);
	}
	printf("hid %d\n", made);
	fflush(stdout);
	while (pause() < 0)
		;
	return 0;
}

static void say_call(const char *what, int result)
{
	printf("%s: %s\n", what, result < 0 ? strerror(errno) : "worked");
}

static int put(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | flags, 0644);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

static int read_byte(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buffer, 1);

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : (int)n;
}

/* What scripts do beside their data. `sub` holds the files a and b. */
static int change(int argc, char **argv)
{
	if (chdir("datasets") < 0)
		return 1;
	say_call("truncate", put("iris.csv", O_TRUNC, "changed\n"));
	say_call("append", put("iris.csv", O_APPEND, "more\n"));
	say_call("chmod", chmod("iris.csv", 0600));
	say_call("new file", put("new", O_CREAT | O_EXCL, "x"));
	say_call("new folder", mkdir("made", 0755));
	say_call("move", rename("sub/a", "made/a"));
	say_call("unlink", unlink("sub/b"));
	say_call("read what is gone", read_byte("sub/b"));
	say_call("remove folder", rmdir("sub"));
	say_call("make it anew", mkdir("sub", 0755));
	say_call("old file in it", read_byte("sub/a"));
	say_call("link", link("iris.csv", "linked"));
	say_call("symlink", symlink("/etc/passwd", "symbolic"));
	say_call("folder moved", rename("made", "moved"));
	say_call("lower folder moved", rename("other", "another"));
	say_call("link out of the layer", link("iris.csv", "/task/iris.csv"));
	say_call("move out of the layer", rename("iris.csv", "/tmp/iris.csv"));
	return 0;
}

/* What whoever means harm does to a layer: its marks, and whatever leads out of it. */
static int harm_layer(int argc, char **argv)
{
	static const char *const marks[] = { "user.overlay.opaque", "user.overlay.redirect",
					     "trusted.overlay.opaque", "user.overlay.metacopy",
					     "security.capability" };

	if (chdir("datasets") < 0)
		return 1;
	for (size_t i = 0; i < LEN(marks); i++)
		say_call("mark", (int)syscall(SYS_setxattr, "sub", marks[i], "y", 1, 0));
	say_call("whiteout", mknod("iris.csv.gone", S_IFCHR | 0666, makedev(0, 0)));
	say_call("whiteout over a file", (int)syscall(SYS_renameat2, AT_FDCWD, "sub/b", AT_FDCWD,
						      "sub/bb", 1 << 2 /* RENAME_WHITEOUT */));
	say_call("device", mknod("mem", S_IFCHR | 0666, makedev(1, 1)));
	say_call("setuid", chmod("iris.csv", 06777));
	say_call("no more mounts", mount("overlay", "sub", "overlay", 0, "lowerdir=.,userxattr"));
	say_call("off with it", umount2("/task/datasets", MNT_DETACH));
	say_call("hidden folder", open("/layers", O_RDONLY));
	for (int depth = 0; depth < 200; depth++) {
		if (symlink("down/down/down/down/down", "down") < 0 && errno != EEXIST)
			break;
		if (mkdir("d", 0755) < 0 || chdir("d") < 0)
			break;
	}
	say_call("through links", open("down", O_RDONLY));
	return 0;
}

/* All in one, for whoever counts how much fits into two places together. */
static int fill_both(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		char *own[] = { argv[0], argv[1], argv[i], NULL };

		fill(3, own);
	}
	return 0;
}

/* A server beside the machine's own, and a client of the port argv[2]. */
static int serve(int argc, char **argv)
{
	const struct sockaddr_in any = { .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in server = any;

	server.sin_port = htons((uint16_t)atoi(argv[2]));
	say_call("bind tcp",
		 bind(socket(AF_INET, SOCK_STREAM, 0), (const struct sockaddr *)&any, sizeof(any)));
	say_call("bind udp",
		 bind(socket(AF_INET, SOCK_DGRAM, 0), (const struct sockaddr *)&any, sizeof(any)));
	say_call("listen",
		 listen(socket(AF_INET, SOCK_STREAM, 0), 1)); /* at a port of the kernel's choice */
	say_call("connect", connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&server,
				    sizeof(server)));
	return 0;
}

static int sleep_long(int argc, char **argv)
{
	printf("sleeping\n");
	fflush(stdout);
	while (pause() < 0)
		;
	return 0;
}

static int exit_with(int argc, char **argv)
{
	return atoi(argv[2]);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} modes[] = {
	{ "hello", hello },
	{ "calls", all_calls },
	{ "gates", other_gates },
	{ "look", look },
	{ "list", list },
	{ "scribble", scribble },
	{ "environment", environment },
	{ "status", status },
	{ "descriptors", descriptors },
	{ "fork-bomb", fork_bomb },
	{ "memory-bomb", memory_bomb },
	{ "memory-shared-out", memory_shared_out },
	{ "socket-bomb", socket_bomb },
	{ "serve", serve },
	{ "flood", flood },
	{ "long-line", long_line },
	{ "daemon", leave_daemon },
	{ "deaf", deaf },
	{ "fill", fill },
	{ "fill-both", fill_both },
	{ "change", change },
	{ "harm-layer", harm_layer },
	{ "many-files", many_files },
	{ "segfault", segfault },
	{ "kill-1", kill_pid_1 },
	{ "kill-all", kill_everybody },
	{ "results", results },
	{ "result-link", result_link },
	{ "inflated", inflated },
	{ "print", print_file },
	{ "sleep", sleep_long },
	{ "exit", exit_with },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < LEN(modes); i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argc, argv);
	return 77;
}
