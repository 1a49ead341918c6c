/* SPDX-License-Identifier: Apache-2.0 */
/* jail_seccomp.h — the system calls that an algorithm may make, and those of who starts it. */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>

/* Loads the filter for this thread and all it becomes; sets no_new_privs. Anything that is not on
 * the list is ENOSYS, so that a C library falls back to what is; what is known to be dangerous is
 * EPERM. `network`: internet sockets instead of local ones. Another architecture's calls kill. */
int jail_seccomp_load(bool network, struct err *e) MUST_CHECK;

/* For the agent and the jail's process outside, which inherits it: the algorithm's own, those that
 * build a jail, and streams and datagrams, local and of the internet; netlink, too, but nothing else
 * that is raw. Anything else is ENOSYS. */
int jail_seccomp_load_outside(struct err *e) MUST_CHECK;
