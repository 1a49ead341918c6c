/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_event.h — what webhooks are told of: one table.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

/* Their numbers are in the database: new ones come at the end. */
enum hook_event {
	HOOK_COMPUTATION_CREATED,
	HOOK_COMPUTATION_WAITING,
	HOOK_COMPUTATION_RUNNING,
	HOOK_COMPUTATION_COMPLETED,
	HOOK_COMPUTATION_FAILED,
	HOOK_COMPUTATION_CANCELLED,
	HOOK_COMPUTATION_REMOVED,
	HOOK_CVM_MADE,
	HOOK_CVM_LOST,
	HOOK_CVM_REMOVED,
	HOOK_USAGE_WARNING,
	HOOK_USAGE_LIMIT,
	HOOK_STATEMENT_READY,
	HOOK_EVENTS
};

#define HOOK_EVENT_BIT(event) (1U << (event))
#define HOOK_EVENTS_ALL       (HOOK_EVENT_BIT(HOOK_EVENTS) - 1)

/* "computation.created"; NULL: there is none of that number. */
const char *hook_event_name(unsigned event);
/* ERR_INVALID names those that there are. */
int hook_event_find(const char *name, enum hook_event *event, struct err *e) MUST_CHECK;
/* The bits of some; none of them: all. ERR_INVALID: one is there twice, or is none. */
int hook_events_read(char *const *names, size_t count, unsigned *events, struct err *e) MUST_CHECK;
/* Their names, which are constants; how many. */
size_t hook_event_names(unsigned events, char *names[HOOK_EVENTS]);
