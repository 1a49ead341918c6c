/* SPDX-License-Identifier: Apache-2.0 */
/*
 * participant.h — to whom the manifest shows what the algorithm wrote, and why it failed
 * (manifest_extension.h, `logs`).
 */
#pragma once

#include "agent/computation/access.h"
#include "agent/computation/computation.h"

/* Is the caller one of them? A proof for the role PROOF_ROLE_PARTICIPANT that names its key
 * (`proof-key`): only that key is looked for, and one signature verified. 0, or ERR_DENIED with the
 * reason. */
int participant_check(const struct access *access, const struct computation *c,
		      struct err *e) MUST_CHECK;

/* Whom it is shown to, for people: "the consumers". */
const char *participant_names(const struct computation *c);
