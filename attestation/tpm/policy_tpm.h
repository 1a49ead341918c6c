/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_tpm.h — what an owner wants of a TPM's registers.
 */
#pragma once

#include "attestation/logs/event_rules.h"
#include "common/crypto/digest.h"

enum { POLICY_PCRS_MAX = 24, POLICY_BANKS_MAX = 3 };

/* The acceptable values of one register of one bank, `count` values in a row; it has to be quoted.
 * No values: every one of its events has to be in `events`, and a log has to show them. */
struct policy_pcr {
	enum digest_kind bank; /* DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384 */
	unsigned index;
	const uint8_t *values;
	size_t count;
};

/* Naming no register accepts nothing. */
struct policy_tpm {
	struct policy_pcr pcrs[POLICY_BANKS_MAX * POLICY_PCRS_MAX];
	size_t count;
	bool allow_sha1_bank; /* default false */
	bool has_reset_count;
	uint32_t reset_count;      /* equal to the quote's, if asked */
	bool separators_optional;  /* of the event log, see event_log.h; default false */
	struct event_rules events; /* default: the policy names none */
};
