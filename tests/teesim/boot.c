/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/teesim/boot.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "tests/teesim/fs.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGENT        "/usr/bin/cocos-agent-real"
#define OWN          "/run/teesim"
#define REPORTS      "/sys/kernel/config/tsm/report"
#define MISC         "/sys/devices/virtual/misc" /* without tdx_guest; a guest uses none of it */
#define MEASUREMENTS MISC "/tdx_guest/measurements"

static int bind_at(const char *from, const char *to, struct err *e)
{
	return mount(from, to, NULL, MS_BIND, NULL) < 0
		       ? err_errno(e, "show '%s' at '%s'", from, to)
		       : 0;
}

static int show_registers(struct err *e)
{
	if (mount("tmpfs", MISC, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755") < 0)
		return err_errno(e, "mount at '%s'", MISC);
	return dir_make(MEASUREMENTS, 0755, e) < 0 ? err_code(e)
						   : bind_at(OWN "/measurements", MEASUREMENTS, e);
}

/* Runs in the process that serves; binding a file system sends it no request. */
struct waiting {
	int fd; /* where the agent's process waits */
};

static int on_ready(void *data, struct err *e)
{
	const struct waiting *w = data;

	return fd_write_all(w->fd, "", 1, e);
}

static int serve(int fd, struct err *e)
{
	CLEANUP_FACTS struct facts facts = { 0 };
	struct waiting waiting = { fd };
	struct device device;
	struct tsm tsm;
	int failed = facts_load(TEESIM_FW_CFG, &facts, e);

	if (failed)
		return failed;
	failed = device_open(&device, &facts, NULL, NULL, e);
	if (!failed) {
		tsm_init(&tsm, &device);
		failed = fs_serve(&tsm, OWN, on_ready, &waiting, e);
		tsm_done(&tsm);
	}
	device_done(&device);
	return failed;
}

/* A grandchild, so that only the first process of the machine waits for its end. */
static int start(struct err *e)
{
	CLEANUP(close) int reading = -1;
	int fds[2];
	char byte;
	pid_t child;

	if (pipe(fds) < 0)
		return err_errno(e, "pipe");
	reading = fds[0];
	child = fork();
	if (child == 0) {
		if (fork() != 0)
			_exit(0);
		setsid();
		if (serve(fds[1], e) < 0)
			log_error("%s", e->text);
		_exit(1);
	}
	close(fds[1]);
	if (child < 0)
		return err_errno(e, "fork");
	waitpid(child, NULL, 0);
	/* It has mounted, or has said why not and ended. */
	return read(reading, &byte, 1) == 1 ? 0 : err_set(e, ERR_INTERNAL, "no simulated hardware");
}

static int show(struct err *e)
{
	struct stat st;

	if (dir_make(OWN, 0755, e) < 0 || start(e) < 0 || bind_at(OWN "/report", REPORTS, e) < 0)
		return err_code(e);
	if (stat(OWN "/measurements", &st) == 0 && show_registers(e) < 0)
		return err_code(e);
	log_info("SIMULATED hardware");
	return 0;
}

int boot(char **argv)
{
	struct err e;

	log_open("cocos-teesim");
	if (access(TEESIM_FW_CFG, F_OK) < 0)
		log_info("no launch facts in fw_cfg: a machine without simulated hardware");
	else if (show(&e) < 0) {
		log_error("%s", e.text);
		return 1;
	}
	execv(AGENT, argv);
	log_error("start '%s': %s", AGENT, strerror(errno));
	return 127;
}
