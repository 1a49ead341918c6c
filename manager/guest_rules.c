/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/guest_rules.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#define TABLE "cocos_guests"

/* It says nothing, and its exit status whether the chain is there that the hook jumps to. */
static int run(const char *nft, pid_t *pid)
{
	char *const argv[] = { (char *)(uintptr_t)nft,
			       (char[]){ "list" },
			       (char[]){ "chain" },
			       (char[]){ "inet" },
			       (char[]){ TABLE },
			       (char[]){ "output" },
			       NULL };
	char *const environment[] = { (char[]){ "LC_ALL=C" }, NULL };
	posix_spawn_file_actions_t silent;
	int failed = posix_spawn_file_actions_init(&silent);

	if (failed)
		return failed;
	for (int fd = 0; !failed && fd < 3; fd++)
		failed = posix_spawn_file_actions_addopen(&silent, fd, "/dev/null", O_RDWR, 0);
	if (!failed)
		failed = posix_spawn(pid, nft, &silent, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&silent);
	return failed;
}

int guest_rules_check(const char *nft, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	pid_t pid;
	int status;

	errno = run(nft, &pid);
	if (errno)
		return err_errno(e, "run '%s'", nft);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "wait for '%s'", nft);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "nftables has no chain 'output' in table inet " TABLE
			       ": guests reach every port of this host");
	return preflight_found(found, "table inet " TABLE " is loaded");
}
