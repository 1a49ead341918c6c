/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/jail_watch.h"

#include "common/base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

DEFINE_CLEANUP(DIR *, closedir)

static uint64_t memory_of(const char *pid)
{
	char path[64], text[1024] = "";

	snprintf(path, sizeof(path), "/proc/%.20s/smaps_rollup", pid);
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return 0;
	const char *line = strstr(text, "\nPss:");
	return line ? strtoull(line + strlen("\nPss:"), NULL, 10) * 1024 : 0;
}

/* The first line of sockstat is "sockets: used 3": those that wait to be accepted or lie in a
 * message are among them. */
static uint64_t memory_of_sockets(void)
{
	static const char head[] = "sockets: used ";
	char text[256] = "";
	CLEANUP(close) int fd = open("/proc/self/net/sockstat", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 ||
	    strncmp(text, head, sizeof(head) - 1) != 0)
		return 0;
	return strtoull(text + sizeof(head) - 1, NULL, 10) * JAIL_SOCKET_MAX;
}

uint64_t jail_watch_memory(bool sockets)
{
	CLEANUP(closedir) DIR *proc = opendir("/proc");
	const struct dirent *item;
	uint64_t sum = sockets ? memory_of_sockets() : 0;

	while (proc && (item = readdir(proc)))
		if (item->d_name[0] >= '1' && item->d_name[0] <= '9' &&
		    strcmp(item->d_name, "1") != 0)
			sum += memory_of(item->d_name);
	return sum;
}
