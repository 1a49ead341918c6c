/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keeper/keeper_log.h"

#include "common/base/cleanup.h"

static const char *const event_names[] = {
	[KEEPER_EVENT_BOOT] = "boot-configuration",
	[KEEPER_EVENT_CONFIG] = "agent-configuration",
	[KEEPER_EVENT_MANIFEST] = "manifest",
};

const char *keeper_log_event_name(enum keeper_event event)
{
	return (size_t)event < ARRAY_LEN(event_names) ? event_names[event] : "unknown";
}
