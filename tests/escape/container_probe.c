/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_probe.c — the program in the hostile images of escape_docker.py, static, so that an image can hold
 * it alone. Its first argument names what it tries. It ends well if it was refused, and with 42 if it was not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	ESCAPED = 42,
	NOBODY = 65534,
	PROC_MAGIC = 0x9fa0,
	FORKS = 4096,
	PIECE = 256 << 20,
	PAGE = 4096
};

static void expect(int refused, const char *what)
{
	if (refused)
		return;
	printf("ESCAPED: %s\n", what);
	exit(ESCAPED);
}

static int is_missing(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0;
}

static void holds(const char *path, const char *wanted)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	expect(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0 && strcmp(text, wanted) == 0, path);
	close(fd);
}

static void somebody_else(void)
{
	struct stat st;

	expect(getuid() == NOBODY && geteuid() == NOBODY && getegid() == NOBODY, "another user");
	expect(stat("/bin/suid", &st) == 0 && !(st.st_mode & 07000), "the set-uid bit");
	expect(setuid(0) < 0 && setgid(0) < 0 && setresuid(1000, 1000, 1000) < 0, "setuid");
	expect(chmod("/bin/suid", 06755) < 0 || stat("/bin/suid", &st) < 0 || st.st_uid == NOBODY,
	       "a set-uid program of root's");
}

static void attributes(void)
{
	static const char *const names[] = { "security.capability", "trusted.overlay.opaque",
					     "trusted.overlay.redirect", "user.overlay.opaque",
					     "user.overlay.redirect" };
	char value[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		expect(lgetxattr("/opt/marked", names[i], value, sizeof(value)) < 0, names[i]);
		expect(lgetxattr("/opt/marked/program", names[i], value, sizeof(value)) < 0,
		       names[i]);
	}
	holds("/opt/marked/below", "below\n");
}

static void below(void)
{
	static const char *const paths[] = { "/etc/below",    "/opt/below", "/usr/bin/env",
					     "/etc/shadow",   "/root",      "/boot",
					     "/sys/class/net" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect(is_missing(paths[i]), paths[i]);
	expect(!is_missing("/cocos/datasets") && !is_missing("/cocos/results"), "the run's places");
}

static void above(void)
{
	holds("/etc/passwd", "the image's\n");
	holds("/up/etc/passwd", "the image's\n");
	expect(is_missing("/etc/shadow"), "/etc/shadow");
}

static void machines_folders(void)
{
	struct statfs fs;
	struct stat st, task, cocos;

	expect(statfs("/proc", &fs) == 0 && fs.f_type == PROC_MAGIC, "/proc of the image's");
	expect(is_missing("/dev/mem") && is_missing("/sys/evil"), "/dev or /sys of the image's");
	expect(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode), "/dev/null of the image's");
	expect(stat("/task/results", &task) == 0 && stat("/cocos/results", &cocos) == 0 &&
		       task.st_ino == cocos.st_ino && task.st_dev == cocos.st_dev,
	       "results in another place");
}

static void mounts(void)
{
	expect(mount("proc", "/opt", "proc", 0, NULL) < 0, "mount");
	expect(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) < 0, "remount");
	expect(umount2("/cocos/datasets", MNT_DETACH) < 0 && umount2("/bin", MNT_DETACH) < 0,
	       "umount");
	expect(unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0, "unshare");
	expect(syscall(SYS_pivot_root, ".", ".") < 0, "pivot_root");
	expect(chroot("/opt") < 0, "chroot");
	expect(mknod("/opt/whiteout", S_IFCHR, 0) < 0, "mknod");
}

static void the_root(void)
{
	expect(open("/owned", O_WRONLY | O_CREAT, 0644) < 0, "a file in /");
	expect(mkdir("/owned", 0755) < 0, "a folder in /");
	expect(rename("/cocos", "/elsewhere") < 0 && rename("/bin", "/elsewhere") < 0, "rename");
	expect(symlink("/etc", "/owned") < 0, "a link in /");
}

static void try_socket(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	expect(fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0, path);
	if (fd >= 0)
		close(fd);
}

static void daemons(void)
{
	try_socket("/run/docker.sock");
	try_socket("/var/run/docker.sock");
	try_socket("/run/containerd/containerd.sock");
	try_socket("/run/systemd/private");
	expect(socket(AF_INET, SOCK_STREAM, 0) < 0, "the network");
}

/* Three of 256 MiB, all of them written; the run has 512. */
static void memory(void)
{
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			volatile char *piece = malloc(PIECE); /* or nothing is written */

			for (size_t at = 0; piece && at < PIECE; at += PAGE)
				piece[at] = 1;
			break;
		}
	for (;;)
		pause();
}

static void forks(void)
{
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0)
			return; /* those that stay are the jail's to kill */
	}
	expect(0, "processes without end");
}

static void nothing(void)
{
	expect(0, "an image that must not run");
}

static const struct {
	const char *name;
	void (*run)(void);
} tries[] = {
	{ "somebody-else", somebody_else },
	{ "attributes", attributes },
	{ "below", below },
	{ "above", above },
	{ "machines-folders", machines_folders },
	{ "mounts", mounts },
	{ "the-root", the_root },
	{ "daemons", daemons },
	{ "memory", memory },
	{ "forks", forks },
	{ "nothing", nothing },
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(tries) / sizeof(tries[0]); i++)
		if (strcmp(argv[1], tries[i].name) == 0) {
			tries[i].run();
			return 0;
		}
	return 3;
}
