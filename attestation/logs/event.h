/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h — events as a log holds them, parsed; event_log.h reads them, event_data.h judges their data.
 */
#pragma once

#include "common/base/span.h"
#include "common/crypto/digest.h"

#include <stdbool.h>

enum {
	EVENT_LOG_MAX = 16 << 20, /* bytes */
	EVENT_LOG_EVENTS_MAX = 16384,
	EVENT_BANKS_MAX = 8,
	EVENT_PCRS = 24,
	EVENT_CC_REGISTERS = 5, /* 0 is MRTD, 1 to 4 are RTMR0 to RTMR3 */
};

/* Types, section 10.4.1. */
enum event_type {
	EVENT_NO_ACTION = 0x3,
	EVENT_SEPARATOR = 0x4,
	EVENT_ACTION = 0x5,
	EVENT_PLATFORM_CONFIG_FLAGS = 0xa,
	EVENT_IPL = 0xd,
	EVENT_EFI_VARIABLE_DRIVER_CONFIG = 0x80000001,
	EVENT_EFI_VARIABLE_BOOT = 0x80000002,
	EVENT_EFI_GPT = 0x80000006,
	EVENT_EFI_ACTION = 0x80000007,
	EVENT_EFI_VARIABLE_BOOT2 = 0x8000000c,
	EVENT_EFI_VARIABLE_AUTHORITY = 0x800000e0,
};

/* The name for people ("EV_SEPARATOR"), NULL for a type that has none here. */
const char *event_type_name(uint32_t type);

struct event_bank {
	uint16_t algorithm; /* TPM_ALG_ID */
	uint16_t size;
	bool known; /* of the kinds that can be replayed; others are stepped over */
	enum digest_kind kind;
};

struct event {
	uint32_t pcr; /* the register's number as in the log */
	uint32_t type;
	const uint8_t *digests[EVENT_BANKS_MAX]; /* in the order of the log's banks */
	struct span data;
};

/* Everything points into the bytes that were parsed. */
struct event_log {
	bool cc, legacy; /* a CC log; the SHA-1 form */
	size_t bank_count;
	struct event_bank banks[EVENT_BANKS_MAX];
	size_t count;
	struct event *events; /* without the Spec ID event */
	int startup_locality; /* -1: the log doesn't say */
	size_t end;           /* bytes up to where the events end; padding follows */
};
