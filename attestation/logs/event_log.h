/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_log.h — what a platform says that it measured: TCG event logs (TCG PC Client Platform
 * Firmware Profile 1.06, section 10) of a TPM, crypto-agile or the older SHA-1 form, and CC logs
 * (UEFI 2.10, section 38; CCEL) of TDX.
 *
 * A log proves nothing by itself. It explains register values that a quote vouches for, once it
 * replays to exactly these.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"

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

struct event_log_form {
	bool cc;
	/* A log without separators in PCR 0 to 7 is taken (Windows); one that stands there is still
	 * judged. Never asked of CC logs. */
	bool separators_optional;
};

/* The bytes have the form of a log, to the last one: after the events of a CC log only zeros or
 * only 0xff may follow, of others nothing. The events obey the rules: digests of data where the
 * type says so (event_data.h), separators, startup locality, EV_NO_ACTION with zero digests. Free
 * with event_log_done(). */
int event_log_parse(struct span bytes, struct event_log_form form, struct event_log *log,
		    struct err *e) MUST_CHECK;
void event_log_done(struct event_log *log);
#define CLEANUP_EVENT_LOG __attribute__((cleanup(event_log_done)))

/* Index of the bank of that kind, -1 if the log has none. */
int event_log_bank(const struct event_log *log, enum digest_kind kind);

struct event_replay {
	size_t len;       /* bytes of each value */
	uint32_t touched; /* set of 1 << register that some event extends */
	uint8_t values[EVENT_PCRS][DIGEST_MAX];
};

/* The values that the events come to. ERR_NOT_FOUND if the log has no such bank. */
int event_log_replay(const struct event_log *log, enum digest_kind kind,
		     struct event_replay *replay, struct err *e) MUST_CHECK;
