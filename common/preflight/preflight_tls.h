/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight_tls.h — TLS files, of a listener or of who connects: that key and certificate are a pair, that the chain holds
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

/* The same of who connects: whom the server's certificate has to come from, and what is shown to it. NULL: none;
 * `cert` and `key` come together. */
struct preflight_tls_client {
	const char *authorities, *cert, *key;
};

int preflight_tls_client(const struct preflight_tls_client *files, char found[PREFLIGHT_TEXT_MAX],
			 struct err *e) MUST_CHECK;

/* A file of certificates, PEM, or one as DER: that each can be read and is valid today. */
int preflight_certificates(const char *path, char found[PREFLIGHT_TEXT_MAX],
			   struct err *e) MUST_CHECK;
