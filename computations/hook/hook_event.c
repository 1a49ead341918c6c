/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/hook/hook_event.h"

#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

static const char *const names_of[HOOK_EVENTS] = {
	[HOOK_COMPUTATION_CREATED] = "computation.created",
	[HOOK_COMPUTATION_WAITING] = "computation.waiting",
	[HOOK_COMPUTATION_RUNNING] = "computation.running",
	[HOOK_COMPUTATION_COMPLETED] = "computation.completed",
	[HOOK_COMPUTATION_FAILED] = "computation.failed",
	[HOOK_COMPUTATION_CANCELLED] = "computation.cancelled",
	[HOOK_COMPUTATION_REMOVED] = "computation.removed",
	[HOOK_CVM_MADE] = "cvm.made",
	[HOOK_CVM_LOST] = "cvm.lost",
	[HOOK_CVM_REMOVED] = "cvm.removed",
	[HOOK_USAGE_WARNING] = "usage.warning",
	[HOOK_USAGE_LIMIT] = "usage.limit",
	[HOOK_STATEMENT_READY] = "statement.ready",
};

const char *hook_event_name(unsigned event)
{
	return event < HOOK_EVENTS ? names_of[event] : NULL;
}

int hook_event_find(const char *name, enum hook_event *event, struct err *e)
{
	char all[320];
	size_t len = 0;

	for (unsigned i = 0; i < HOOK_EVENTS; i++)
		if (strcmp(names_of[i], name) == 0) {
			*event = (enum hook_event)i;
			return 0;
		}
	for (unsigned i = 0; i < HOOK_EVENTS; i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", i ? ", " : "",
					names_of[i]);
	return err_set(e, ERR_INVALID, "event %s: there are %s", log_quote(name).text, all);
}

int hook_events_read(char *const *names, size_t count, unsigned *events, struct err *e)
{
	unsigned got = 0;

	for (size_t i = 0; i < count; i++) {
		enum hook_event event;

		if (hook_event_find(names[i], &event, e) < 0)
			return err_code(e);
		if (got & HOOK_EVENT_BIT(event))
			return err_set(e, ERR_INVALID, "event %s is there twice", names_of[event]);
		got |= HOOK_EVENT_BIT(event);
	}
	*events = count ? got : HOOK_EVENTS_ALL;
	return 0;
}

size_t hook_event_names(unsigned events, char *names[HOOK_EVENTS])
{
	size_t count = 0;

	for (unsigned i = 0; i < HOOK_EVENTS; i++)
		if (events & HOOK_EVENT_BIT(i))
			names[count++] = (char *)(uintptr_t)names_of[i];
	return count;
}
