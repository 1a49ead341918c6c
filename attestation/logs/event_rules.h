/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_rules.h — the events that a policy allows in a log: reference values, by register.
 *
 * A register whose events are all named is accounted for by the log alone, so that its final value
 * need not be foreseen (the order and the number of known events may differ from boot to boot).
 */
#pragma once

#include "common/crypto/digest.h"

#include <stdbool.h>

/* One event that may stand in a register: by the digest that was extended. */
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
bool event_rules_allow(const struct event_rules *rules, uint32_t pcr, enum digest_kind bank,
		       const uint8_t *digest);
