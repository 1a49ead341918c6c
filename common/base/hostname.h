/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostname.h — whether a listener's host name can be reached from elsewhere.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>

/* True if it can be reached from this machine only: "localhost", an address in 127.0.0.0/8, ::1
 * in any spelling, or "[::1]". Other names are not looked up and count as reachable. */
bool hostname_is_loopback(const char *name);

/* A listener that other hosts can reach asks for client certificates: else ERR_INVALID, in words with
 * its settings, which begin with `prefix` ("MANAGER_GRPC"). `mutual`: it does ask. */
int hostname_listener_check(const char *prefix, const char *host, bool mutual,
			    struct err *e) MUST_CHECK;
