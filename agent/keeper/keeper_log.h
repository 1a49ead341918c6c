/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_log.h — what the keeper measures, into which registers, and the log of it. */
#pragma once

#include <stdint.h>

enum { KEEPER_PCR_EVENTS = 14, KEEPER_PCR_MANIFEST = 16 };
enum {
	KEEPER_EVENTS_MAX = 1024,
	KEEPER_IMA_MAX = 16 << 20, /* bytes of the kernel's log */
	KEEPER_LOG_MAX = 1 << 20,  /* of the firmware's event log; a longer one is left out */
};

enum keeper_event { KEEPER_EVENT_BOOT, KEEPER_EVENT_CONFIG, KEEPER_EVENT_MANIFEST };

/* "boot-configuration", "agent-configuration", "manifest". */
const char *keeper_log_event_name(enum keeper_event event);

/* What the keeper has extended, in order, oldest first: the agent's own event log. */
struct keeper_log_entry {
	uint32_t pcr; /* KEEPER_PCR_… */
	enum keeper_event event;
	uint8_t sha256_bank[32], sha384_bank[48]; /* what the banks were extended with */
};
