/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ea_request.h — the authenticator request (RFC 9261, section 4) and the frames that carry both
 * halves over a TLS stream before HTTP/2 begins.
 */
#pragma once

#include "common/base/reader.h"
#include "common/base/writer.h"

enum {
	EA_CONTEXT_LEN = 32,
	EA_SCHEMES_MAX = 32,
	EA_EXTENSIONS_MAX = 16,
	EA_REQUEST_MAX = 4096,
	EA_ECDSA_P256_SHA256 = 0x0403, /* the only scheme we use; stock clients offer no other */

	EA_FRAME_HEAD = 5,
	EA_FRAME_MAX = 16 << 20,
	EA_FRAME_REQUEST = 1,
	EA_FRAME_AUTHENTICATOR = 2,
};

struct ea_request {
	uint8_t context[EA_CONTEXT_LEN];
	uint16_t schemes[EA_SCHEMES_MAX];
	size_t scheme_count;
	uint16_t extensions[EA_EXTENSIONS_MAX]; /* the types of all of them, in their order */
	size_t extension_count;
};

/* As stock clients write it: ecdsa_secp256r1_sha256, and the offer of attestation. */
void ea_request_write(const uint8_t context[EA_CONTEXT_LEN], struct writer *w);

/* Refused: another message, a context that is not 32 bytes, no signature_algorithms or one without
 * a scheme, no offer of attestation (0xFF00) or one that is not empty, an extension twice, bytes
 * after the end. Unknown extensions are stepped over. */
int ea_request_parse(const uint8_t *bytes, size_t len, struct ea_request *request,
		     struct err *e) MUST_CHECK;
bool ea_request_offers(const struct ea_request *request, uint16_t scheme);

/* Whether a certificate of the answer may carry that extension: the request has it (RFC 8446, 4.2),
 * and it isn't signature_algorithms, which no certificate carries. */
bool ea_request_allows(const struct ea_request *request, uint16_t extension);

/* type(1) length(4, big endian). */
void ea_frame_head(uint8_t type, size_t len, uint8_t head[EA_FRAME_HEAD]);

/* The head of a frame of the wanted type, of up to EA_FRAME_MAX bytes; decides by these five bytes
 * alone, so that a peer's length is refused before a byte of its payload is read. */
int ea_frame_parse_head(const uint8_t head[EA_FRAME_HEAD], uint8_t wanted, size_t *len,
			struct err *e) MUST_CHECK;

/* One whole frame of the wanted type at the start of what came, with 1 to `max` bytes of payload,
 * which points into it; `*used` is what it takes up, 0 while more must come. A bad head
 * is refused before its payload arrives. */
struct ea_frame_want {
	uint8_t type;
	size_t max;
};
int ea_frame_take(const uint8_t *bytes, size_t len, const struct ea_frame_want *want,
		  struct reader *payload, size_t *used, struct err *e) MUST_CHECK;
