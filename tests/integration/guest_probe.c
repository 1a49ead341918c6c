/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_probe.c — takes the agent's place in an image of the tests and says, line by line, what
 * the guest is like from inside. The tests compare; nothing is judged here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORK "/var/lib/cocos"

static void say(const char *what, const char *value)
{
	printf("probe: %s: %s\n", what, value);
}

static void say_result(const char *what, long result)
{
	say(what, result < 0 ? strerrorname_np(errno) : "ok");
}

static void say_file(const char *path)
{
	char text[256] = "";
	FILE *file = fopen(path, "r");

	if (!file) {
		say(path, strerrorname_np(errno));
		return;
	}
	while (fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = '\0';
		say(path, text);
	}
	fclose(file);
}

static void say_folder(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++)
		if (entries[i]->d_name[0] != '.')
			say(path, entries[i]->d_name);
}

static void say_write(const char *path)
{
	say_result(path, open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700));
}

/* Copies this program and runs the copy, which prints "ran". */
static void say_exec(const char *path)
{
	static char *const argv[] = { (char *)"probe", (char *)"--ran", NULL };
	static char *const env[] = { NULL };
	char buffer[4096];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
	pid_t pid;
	ssize_t got;

	while ((got = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)got) != got)
			break;
	close(from);
	close(to);
	pid = fork();
	if (pid == 0) {
		execve(path, argv, env);
		say(path, strerrorname_np(errno));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* What a sandbox will do: its own user and mount namespaces, and another root. */
static void say_sandbox(void)
{
	if (fork() == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) < 0 ||
		    write(open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC), "0 0 1", 5) != 5 ||
		    write(open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC), "deny", 4) != 4 ||
		    write(open("/proc/self/gid_map", O_WRONLY | O_CLOEXEC), "0 0 1", 5) != 5 ||
		    mount("tmpfs", "/tmp", "tmpfs", 0, NULL) < 0 || chdir("/tmp") < 0 ||
		    mkdir("old", 0700) < 0)
			say_result("sandbox", -1);
		else
			say_result("sandbox", syscall(SYS_pivot_root, ".", "old"));
		_exit(0);
	}
	wait(NULL);
}

/* The kernel follows router advertisements by itself; they take a moment. */
static void say_ipv6(void)
{
	for (int tries = 0; tries < 150; tries++) {
		FILE *file = fopen("/proc/net/if_inet6", "r");
		char line[128];
		bool found = false;

		while (file && fgets(line, sizeof(line), file))
			found |= strstr(line, "eth0") && strncmp(line, "fe80", 4) != 0;
		if (file)
			fclose(file);
		if (found) {
			say("ipv6", "ok");
			return;
		}
		usleep(100000);
	}
	say("ipv6", "no address");
}

static int look_at(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static const char *const shells[] = { "sh",    "bash",   "dash", "busybox", "ash",
					      "zsh",   "ksh",    "csh",  "getty",   "agetty",
					      "login", "su",     "sudo", "mount",   "modprobe",
					      "udevd", "systemd" };

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(path + ftw->base, shells[i]) == 0 && type == FTW_F &&
		    (st->st_mode & 0111))
			say("shell", path);
	if (type == FTW_F && (st->st_mode & (S_ISUID | S_ISGID)))
		say("set-id", path);
	if (type == FTW_F && st->st_uid != 0)
		say("not root's", path);
	return 0;
}

static void count_processes(void)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int users = 0, zombies = 0;

	while (proc && (entry = readdir(proc))) {
		char path[300], line[512] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || !(file = fopen(path, "r")))
			continue;
		if (fgets(line, sizeof(line), file)) {
			const char *after = strrchr(line, ')');
			int parent = after ? (int)strtol(after + 4, NULL, 10) : -1;

			users += parent != 2 && strtol(line, NULL, 10) != 2; /* 2: kthreadd */
			zombies += after && after[2] == 'Z';
		}
		fclose(file);
	}
	if (proc)
		closedir(proc);
	printf("probe: processes: %d\nprobe: zombies: %d\n", users, zombies);
}

/* Leaves children behind whose parent is gone, as an algorithm may. */
static void orphan_some(void)
{
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			if (fork() == 0)
				usleep(100000);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	sleep(1);
	count_processes();
}

