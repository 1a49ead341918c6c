/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal.h — what the key of a certificate signs to get the next certificate of the same name from the computation
 * service.
 *
 *   "cocos-certificate-renewal-v1" 00 ‖ serial ‖ nonce ‖ same ‖ request
 *
 * each behind its length (4 bytes, big endian). serial: of the certificate, as text; nonce: random, so that no two are
 * alike, and the service takes each once; same: one byte, 1 if the new certificate is for the old key; request: the
 * SHA-256 of the PKCS#10 request for the new one, so that nobody gets one for another key with it.
 *
 * No other thing that a certificate's key signs begins so: no TLS handshake (RFC 8446, section 4.4.3), no request.
 */
#pragma once

#include "common/base/span.h"
#include "common/crypto/digest.h"

#define RENEWAL_LABEL "cocos-certificate-renewal-v1"

enum { RENEWAL_NONCE_LEN = 32, RENEWAL_SERIAL_MAX = 64 };

struct renewal {
	const char *serial;
	const uint8_t *nonce; /* RENEWAL_NONCE_LEN */
	bool same_key;
	struct span request;
};

/* What is signed, malloc'ed. ERR_INVALID: the serial is empty, or longer than RENEWAL_SERIAL_MAX. */
int renewal_message(const struct renewal *r, uint8_t **bytes, size_t *len,
		    struct err *e) MUST_CHECK;
