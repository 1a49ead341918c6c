/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/jail_limits.h"

#include "agent/jail/jail_group.h"
#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <assert.h>
#include <sys/resource.h>
#include <unistd.h>

enum { STACK_MAX = 8 << 20, NICE = 10 };

int jail_limits_ungrouped(bool group_required, unsigned int held, struct jail_limits *limits,
			  struct err *e)
{
	if (group_required && held != JAIL_HELD_BY_2)
		return err_set(e, ERR_UNAVAILABLE,
			       "jail: no control group (v2, with memory and pids) can be made, and "
			       "in an image nothing is run without one");
	if (limits->processor && !(held & JAIL_HELD_CPU))
		return err_set(e, ERR_UNAVAILABLE,
			       "jail: no control group (v2 with cpu, memory and pids, or v1 with "
			       "cpu) can be made to hold AGENT_RUN_PROCESSOR=%llu; leave it out on "
			       "this machine",
			       (unsigned long long)limits->processor);
	if (!(held & JAIL_HELD_MEMORY) && limits->files > JAIL_UNGROUPED_FILES)
		limits->files = JAIL_UNGROUPED_FILES;
	return 0;
}

void jail_limits_tell(unsigned int held)
{
	static const struct {
		unsigned int held;
		const char *holds, *what, *instead;
	} rows[] = {
		{ JAIL_HELD_MEMORY, " memory", "memory",
		  "it is counted now and then, and a process has at most 128 descriptors" },
		{ JAIL_HELD_PIDS, " processes", "processes",
		  "they are counted by their user, whose limit it is" },
		{ JAIL_HELD_CPU, " processor", "the processor",
		  "the run has a lower priority than the agent, no more" },
	};
	static_assert(JAIL_UNGROUPED_FILES == 128, "the first row says so");
	bool by_1 = held & JAIL_HELD_BY_1;

	if (by_1)
		log_info("control groups of version 1 hold the run:%s%s%s",
			 held & rows[0].held ? rows[0].holds : "",
			 held & rows[1].held ? rows[1].holds : "",
			 held & rows[2].held ? rows[2].holds : "");
	else if (!held)
		log_warn("no control group here: memory is counted now and then, and a "
			 "process has at most %d descriptors",
			 JAIL_UNGROUPED_FILES);
	for (size_t i = 0; by_1 && i < ARRAY_LEN(rows); i++)
		if (!(held & rows[i].held))
			log_warn("no control group for %s here: %s", rows[i].what, rows[i].instead);
}

static int limit(__rlimit_resource_t what, uint64_t value, struct err *e)
{
	struct rlimit now, wanted = { .rlim_cur = value, .rlim_max = value };

	/* raising a limit takes a right that we do not have outside */
	if (getrlimit(what, &now) == 0 && now.rlim_max < wanted.rlim_max)
		wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
	if (setrlimit(what, &wanted) < 0)
		return err_errno(e, "jail: limit %d", (int)what);
	return 0;
}

int jail_limits_apply(const struct jail_limits *limits, bool grouped, struct err *e)
{
	uint64_t largest = limits->results > limits->scratch ? limits->results : limits->scratch;
	const struct {
		__rlimit_resource_t what;
		uint64_t value;
	} rows[] = {
		{ RLIMIT_AS, grouped ? RLIM_INFINITY : limits->memory + limits->reserve },
		{ RLIMIT_NPROC, limits->pids },
		{ RLIMIT_NOFILE, limits->files },
		{ RLIMIT_FSIZE, largest + (1 << 20) }, /* 'no space' comes before the signal */
		{ RLIMIT_STACK, STACK_MAX },
		{ RLIMIT_CORE, 1 }, /* core(5): with 1, not even a handler is started */
		{ RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_MEMLOCK, 1 << 20 },
		{ RLIMIT_SIGPENDING, 4096 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (limit(rows[i].what, rows[i].value, e) < 0)
			return err_code(e);
	/* The agent has to answer whatever the algorithm does. If someone has lowered
	 * us already by more than that, it is as good. */
	(void)!nice(NICE);
	return 0;
}