static void run_python(const char *what, const char *code)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		execl("/usr/bin/python3", "python3", "-I", "-c", code, NULL);
		_exit(errno == ENOENT ? 77 : 99);
	}
	waitpid(pid, &status, 0);
	printf("probe: %s: exit %d\n", what, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static volatile sig_atomic_t told;

static void tell(int signal_number)
{
	told = signal_number;
}

static bool wants(const char *word)
{
	char text[512] = "";
	int fd = open("/etc/cocos/environment", O_RDONLY | O_CLOEXEC);
	bool found = fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strstr(text, word);

	if (fd >= 0)
		close(fd);
	return found;
}

static int reach(const char *host, const char *port, int type)
{
	const struct addrinfo hints = { .ai_socktype = type, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *found;
	int sock = -1, result = -1;

	if (getaddrinfo(host, port, &hints, &found) != 0) {
		errno = EINVAL;
		return -1;
	}
	sock = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
	if (sock >= 0)
		result = connect(sock, found->ai_addr, found->ai_addrlen);
	if (result == 0 && write(sock, host, strlen(host)) != (ssize_t)strlen(host))
		result = -1;
	int code = errno;
	freeaddrinfo(found);
	close(sock);
	errno = code;
	return result;
}

/* Each line "REACH tcp|udp ADDRESS PORT" of the environment, in order; then one caller is awaited. */
static void reach_all(void)
{
	const struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(7002) };
	FILE *file = fopen("/etc/cocos/environment", "r");
	char line[256], kind[8], host[64], port[8];
	int own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), caller;

	say_result("listens", bind(own, (const struct sockaddr *)&here, sizeof(here)) < 0
				      ? -1
				      : listen(own, 1));
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "REACH %7s %63s %7s", kind, host, port) != 3)
			continue;
		line[strcspn(line, "\n")] = '\0';
		say_result(line,
			   reach(host, port, strcmp(kind, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM));
	}
	if (file)
		fclose(file);
	say("reached", "all");
	caller = accept(own, NULL, NULL);
	say_result("called", caller < 0 ? -1 : write(caller, "here\n", 5));
	close(caller);
}

/* What the TPM has, as the kernel tells: its registers by bank, and the list of IMA. */
static void say_measured(void)
{
	char path[64];

	for (int bank = 0; bank < 2; bank++)
		for (int i = 0; i < 24; i++) {
			snprintf(path, sizeof(path), "/sys/class/tpm/tpm0/pcr-%s/%d",
				 bank ? "sha384" : "sha256", i);
			say_file(path);
		}
	say_file("/sys/kernel/security/ima/ascii_runtime_measurements");
}

static void look_around(void)
{
	struct rlimit core;

	say_file("/etc/cocos-image");
	say_file("/etc/cocos/environment");
	say_folder("/etc/cocos");
	say_folder("/etc/certs");
	say_file("/etc/resolv.conf");
	say_write("/written");
	say_write("/etc/written");
	say_write("/etc/cocos/written");
	say_write("/run/written");
	say_exec("/tmp/program");
	say_exec(WORK "/program");
	say_result("tpm", open("/dev/tpmrm0", O_RDWR | O_CLOEXEC));
	say_result("load a module", syscall(SYS_init_module, "x", 1, ""));
	say_result("configfs", access("/sys/kernel/config/tsm", F_OK));
	say_result("cgroup2", access("/sys/fs/cgroup/cgroup.controllers", F_OK));
	say_result("securityfs", access("/sys/kernel/security/lsm", F_OK));
	say_file("/sys/kernel/security/lockdown");
	printf("probe: processors: %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	getrlimit(RLIMIT_CORE, &core);
	say("core dumps", core.rlim_max ? "yes" : "no");
	say_sandbox();
	nftw("/", look_at, 32, FTW_PHYS | FTW_MOUNT);
	say_ipv6();
	orphan_some();
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = tell };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "--ran") == 0) {
		say("ran", argv[1]);
		return 0;
	}
	sigaction(SIGTERM, &action, NULL);
	for (int i = 1; i < argc; i++)
		say("argument", argv[i]);
	if (wants("LOOK"))
		look_around();
	if (wants("REACH")) {
		say_ipv6();
		reach_all();
	}
	if (wants("MEASURED"))
		say_measured();
	if (wants("PYTHON")) {
		run_python("numpy",
			   "import numpy as n; assert n.ones((3, 3)).dot(n.ones(3))[0] == 3");
		run_python("pandas",
			   "import pandas as p; p.Timestamp('2026-01-01', tz='Europe/Paris')");
		run_python("sklearn",
			   "from sklearn import datasets, linear_model\n"
			   "x, y = datasets.load_iris(return_X_y=True)\n"
			   "m = linear_model.LogisticRegression(max_iter=500).fit(x, y)\n"
			   "assert m.score(x, y) > 0.9\n"
			   "import sklearn; assert sklearn.__spec__.cached\n"
			   "import os; assert os.path.exists(sklearn.__spec__.cached)");
		run_python("venv", "import venv; venv.create('" WORK "/v', symlinks=True, "
				   "system_site_packages=True, with_pip=False)\n"
				   "import subprocess as s; s.run(['" WORK "/v/bin/python', '-m', "
				   "'pip', 'list'], check=True, stdout=s.DEVNULL)");
	}
	if (wants("EXIT3"))
		return 3;
	if (wants("CRASH"))
		abort();
	say("ready", "yes");
	while (!told)
		poll(NULL, 0, 1000);
	if (wants("STUBBORN"))
		for (;;)
			pause();
	say("told to end", strsignal(told));
	return 0;
}
