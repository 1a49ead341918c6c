/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight_crl.h — a file of revocation lists: that it is taken, and has a list of each authority which is not about to end.
 */
#pragma once

#include "common/preflight/preflight.h"

#include <openssl/x509.h>

enum { PREFLIGHT_CRL_LEFT_S = 3600 }; /* that a list has to be good for, at least */

struct preflight_crl {
	const char *path;        /* NULL: nothing is asked */
	const char *authorities; /* PEM file: whose lists there have to be */
	X509 *own; /* but not of this one, whose list the program makes itself; NULL: none */
};

int preflight_crl(const struct preflight_crl *files, char found[PREFLIGHT_TEXT_MAX],
		  struct err *e) MUST_CHECK;
