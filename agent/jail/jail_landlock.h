/* SPDX-License-Identifier: Apache-2.0 */
/* jail_landlock.h — a second fence around files, for when the first has a hole. */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>

/* From here on: reading and executing everywhere, writing below `writable` (NULL at the end; paths
 * that are missing are stepped over), no TCP (with `network`: but to connect), no signals or abstract sockets to
 * outside. What the kernel's Landlock can't do is left out; without Landlock nothing happens.
 * Needs no_new_privs or a capability. */
int jail_landlock_restrict(const char *const *writable, bool network, struct err *e) MUST_CHECK;
