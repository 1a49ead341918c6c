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

#include "attestation/logs/event.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"

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
