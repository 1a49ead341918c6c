/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authenticator_extension.h — extension 0xFF00 of an authenticator's leaf: the JSON object that
 * carries evidence and binder (version 1).
 */
#pragma once

#include "attestation/token/binding.h"
#include "common/base/reader.h"
#include "common/base/writer.h"

/* The JSON text alone, without the extension's lengths. */
int authenticator_extension_write(const struct binding_binder *binder, const uint8_t *evidence,
				  size_t evidence_len, struct writer *w, struct err *e) MUST_CHECK;

/* The extension's body, with its inner length. Exactly the members of version 1 are taken, and the
 * binder must be `wanted`, which the caller computed from his own session. Malloc'ed evidence. */
int authenticator_extension_parse(struct reader *body, const struct binding_binder *wanted,
				  uint8_t **evidence, size_t *evidence_len,
				  struct err *e) MUST_CHECK;
