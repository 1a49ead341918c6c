/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h — who a caller is, as far as the kernel or a verified certificate says so.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <sys/types.h>
#include <openssl/x509.h>

enum {
	RPC_SUBJECT_MAX = 512,
	RPC_SPIFFE_MAX = 2048, /* bytes of an id (SPIFFE-ID 2.3) */
};

/* Lives as long as the call that it was asked of. */
struct rpc_identity {
	bool has_uid; /* of a unix socket's other end (SO_PEERCRED) */
	uid_t uid;
	gid_t gid; /* its process's own group when it connected, if has_uid */
	/* Of a client certificate whose chain held; NULL: there is none. Names as RFC 2253 writes them; NULL, too,
	 * if they are empty or longer than RPC_SUBJECT_MAX. */
	const char *subject, *issuer;
	const char *spiffe; /* its SPIFFE id; NULL: it has none */
	const char *key;    /* its key's fingerprint (key.h), in hexadecimal */
};

/* Has the form of a SPIFFE id. */
bool identity_is_spiffe(const char *text, size_t len);

/* How many authorities are in these PEM certificates: those that are nobody else's, each of which can give any name to
 * anybody. One of the same name and key counts once. NULL: none. */
int identity_authorities(const char *pem, unsigned *count, struct err *e) MUST_CHECK;

/* For this folder: malloc'ed, NULL as above. A certificate has a SPIFFE id if it has exactly one URI, and that
 * begins with spiffe:// (X509-SVID 2). */
char *identity_subject(X509 *cert);
char *identity_issuer(X509 *cert);
char *identity_spiffe(X509 *cert);
