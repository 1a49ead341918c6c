/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_answer.h — the certificate that an authority answers with, believed only if it is the one that was asked for.
 *
 * The authority was reached over TLS, by the boot configuration's ca.pem; this judges that what it says is of use, and no
 * more than was asked for: for our key, of our name, for clients, no authority, for a time that has begun and has not
 * ended, signed by the authority that came with it with nothing weak.
 */
#pragma once

#include "certificates.pb-c.h"
#include "common/crypto/key.h"
#include "common/manifest/renewal.h"

enum {
	CA_ANSWER_PEM_MAX = 16384,             /* of each of the two certificates */
	CA_ANSWER_LIFE_S_MAX = 31 * 24 * 3600, /* short-lived is what was asked for */
	CA_ANSWER_SKEW_S = 300,                /* that the authority's clock may be ahead of ours */
	CA_ANSWER_STRENGTH = 112,              /* bits of security, of signatures */
};

/* A certificate with its key. */
struct ca_issued {
	X509 *cert;
	EVP_PKEY *key;
	char *chain_pem; /* for TLS: it, and who signed it unless that signed itself */
	char serial[RENEWAL_SERIAL_MAX + 1]; /* lower-case hexadecimal */
	int64_t from, until;                 /* s since 1970 */
};
void ca_issued_done(struct ca_issued *issued);

struct ca_wish {
	EVP_PKEY *key;                  /* that was in the request; a reference is taken */
	const char *name;               /* whose it has to be */
	const struct ca_issued *before; /* that it renews: of the same authority; NULL: none */
	int64_t now;                    /* s since 1970 */
};

/* ERR_INVALID: what is wrong with it, in one line. ca_issued_done() it. */
int ca_answer_read(const Certificates__IssueResponse *answer, const struct ca_wish *wish,
		   struct ca_issued *issued, struct err *e) MUST_CHECK;
