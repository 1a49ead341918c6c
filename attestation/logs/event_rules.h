/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_rules.h — the events that a policy wants in a log: reference values, by register.
 *
 * A register whose events are exactly those that are named, each as often as it is named, is
 * accounted for by the log alone, so that its final value need not be foreseen: their order may
 * differ from boot to boot.
 */
#pragma once

#include "attestation/logs/event.h"

/* One event that has to stand in a register: by the digest that was extended. */
struct event_rule {
	uint32_t pcr; /* of a TPM; of a CC log the RTMR's number, 0 to 3 */
	enum digest_kind bank;
	uint8_t digest[DIGEST_MAX]; /* digest_len(bank) bytes */
};

struct event_rules {
	const struct event_rule *rules; /* borrowed */
	size_t count;
};

/* Whether some rule speaks of that register in that bank at all. */
bool event_rules_cover(const struct event_rules *rules, uint32_t pcr, enum digest_kind bank);

enum { EVENT_FAULT_MAX = 96 };

/* Whether the log's events of its register `log_pcr` are those that the rules name for `pcr`, in any
 * order: no other, none missing, each as often as it is named. If not, `fault` tells what was found
 * first. EV_NO_ACTION extends nothing and does not count. */
bool event_rules_account(const struct event_rules *rules, uint32_t pcr, enum digest_kind bank,
			 const struct event_log *log, uint32_t log_pcr,
			 char fault[EVENT_FAULT_MAX]);
