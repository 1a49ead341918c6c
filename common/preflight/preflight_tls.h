/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight_tls.h — a listener's TLS files: that key and certificate are a pair, that the chain holds
 * together, and that all of it is valid today.
 */
#pragma once

#include "common/preflight/preflight.h"

#include <stdint.h>

/* Paths of PEM files; `cert` NULL: nothing is asked. `between` and `clients` may be NULL. */
struct preflight_tls {
	const char *cert, *key, *between, *clients;
};

int preflight_tls(const struct preflight_tls *files, char found[PREFLIGHT_TEXT_MAX],
		  struct err *e) MUST_CHECK;
