/* SPDX-License-Identifier: Apache-2.0 */
/* check_log.h — event logs by themselves, and registers to hold them against; for check_tpm.c
 * too. */
#pragma once

#include "attestation/logs/event_log.h"
#include "attestation/tpm/tpm_pcrs.h"
#include "cli/check/check.h"

/* The registers of --pcrs. Ones that make no sense are refused by `check`, since no quote and no
 * log can vouch for them: `good` is false then, and there are none. */
int check_log_registers(const struct check_input *in, enum check_id id, struct tpm_pcrs *pcrs,
			bool *good, struct verdict *v, struct err *e) MUST_CHECK;

/* Whether a replay of the log gives the registers' values; a failed check says which differs. Those
 * of the firmware (0 to 9) without events have to be untouched; with `all` the others as well,
 * whose software may keep logs of its own. */
bool check_log_explains(const struct event_log *log, const struct tpm_pcrs *pcrs, bool all,
			struct verdict *v);
