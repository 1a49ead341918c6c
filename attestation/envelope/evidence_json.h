/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence_json.h — evidence in the JSON form of its protobuf (protojson, as Go's tools print it)
 * into the protobuf itself, which is then read like any other.
 *
 * Translation only: every rule about fields is the protobuf reader's, also that none comes twice.
 * Members that are not among the fields we read are stepped over, as unknown fields are.
 */
#pragma once

#include "attestation/envelope/evidence_kind.h"
#include "common/base/err.h"
#include "common/base/span.h"

/* It begins with the brace of a JSON object, as no evidence in binary does. */
bool evidence_is_json(struct span bytes);

/* SNP's is sevsnp.Attestation, a TPM's attest.Attestation; the others have none. */
bool evidence_has_json(enum evidence_kind kind);

/* Malloc'ed. Names in lowerCamelCase or as in the .proto file, bytes in canonical base64, 64-bit
 * numbers as text or number, null for absent. ERR_INVALID names the member, and is for
 * kinds without such a form. */
int evidence_from_json(struct span text, enum evidence_kind kind, uint8_t **bytes, size_t *len,
		       struct err *e) MUST_CHECK;
