/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.h — bytes as text and back: hexadecimal and base64 (RFC 4648, section 4).
 *
 * Decoding is strict: one spelling for each value. No white space, no missing or extra padding, no
 * stray bits in the last character.
 */
#pragma once

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* The value of a digit of either case; -1 for another character. */
int hex_digit(char c);

/* Lower-case hexadecimal with a final zero: `text` holds 2 * len + 1 characters. */
void hex_encode(const void *bytes, size_t len, char *text);

/* Exactly `len` bytes from exactly 2 * len digits of either case. */
int hex_decode(const char *text, uint8_t *bytes, size_t len, struct err *e) MUST_CHECK;

/* Any even count of digits up to 2 * max; the count of bytes goes to `*len`. */
int hex_decode_up_to(const char *text, uint8_t *bytes, size_t max, size_t *len,
		     struct err *e) MUST_CHECK;

/* Padded base64, malloc'ed; NULL if memory runs out. */
char *base64_encode(const void *bytes, size_t len);

/* Canonical, padded base64 of `chars` characters; malloc'ed bytes for the caller to free. */
int base64_decode(const char *text, size_t chars, uint8_t **bytes, size_t *len,
		  struct err *e) MUST_CHECK;

/* The same, but padding may be left out (gRPC's -bin metadata). */
int base64_decode_unpadded(const char *text, size_t chars, uint8_t **bytes, size_t *len,
			   struct err *e) MUST_CHECK;

/* The alphabet for addresses (RFC 4648, section 5), without padding, as JOSE and WebAuthn have it. */
int base64url_decode(const char *text, size_t chars, uint8_t **bytes, size_t *len,
		     struct err *e) MUST_CHECK;
