/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_forge.h — quotes as a TPM makes them, by a key of our own in the shape of an AK, with an event
 * log that fits; to be changed one thing at a time.
 */
#pragma once

#include "attestation/envelope/tpm_attestation.h"
#include "attestation/tpm/tpm_appraise.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "tests/unit.h"

enum { FORGE_TPM_NONCE_LEN = 32, FORGE_TPM_PART_MAX = 4096 };

/* What a quote says; tpm_forge_init() fills in one that is right. */
struct forge_tpm {
	EVP_PKEY *key;      /* P-256 */
	uint16_t name_hash; /* of the AK's name */
	uint32_t attributes;
	uint16_t scheme, hash; /* the AK's own */
	uint16_t signature_scheme, signature_hash;
	uint32_t magic;
	uint16_t type;
	uint32_t reset_count, restart_count;
	uint8_t nonce[FORGE_TPM_NONCE_LEN];
	struct tpm_pcrs pcrs; /* SHA-256: what the log replays to */
};

void tpm_forge_init(struct forge_tpm *f);
void tpm_forge_done(struct forge_tpm *f);

/* The parts of one quote; free with tpm_forge_parts_done(). */
struct forge_tpm_parts {
	struct writer ak_public, quote, signature, log, message;
};
void tpm_forge_parts(const struct forge_tpm *f, struct forge_tpm_parts *p);
void tpm_forge_parts_done(struct forge_tpm_parts *p);
struct span tpm_forge_span(const struct writer *w);

/* The message as tpm_appraise() takes it; `in` is good until the next call. */
void tpm_forge_read(struct span message, struct tpm_input *in);

/* A log: Spec ID event for SHA-256 alone, one EV_IPL in PCR 4 and 8 each, separators in 0 to 7. */
void tpm_forge_log(struct writer *w, bool legacy);
/* A CC log: one EV_EFI_ACTION in each register 1 to 4. */
void tpm_forge_cc_log(struct writer *w);
/* An event more of a CC log: its digest is of `measured`, its data are a text. */
void tpm_forge_cc_event(struct writer *w, uint32_t mr, uint32_t type, const char *data,
			const void *measured, size_t measured_len);

/* The values presented, as attest.Attestation has them. */
void tpm_forge_pcrs(const struct forge_tpm *f, struct writer *w);

/* Fields of a protobuf; a number that is zero is left out. */
void tpm_forge_field(struct writer *w, unsigned number, struct span bytes);
void tpm_forge_number(struct writer *w, unsigned field, uint64_t value);
/* sevsnp.Report, by the field comments of sevsnp.proto and not by our own table; and
 * sevsnp.Attestation around it. */
void tpm_forge_report(const uint8_t *report, struct writer *w);
void tpm_forge_sevsnp(const uint8_t *report, struct writer *w);
