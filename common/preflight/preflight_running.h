/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight_running.h — whether what listens where a daemon would is that daemon, which runs with the same settings.
 */
#pragma once

#include "common/preflight/preflight.h"

#include <stdint.h>

enum { PREFLIGHT_RUNNING_MS = 5000 }; /* that it may take to answer */

struct preflight_running {
	const char *who; /* "manager": what lines call it */
	const char *
		health; /* gRPC's health check knows it by this name, and no other program of ours */
	const char *serves, *serves_not; /* what its answer means */
	const char *cert, *cert_setting; /* of a port with TLS; NULL: plaintext */
};

/*
 * preflight_port() and preflight_socket(), for which what listens there is well if it is the daemon itself: on a port
 * with TLS it has the key of `cert` (nothing is asked of it: it may want clients' certificates); elsewhere it answers
 * gRPC's health check by its name, which whoever listens there may do.
 */
int preflight_own_port(const char *host, uint16_t port, const struct preflight_running *own,
		       char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;
int preflight_own_socket(const char *path, const struct preflight_running *own,
			 char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;
