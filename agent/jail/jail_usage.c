/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/jail_usage.h"

#include "agent/jail/group_files.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIELDS_BEFORE = 11 }; /* of proc_pid_stat(5), from the state on, before utime */

DEFINE_CLEANUP(DIR *, closedir)

bool jail_usage_is_due(uint64_t *next)
{
	uint64_t now = (uint64_t)clock_ms(CLOCK_MONOTONIC);

	if (now < *next)
		return false;
	*next = now + JAIL_USAGE_MS;
	return true;
}

bool jail_usage_has_processor(unsigned int held)
{
	return (held & JAIL_HELD_MEMORY) && !(held & JAIL_HELD_BY_1);
}

struct jail_usage jail_usage_of_group(const struct jail_group *group)
{
	const bool is_1 = group->held & JAIL_HELD_BY_1;
	const int dir = group->of[is_1 ? CGROUP_MEMORY : 0].dir;
	struct jail_usage usage = { 0 };

	if (!(group->held & JAIL_HELD_MEMORY))
		return usage;
	/* Before Linux 6.0 version 2 has no peak: then it is the most that was seen. */
	usage.memory =
		group_files_number(dir, is_1 ? "memory.usage_in_bytes" : "memory.current", NULL);
	usage.peak =
		group_files_number(dir, is_1 ? "memory.max_usage_in_bytes" : "memory.peak", NULL);
	if (jail_usage_has_processor(group->held))
		usage.processor = group_files_number(dir, "cpu.stat", "usage_usec ") / 1000;
	return usage;
}

uint64_t jail_usage_ticks(const char *stat)
{
	const char *at = strrchr(stat, ')');
	unsigned long long ticks[4];

	for (int i = 0; at && i <= FIELDS_BEFORE; i++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (!at ||
	    sscanf(at, "%llu %llu %llu %llu", &ticks[0], &ticks[1], &ticks[2], &ticks[3]) != 4)
		return 0;
	return ticks[0] + ticks[1] + ticks[2] + ticks[3];
}

static uint64_t ticks_of(const char *pid)
{
	char path[64], text[1024] = "";

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return 0;
	return jail_usage_ticks(text);
}

uint64_t jail_usage_processor(void)
{
	CLEANUP(closedir) DIR *proc = opendir("/proc");
	const long each = sysconf(_SC_CLK_TCK);
	const struct dirent *item;
	uint64_t sum = 0;

	while (proc && (item = readdir(proc)))
		if (item->d_name[0] >= '1' && item->d_name[0] <= '9')
			sum += ticks_of(item->d_name);
	return each > 0 ? sum * 1000 / (uint64_t)each : 0;
}

void jail_usage_write(const struct jail_usage *usage, uint8_t bytes[JAIL_USAGE_LEN])
{
	const uint64_t parts[] = { htobe64(usage->memory), htobe64(usage->peak),
				   htobe64(usage->processor) };

	memcpy(bytes, parts, sizeof(parts));
}

static void raise(uint64_t *known, uint64_t said)
{
	if (said > *known)
		*known = said;
}

void jail_usage_take(struct jail_usage *known, struct reader *r)
{
	const struct jail_usage said = { .memory = reader_be64(r),
					 .peak = reader_be64(r),
					 .processor = reader_be64(r) };

	if (!reader_done(r))
		return;
	if (said.memory)
		known->memory = said.memory;
	raise(&known->peak, said.memory);
	raise(&known->peak, said.peak);
	raise(&known->processor, said.processor);
}
