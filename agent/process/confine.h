/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.h — what a process of ours gives up for good before it meets anybody.
 *
 * Called once, early, while there is one thread. What a process starts inherits all of it.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

enum { CONFINE_KEYS = 1 << 20 }; /* bytes of locked memory for private keys */

/* Nobody can trace the process or read its memory, a crash writes no core, and executing gains no
 * right. */
int confine_process(struct err *e) MUST_CHECK;

/* OpenSSL's private keys live in memory that is locked and in no dump, and are wiped when freed.
 * Returns 1 where the machine lets us lock no memory: then they are only wiped. */
int confine_keys(struct err *e) MUST_CHECK;

/* Of capabilities(7) the process keeps at most `kept`, a set of 1 << CAP_…, and a program that it
 * executes has at most `bounding`. */
int confine_rights(uint64_t kept, uint64_t bounding, struct err *e) MUST_CHECK;
