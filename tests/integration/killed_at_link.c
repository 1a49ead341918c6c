/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program under test: it is killed as soon as it has given COCOS_KILLED_AT_LINK files their
 * names, or its file systems have no links (COCOS_NO_LINKS). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC visibility push(default)

int link(const char *from, const char *to)
{
	static unsigned long made;
	const char *at = getenv("COCOS_KILLED_AT_LINK");
	int done;

	if (getenv("COCOS_NO_LINKS")) {
		errno = EPERM;
		return -1;
	}
	done = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);

	if (done == 0 && at && ++made == strtoul(at, NULL, 10))
		raise(SIGKILL);
	return done;
}

#pragma GCC visibility pop
