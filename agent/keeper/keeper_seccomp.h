/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_seccomp.h — the system calls that the keeper may make. */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>

/* No process, no program, no socket of its own unless `sockets`, which a named TPM may need. A call
 * that only somebody who has taken over the keeper would make kills it; the agent ends then. */
int keeper_seccomp_load(bool sockets, struct err *e) MUST_CHECK;
