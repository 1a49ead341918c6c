/* SPDX-License-Identifier: Apache-2.0 */
/* filter_sanitized.c — in the place of filter_plain.c in builds with AddressSanitizer, which are installed
 * nowhere: at a process's end a thread that it clones stops the others and looks for what leaked. */
#include "agent/process/filter.h"

#include <sched.h>
#include <sys/ptrace.h>

int filter_add_sanitizers(scmp_filter_ctx filter, struct err *e)
{
	/* By these flags alone: who may start no process can't in this build either. */
	static const uint64_t flags[] = { CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED };
	static const char *const calls[] = { "wait4" };
	static const uint64_t requests[] = { PTRACE_ATTACH, PTRACE_CONT,      PTRACE_DETACH,
					     PTRACE_KILL,   PTRACE_GETREGSET, PTRACE_GETREGS };

	if (filter_add_all(filter, SCMP_ACT_ALLOW, calls, ARRAY_LEN(calls), e) < 0 ||
	    filter_add_values(filter, "clone", 0, flags, ARRAY_LEN(flags), e) < 0)
		return err_code(e);
	return filter_add_values(filter, "ptrace", 0, requests, ARRAY_LEN(requests), e);
}
