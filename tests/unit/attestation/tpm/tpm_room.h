/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_room.h — a quote of our own making that is right in everything, and a policy that it meets.
 */
#pragma once

#include "attestation/policy/policy.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"

extern struct forge_tpm tpm_room_good;
extern struct tpm_policy tpm_room_policy;
extern struct verdict tpm_room_verdict; /* of the last tpm_room_judge() */

/* Make and free the quote, around the group of tests. */
int tpm_room_enter(void **state);
int tpm_room_leave(void **state);

/* PCR 4, 8 and 16 as they are right. */
void tpm_room_policy_make(void);

/* Appraises the message of that quote, its AK named. */
int tpm_room_judge(const struct forge_tpm *f, struct err *e);
