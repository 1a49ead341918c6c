/* SPDX-License-Identifier: Apache-2.0 */
/* device_room.h — what tests of keys in devices share. Include it after tests/unit.h. */
#pragma once

#include "computations/ca/ca_signer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <openssl/pem.h>

extern char **environ;

static inline void run_tool(const char *const *argv)
{
	posix_spawn_file_actions_t quiet;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawnp(&pid, argv[0], &quiet, NULL, (char *const *)argv, environ),
			 0);
	posix_spawn_file_actions_destroy(&quiet);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s: status %d", argv[0], status);
}

/* Its own thread finds a device that is back; the test's time limit is the only one. */
static inline void wait_until_well(struct ca_signer *s)
{
	struct err why;

	while (!ca_signer_is_well(s, &why))
		usleep(20000);
}
