/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_watch.h — memory of all processes of the jail, counted by its pid 1, for hosts where no
 * control group bounds it. A count now and then can be overshot; in our image there are groups.
 */
#pragma once

#include <stdint.h>

enum { JAIL_WATCH_MS = 200 };

/* Bytes in use by every process but pid 1, shared ones counted once (Pss). Needs CAP_SYS_PTRACE
 * in the jail's user namespace for programs that can't be read. */
uint64_t jail_watch_memory(void);
