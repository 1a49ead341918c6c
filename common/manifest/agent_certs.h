/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_certs.h — the certificates in one field of an agent configuration, and what can be said of
 * them before a client meets them.
 *
 * Nothing here says that anybody trusts them: that each client decides.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/writer.h"

#include <stdbool.h>
#include <openssl/x509.h>

enum {
	AGENT_CERTS_MAX = 64,      /* in one field */
	AGENT_CERTS_CHAIN_MAX = 16 /* in what a client is shown: rpc/tls.h, RPC_TLS_CHAIN_MAX */
};

struct agent_certs {
	X509 *certs[AGENT_CERTS_MAX];
	size_t count;
};

/* From PEM text that holds 1 to AGENT_CERTS_MAX of them; `what` names it in `*e`. */
int agent_certs_read(const char *what, const char *pem, struct agent_certs *certs,
		     struct err *e) MUST_CHECK;
void agent_certs_done(struct agent_certs *certs);
#define CLEANUP_AGENT_CERTS __attribute__((cleanup(agent_certs_done)))

/* Their DER, one after the other. */
int agent_certs_der(const struct agent_certs *certs, struct writer *der, struct err *e) MUST_CHECK;

/* All are valid now, by this machine's clock. */
int agent_certs_dates(const char *what, const struct agent_certs *certs, struct err *e) MUST_CHECK;

/* One at least is valid now: of roots, an old one stands beside its successor for a while. */
int agent_certs_some_date(const char *what, const struct agent_certs *certs,
			  struct err *e) MUST_CHECK;

/* Whether some of the certificates in `pem` are not valid now; `*e` says of the first why, and how
 * many. False of what is no PEM text. */
bool agent_certs_outdated(const char *what, const char *pem, struct err *e);

/* As TLS wants a chain (RFC 8446, section 4.4.2): each has signed the one before it. */
int agent_certs_order(const char *what, const struct agent_certs *certs, struct err *e) MUST_CHECK;

/* `above` goes on where `certs` ends: its first has signed their last. True as well where the last has
 * signed itself. */
bool agent_certs_follow(const struct agent_certs *certs, const struct agent_certs *above);

/* The first has a name that clients compare (subjectAltName), and is for `host` (DNS name or address;
 * NULL: not known). */
int agent_certs_names(const char *what, const struct agent_certs *certs, const char *host,
		      struct err *e) MUST_CHECK;
