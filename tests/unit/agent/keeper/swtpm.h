/* SPDX-License-Identifier: Apache-2.0 */
/* swtpm.h — a software TPM of a test's own. Include it after tests/unit.h. */
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct swtpm {
	char dir[64], tcti[128];
	pid_t pid;
	int held[2]; /* the ports, for as long as swtpm is not there to hold them */
};

static inline void swtpm_tool(const char *const *argv, const char *out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, out ? out : "/dev/null",
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ),
			 0);
	posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s: status %d", argv[0], status);
}

static inline struct sockaddr_in swtpm_address(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Bound and never listening: nobody else finds it free, and swtpm may have it all the same, since
 * both say SO_REUSEADDR (here only when it is ours). -1: somebody has it. */
static inline int swtpm_hold_port(uint16_t port)
{
	struct sockaddr_in to = swtpm_address(port);
	CLEANUP(close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int one = 1;

	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* Two neighbouring ports, below those of outgoing connections: swtpm's TCTI wants the control port
 * to be the next. */
static inline uint16_t swtpm_hold_ports(int held[2])
{
	for (;;) {
		uint16_t port = (uint16_t)(20000 + random() % 12000);

		held[0] = swtpm_hold_port(port);
		held[1] = held[0] < 0 ? -1 : swtpm_hold_port((uint16_t)(port + 1));
		if (held[1] >= 0)
			return port;
		if (held[0] >= 0)
			close(held[0]);
	}
}

static inline bool swtpm_answers(uint16_t port)
{
	struct sockaddr_in to = swtpm_address(port);
	CLEANUP(close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* In `dir`, which the caller made. */
static inline void swtpm_start(struct swtpm *tpm, const char *banks)
{
	char state[96], server[64], control[64];
	bool answers = false;

	const char *setup[] = { "swtpm_setup", "--tpm2", "--tpmstate",  tpm->dir,
				"--pcr-banks", banks,    "--overwrite", NULL };
	swtpm_tool(setup, NULL);
	srandom((unsigned int)getpid() ^ (unsigned int)time(NULL));
	uint16_t port = swtpm_hold_ports(tpm->held);
	snprintf(state, sizeof(state), "dir=%s", tpm->dir);
	snprintf(server, sizeof(server), "type=tcp,port=%u", port);
	snprintf(control, sizeof(control), "type=tcp,port=%u", port + 1);
	snprintf(tpm->tcti, sizeof(tpm->tcti), "swtpm:host=127.0.0.1,port=%u", port);
	const char *run[] = { "swtpm",
			      "socket",
			      "--tpm2",
			      "--tpmstate",
			      state,
			      "--server",
			      server,
			      "--ctrl",
			      control,
			      "--flags",
			      "startup-clear,not-need-init",
			      NULL };
	assert_int_equal(posix_spawnp(&tpm->pid, run[0], NULL, NULL, (char *const *)run, environ),
			 0);
	for (int i = 0; i < 18000 && !answers; i++) {
		answers = swtpm_answers((uint16_t)(port + 1));
		if (!answers)
			usleep(10000);
	}
	assert_true(answers);
}

static inline void swtpm_stop(struct swtpm *tpm)
{
	if (tpm->pid > 0) {
		kill(tpm->pid, SIGKILL);
		waitpid(tpm->pid, NULL, 0);
		close(tpm->held[0]);
		close(tpm->held[1]);
	}
	tpm->pid = 0;
}
