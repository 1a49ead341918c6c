/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach.h — where the agent of a CVM is reached from outside, by what its manager says of it.
 */
#pragma once

#include "common/base/err.h"

enum { REACH_MAX = 280 };

/* "HOST:PORT" of what the manager at `target` forwards: at `host`, or if that is empty, where it is itself (for a
 * socket: 127.0.0.1). The result becomes words of a shell, and so it has nothing but what hosts and ports are made of:
 * else ERR_INVALID. */
int reach_address(const char *target, const char *host, const char *port, char address[REACH_MAX],
		  struct err *e) MUST_CHECK;
