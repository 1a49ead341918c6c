/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_usage.h — what all processes of a jail use, once a second: its process outside reads the group's files; what no
 * group knows, its pid 1 counts in /proc, where what came and went in between is missing.
 */
#pragma once

#include "agent/jail/jail_group.h"
#include "common/base/reader.h"

#include <stdbool.h>
#include <stdint.h>

enum { JAIL_USAGE_MS = 1000, JAIL_USAGE_LEN = 3 * 8 };

/* Of each 0: not known. */
struct jail_usage {
	uint64_t memory, peak; /* bytes: now, and the most so far */
	uint64_t processor;    /* ms */
};

/* True once in JAIL_USAGE_MS; `*next` begins as 0. */
bool jail_usage_is_due(uint64_t *next);

struct jail_usage jail_usage_of_group(const struct jail_group *group);
/* Whether jail_usage_of_group() knows the processor's part, by what is `held`. */
bool jail_usage_has_processor(unsigned int held);

/* Of all processes in /proc, with the children that they have waited for: within the jail these are its own. */
uint64_t jail_usage_processor(void);
/* The same of one, by the text of its /proc/PID/stat: in clock ticks. The process has chosen its name in there. */
uint64_t jail_usage_ticks(const char *stat);

/* On their way to the agent. */
void jail_usage_write(const struct jail_usage *usage, uint8_t bytes[JAIL_USAGE_LEN]);
/* What comes from both is put together; nothing but `memory` ever falls. */
void jail_usage_take(struct jail_usage *known, struct reader *r);
