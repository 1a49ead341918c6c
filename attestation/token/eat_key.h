/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eat_key.h — the `cnf` claim (RFC 8747, section 3.1): {1: COSE_Key} of one P-256 key.
 */
#pragma once

#include "common/base/datum.h"
#include "common/crypto/key.h"

/* Malloc'ed DER SubjectPublicKeyInfo. Another form or curve, a point off the curve or a private
 * part is refused. */
int eat_key_parse(const struct datum *cnf, uint8_t **spki, size_t *len, struct err *e) MUST_CHECK;

struct writer;
int eat_key_write(const EVP_PKEY *key, struct writer *w, struct err *e) MUST_CHECK;
