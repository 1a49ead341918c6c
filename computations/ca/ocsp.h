/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp.h — answers about the status of certificates (RFC 6960, in RFC 5019's profile), signed by a responder's key.
 *
 * The authority's key signs the responder's certificate, which is for a day; the responder's, which is in memory alone, signs
 * the answers. Each process makes its own, and the next one when half of its time is over.
 *
 * A serial number under which nothing was issued is unknown, and not revoked (section 4.4.8): records of what ended long
 * ago are forgotten, so that the service can't say of one that it never was.
 */
#pragma once

#include "common/base/span.h"
#include "common/db/db.h"
#include "computations/ca/authority.h"

enum {
	OCSP_ANSWER_MAX = 8192,
	OCSP_RESPONDER_HOURS = 24,
	OCSP_FRESH_S = 3600, /* that an answer is for (nextUpdate) */
	OCSP_CACHED_S = 300, /* that whoever lies between may keep it for */
};

struct ocsp_responder;

/* Lends the authority. */
int ocsp_responder_new(const struct authority *a, struct ocsp_responder **responder,
		       struct err *e) MUST_CHECK;
void ocsp_responder_free(struct ocsp_responder *responder);
DEFINE_CLEANUP(struct ocsp_responder *, ocsp_responder_free)

/* OCSPResponseStatus, section 4.2.1 */
enum ocsp_outcome {
	OCSP_SUCCESSFUL = 0,
	OCSP_MALFORMED = 1,
	OCSP_INTERNAL = 2,
	OCSP_TRY_LATER = 3,
	OCSP_UNAUTHORIZED = 6, /* another authority's certificate: RFC 5019, section 2.2.3 */
};

struct ocsp_answer {
	enum ocsp_outcome outcome;
	uint8_t *der; /* malloc'ed */
	size_t len;
	bool is_cacheable;   /* it is signed, and has no nonce */
	int64_t from, until; /* ms since 1970; of one that is signed */
};
void ocsp_answer_done(struct ocsp_answer *answer);

/* One that says nothing but that there is none, unsigned. */
int ocsp_answer_refuse(enum ocsp_outcome outcome, struct ocsp_answer *answer,
		       struct err *e) MUST_CHECK;

/* Blocking, inside a transaction, by one caller at a time. What is wrong with the request is an answer, too; an error is
 * the database's, or ours. */
int ocsp_answer_make(struct db *db, struct ocsp_responder *responder, struct span request,
		     int64_t now, struct ocsp_answer *answer, struct err *e) MUST_CHECK;
