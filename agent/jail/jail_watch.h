/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_watch.h — memory of all processes of the jail, counted by its pid 1, for hosts where no
 * control group bounds it. A count now and then can be overshot; in our image there are groups.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { JAIL_WATCH_MS = 200 };

/* What a socket may hold: net.core.wmem_default. The filter lets nobody ask for more. */
enum { JAIL_SOCKET_MAX = 212992 };

/* Bytes in use by every process but pid 1, shared ones counted once (Pss). Needs CAP_SYS_PTRACE
 * in the jail's user namespace for programs that can't be read. `sockets`: each socket of the
 * network namespace counts, too, as if it were full, whether or not a descriptor leads to it. */
uint64_t jail_watch_memory(bool sockets);
