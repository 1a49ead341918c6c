/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_record.h — which certificates there are: for whom a token waits, what was issued for one, what is revoked.
 *
 * Blocking, inside a transaction of the caller's.
 */
#pragma once

#include "common/base/span.h"
#include "common/db/db.h"
#include "computations/ca/certificate.h"
#include "computations/people/user.h"

enum {
	CA_TOKEN_SECRET_LEN = 32,
	CA_TOKEN_TEXT_LEN = 2 * CA_TOKEN_SECRET_LEN,
	CA_TOKEN_HOURS = 1,
	CA_TOKEN_HOURS_MAX = 168,
	CA_RECORDS_MAX = 10000,              /* whose tokens or certificates have not ended */
	CA_KEPT_MS = 30 * 24 * 3600 * 1000U, /* after that */
	CA_PAGE_MAX = 256,
	CA_LIST_HOURS = 24,    /* until the next revocation list */
	CA_LIST_FRESH_H = 6,   /* until one is made if nobody was revoked */
	CA_RENEWALS_MAX = 100, /* of a line: then a new token is wanted */
	CA_RENEWALS_A_DAY = 4, /* of a line; more than one, for an answer may get lost */
	CA_LINE_MAX = CA_RENEWALS_MAX + 1,
};

struct ca_record {
	int64_t number, created, ends, issued, revoked; /* ms since 1970; 0: not yet */
	uint32_t days, renewal; /* renewal: 0 of one that was issued for a token */
	enum ca_role role;
	char line[SERIAL_TEXT_LEN +
		  1]; /* the serial of the one that it renews, at whatever remove, or its own */
	char serial[SERIAL_TEXT_LEN + 1], name[CA_NAME_MAX + 1], maker[PEOPLE_NAME_MAX + 1];
	char key[AUTHORITY_FINGERPRINT_LEN + 1]; /* fingerprint; "": not yet */
	const struct authority *signer; /* lent; of one that was issued or renewed right now */
};
/* "open", "issued", "revoked" or "ended". */
const char *ca_record_state(const struct ca_record *r, int64_t now);

/* What is asked for; 0: as much as is usual. */
struct ca_wish {
	const char *name;
	enum ca_role role;
	uint32_t days, hours; /* of the certificate, of the token */
};

/* A token for one certificate, by that user ("": whoever may open the administrators' socket). ERR_EXHAUSTED: there are
 * CA_RECORDS_MAX; ERR_PRECONDITION: of a person who is no user, or suspended. */
int ca_token_add(struct db *db, const struct ca_wish *wish, const char *maker, int64_t now,
		 struct ca_record *made, char text[CA_TOKEN_TEXT_LEN + 1],
		 struct err *e) MUST_CHECK;

/* What that token is for, which stays as it was. ERR_UNAUTHENTICATED as below. */
int ca_token_find(struct db *db, const char *token, int64_t now, struct ca_record *r,
		  struct err *e) MUST_CHECK;

/* The certificate, malloc'ed PEM, for the one time that the token works. ERR_UNAUTHENTICATED, in one line for all of
 * them: it was used or revoked, has ended, its maker administers nothing any more, its person is no user, one of
 * them is another user of that name by now, or none. A request that is refused leaves it as it was. */
int ca_issue(struct db *db, const struct authority *a, const char *token, struct span request,
	     int64_t now, struct ca_record *issued, char **pem, struct err *e) MUST_CHECK;

/* Behind that number (0: the first), oldest first. */
int ca_list(struct db *db, int64_t after, struct ca_record rows[CA_PAGE_MAX], size_t *count,
	    struct err *e) MUST_CHECK;

/* The one of that serial number. ERR_NOT_FOUND. */
int ca_find(struct db *db, const char *serial, struct ca_record *r, struct err *e) MUST_CHECK;

/* Who has the key of a certificate asks for the next one, of the same name, role and days. */
struct ca_renewal {
	const char *serial;
	struct span key;              /* the old one's, DER SubjectPublicKeyInfo */
	struct span request;          /* for the new one's */
	struct span nonce, signature; /* of renewal.h, by the old key */
	bool same_key;                /* the new certificate is for the old key */
};
/* Malloc'ed PEM. `renewed`: what the row was whose serial was named. ERR_UNAUTHENTICATED, in one line for all of them: no
 * such certificate is valid, one of its line was revoked, it was for another key, or its maker or person is nobody any
 * more. ERR_DENIED: a signature is wrong. ERR_EXISTS: this very request was answered before. ERR_EXHAUSTED:
 * CA_RENEWALS_MAX, CA_RENEWALS_A_DAY, CA_RECORDS_MAX. */
int ca_renew(struct db *db, const struct authority *a, const struct ca_renewal *asked, int64_t now,
	     struct ca_record *renewed, struct ca_record *issued, char **pem,
	     struct err *e) MUST_CHECK;

/* What it takes to be renewed, but for room and a signature; changes nothing. Refusals as above. */
int ca_renewal_look(struct db *db, const struct authority *a, const struct ca_renewal *asked,
		    int64_t now, struct err *e) MUST_CHECK;

/* The token, or the certificate with all that renew it and that it renews, is good for nothing any more, also where some of
 * them have ended. `serials`: those that were not revoked before. ERR_NOT_FOUND: there are none, or a token has ended. */
int ca_revoke(struct db *db, const char *serial, int64_t now, struct ca_record *was,
	      char serials[CA_LINE_MAX][SERIAL_TEXT_LEN + 1], size_t *count,
	      struct err *e) MUST_CHECK;

/* Whether a certificate of `next` renews one of `key`, at whatever remove, and no one of their line was revoked: what was
 * bound to the old key is the new one's. Both are SHA-256 in lower-case hexadecimal, as listeners know them. */
int ca_follows(struct db *db, const char *key, const char *next, int64_t now, bool *follows,
	       struct err *e) MUST_CHECK;

/* Whether who shows that key (SHA-256 as above) may be the first of that name: with a certificate of ours as that agent alone,
 * with another authority's if that agent has none of ours, nor a token for one. ERR_DENIED. */
int ca_agent_check(struct db *db, const char *key, const char *cvm, int64_t now,
		   struct err *e) MUST_CHECK;

/* The authority's revocation list, malloc'ed DER: the last one while it is fresh, else a new one of a higher number,
 * also than any of before a backup was brought back. While the authority's key is away: the last one to its end, if nobody
 * was revoked since, else ERR_UNAVAILABLE or ERR_DENIED. */
int ca_crl(struct db *db, const struct authority *a, int64_t now, uint8_t **der, size_t *len,
	   struct err *e) MUST_CHECK;
/* Certificates that have not ended, of authorities that are neither `a` nor the one of before: no list has them, and no status
 * answer. `revoked`: how many of them were. */
int ca_strays(struct db *db, const struct authority *a, int64_t now, int64_t *all, int64_t *revoked,
	      struct err *e) MUST_CHECK;
/* A new one that its key has not signed, for listeners of this process (certificate_own_list()). */
int ca_own_crl(struct db *db, const struct authority *a, int64_t now, uint8_t **der, size_t *len,
	       struct err *e) MUST_CHECK;
