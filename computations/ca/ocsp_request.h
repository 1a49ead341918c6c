/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp_request.h — what somebody asks about certificates (RFC 6960, section 4.1), read strictly.
 *
 * A signature and the requestor's name are passed over, as section 4.1.2 allows: answers are for everybody. Extensions but
 * the nonce (RFC 9654) are, too, unless one is critical.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	OCSP_REQUEST_MAX = 4096, /* bytes of DER */
	OCSP_CERTS_MAX = 8,      /* that one request may ask about */
	OCSP_NONCE_MAX = 128,    /* RFC 9654, section 2.1 */
	OCSP_SERIAL_MAX = 20,    /* RFC 5280, section 4.1.2.2 */
	OCSP_HASH_MAX = 64,
};

enum ocsp_hash { OCSP_SHA1, OCSP_SHA256, OCSP_OTHER_HASH };

/* All of it points into the request. */
struct ocsp_cert {
	struct span id; /* the CertID with its tag, as the answer repeats it */
	enum ocsp_hash hash;
	struct span issuer_name, issuer_key; /* hashes */
	struct span serial;                  /* contents of the INTEGER */
};

struct ocsp_request {
	struct ocsp_cert certs[OCSP_CERTS_MAX];
	size_t count;      /* 1 at least */
	struct span nonce; /* empty: there is none */
};

/* Exactly `len` bytes. ERR_INVALID. */
int ocsp_request_read(const uint8_t *der, size_t len, struct ocsp_request *request,
		      struct err *e) MUST_CHECK;
