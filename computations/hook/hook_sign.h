/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_sign.h — secrets of webhooks, and what they sign: Standard Webhooks 1.0.0, "Signature scheme".
 */
#pragma once

#include "common/crypto/digest.h"

enum {
	HOOK_SECRET_LEN = 32,      /* random bytes */
	HOOK_SECRET_TEXT_MAX = 56, /* "whsec_" and base64 */
	HOOK_SIGNATURE_MAX = 128,  /* of two secrets */
};

/* "whsec_…", as receivers' libraries take it. */
int hook_secret_text(const uint8_t secret[HOOK_SECRET_LEN], char text[HOOK_SECRET_TEXT_MAX],
		     struct err *e) MUST_CHECK;

/* The header webhook-signature: "v1,…" over "ID.TIMESTAMP.BODY", by each of the secrets (`before` NULL: one). */
int hook_sign(const uint8_t *secret, const uint8_t *before, const char *id, int64_t timestamp,
	      const char *body, char text[HOOK_SIGNATURE_MAX], struct err *e) MUST_CHECK;
