/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totp.h — codes of authenticator programs (RFC 6238): HMAC-SHA-1, 30 seconds, six digits, which is what all of them
 * take. Computing only; who has which secret is factor.h's.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	TOTP_SECRET_LEN = 20,
	TOTP_BASE32_LEN = TOTP_SECRET_LEN * 8 / 5,
	TOTP_DIGITS = 6,
	TOTP_STEP_MS = 30000,
	TOTP_WINDOW = 1, /* steps before and after: clocks differ, and people type */
};

/* The code of a step: milliseconds since 1970 by TOTP_STEP_MS. */
int totp_code(const uint8_t secret[TOTP_SECRET_LEN], int64_t step, char code[TOTP_DIGITS + 1],
	      struct err *e) MUST_CHECK;

/* Whether `code` is that of a step around `now` which comes after `last`; `*step` is it then. */
int totp_matches(const uint8_t secret[TOTP_SECRET_LEN], const char *code, int64_t now, int64_t last,
		 bool *matches, int64_t *step, struct err *e) MUST_CHECK;

/* As programs take it (RFC 4648, section 6). */
void totp_base32(const uint8_t secret[TOTP_SECRET_LEN], char text[TOTP_BASE32_LEN + 1]);

/* How such a program takes all of it at once: "otpauth://totp/cocos:anna?secret=…". */
enum { TOTP_URI_MAX = 320 };
void totp_uri(const char text[TOTP_BASE32_LEN + 1], const char *user, char uri[TOTP_URI_MAX]);
