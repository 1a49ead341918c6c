/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_hangup.h — what a daemon does with its audit log when it is told that the file was moved away.
 */
#pragma once

#include "common/audit/audit_trail.h"

/* A daemon's answer to SIGHUP: does that, and says in a line of the log what came of it. `setting` names the file's;
 * `audit` may be NULL. */
void audit_trail_hung_up(struct audit_trail *audit, const char *setting);
