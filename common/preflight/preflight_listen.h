/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight_listen.h — whether what is to be listened on is there to be had.
 */
#pragma once

#include "common/preflight/preflight.h"

#include <stdint.h>

/* A TCP port: it is bound and given back at once, and nobody can connect meanwhile. Port 0 is any. */
int preflight_port(const char *host, uint16_t port, char found[PREFLIGHT_TEXT_MAX],
		   struct err *e) MUST_CHECK;

/* A unix socket of admin_socket.h: its folder, its group, and that nobody listens there. */
int preflight_socket(const char *path, char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;
