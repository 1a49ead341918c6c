/* SPDX-License-Identifier: Apache-2.0 */
/*
 * users.h — root's last steps in the guest image: the keeper as a user of its own, and then this
 * process as another, for good.
 *
 * For a process of one thread with all of root's rights, before it reads anything that the host
 * supplies.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

/* Whom to start: this program with the argument `word`, as user and group `user`. */
struct users_child {
	const char *word;
	uint32_t user;
	const char
		*cgroup; /* a folder of the control groups' that it enters first; NULL: it stays */
};

/* Starts it without a right, a group, an environment or a parent but the machine's first process; its
 * socket is on CHILD_SOCKET. `*sock` takes the other end of the SOCK_SEQPACKET pair, close-on-exec.
 * What fails in there is said on standard error, and ends the socket. */
int users_start(const struct users_child *child, int *sock, struct err *e) MUST_CHECK;

/* Makes this process USERS_AGENT, in a user namespace that has two users: 0, which is USERS_AGENT
 * outside, and USERS_ALGORITHM. `rights` (a set of 1 << CAP_…) are all that is left, and they count
 * in that namespace alone: for files and processes of these two. */
int users_enter(uint64_t rights, struct err *e) MUST_CHECK;
