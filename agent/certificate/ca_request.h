/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_request.h — what the agent asks an authority (certificates.proto): for a token, or by the key of the certificate that
 * it has.
 */
#pragma once

#include "agent/certificate/ca_answer.h"
#include "agent/certificate/ca_place.h"

/* Of one question. `issue` and `renew` point into it and to what it was made of; one of them is filled. */
struct ca_request {
	EVP_PKEY *key; /* new, for the certificate that is asked for */
	unsigned char *der;
	uint8_t *spki; /* of a renewal: the old key */
	uint8_t nonce[RENEWAL_NONCE_LEN], signature[SIGNATURE_MAX];
	Certificates__IssueRequest issue;
	Certificates__RenewRequest renew;
};

/* With a new P-256 key, which goes nowhere. `before`: the certificate to renew; NULL: the token is shown. Both are lent
 * until ca_request_done(), in any case. */
int ca_request_make(const struct ca_place *place, const struct ca_issued *before,
		    struct ca_request *request, struct err *e) MUST_CHECK;
void ca_request_done(struct ca_request *request);
