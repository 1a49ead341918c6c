/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl_set.h — the revocation lists that chains of certificates are judged by: a file's, and newer ones in their places.
 */
#pragma once

#include "common/crypto/crl.h"

enum {
	CRL_FILE_MAX = 12 << 20, /* bytes of a file: CRL_ENTRIES_MAX of them as PEM */
	CRL_FILE_LISTS_MAX = 32,
	CRL_SET_MAX =
		2 * CRL_FILE_LISTS_MAX, /* with those that are kept though the file lost them */
};

struct crl_set {
	struct crl *lists[CRL_SET_MAX];
	size_t count;
};
void crl_set_done(struct crl_set *set);
#define CLEANUP_CRL_SET __attribute__((cleanup(crl_set_done)))

/* One or more lists, as PEM ("X509 CRL", and nothing else) or as DER, one behind the other. ERR_INVALID: one has not the form
 * of a list, there is none, or they have more than CRL_ENTRIES_MAX entries together. `set` is empty before. */
int crl_set_read(const void *bytes, size_t len, struct crl_set *set, struct err *e) MUST_CHECK;

/* Who signed each, as far as that is one of `authorities`, or of `known` (may be NULL), who stand below them: others show it in
 * a chain. ERR_DENIED: a list has the name of an authority, and none of that name signed it. ERR_INVALID: two are of one
 * signer, or one is from the future. */
int crl_set_verify(struct crl_set *set, STACK_OF(X509) * authorities, STACK_OF(X509) * known,
		   int64_t now, struct err *e) MUST_CHECK;

enum crl_put { CRL_PUT_NEW, CRL_PUT_SAME, CRL_PUT_OLDER };
/* Takes the list over, which has a signer, also where it is too old to take the place of his last one. Negative
 * (ERR_EXHAUSTED): there is no room. */
int crl_set_put(struct crl_set *set, struct crl *list, struct err *e) MUST_CHECK;

/* What `fresh` has takes its place, and leaves it empty. A signer's list stays until a newer one comes, or it ends: neither an
 * older one nor none takes its place. `older`: how many were older. On failure both are as they were. */
int crl_set_renew(struct crl_set *set, struct crl_set *fresh, int64_t now, size_t *older,
		  struct err *e) MUST_CHECK;

/* ---- a chain ---- */

enum crl_outcome { CRL_GOOD, CRL_REVOKED, CRL_UNKNOWN };

struct crl_judged {
	enum crl_outcome outcome;
	char serial[CRL_SERIAL_TEXT_MAX]; /* of the certificate that is not good, */
	char subject[CRL_NAME_TEXT_MAX], issuer[CRL_NAME_TEXT_MAX];
	char why[128 + CRL_NAME_TEXT_MAX]; /* in words */
};

/* RFC 5280, section 6.3.3: each certificate of a verified chain, the leaf first, by its issuer's current list; the last one is
 * whom we trust. CRL_UNKNOWN: an issuer has none, or it has ended; not `every`: only if it has ended. A list's signer
 * may become known by this. */
struct crl_judged crl_set_judge(struct crl_set *set, STACK_OF(X509) * chain, int64_t now,
				bool every);

/* The newest list that this certificate's key signed; NULL: there is none. */
struct crl *crl_set_find(struct crl_set *set, X509 *issuer);
