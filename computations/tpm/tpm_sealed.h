/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_sealed.h — 32 bytes that only one TPM 2.0 gives back, and where it is said only while its PCRs are as they were.
 *
 * An object of data (TPM 2.0 Library, part 1, 27.5) below a storage key of the owner's: the primary key of the TCG's template
 * (TPM 2.0 Provisioning Guidance, 7.5.1, ECC P-256), made each time, or the persistent one that `parent=` names. The bytes
 * travel encrypted, in a session whose salt only that storage key can read: who taps the bus does not see them.
 *
 * "tpm:/PATH", and behind `?`, parted by `&`: `pcrs=sha256:7,14`, `parent=0x81000001`, `tcti=NAME:CONF`.
 */
#pragma once

#include "computations/tpm/tpm_link.h"

#include <stdint.h>

enum {
	TPM_SEALED_LEN = 32,
	/* TPM2B_NAME of the storage key, TPM2B_PUBLIC and TPM2B_PRIVATE of the object. */
	TPM_SEALED_BLOB_MAX = sizeof(TPM2B_NAME) + sizeof(TPM2B_PUBLIC) + sizeof(TPM2B_PRIVATE),
	TPM_SEALED_PCRS = 24,
};

struct tpm_sealing {
	struct tpm_link link;
	char *path;
	TPM2_HANDLE parent;      /* 0: the primary key */
	TPML_PCR_SELECTION pcrs; /* count 0: whatever they are */
};

/* Reads the words alone. */
int tpm_sealing_new(const char *words, struct tpm_sealing **sealing, struct err *e) MUST_CHECK;
void tpm_sealing_free(struct tpm_sealing *sealing);
DEFINE_CLEANUP(struct tpm_sealing *, tpm_sealing_free)

/* Sealed to the PCRs' values of now. `*blob` is malloc'ed, and was opened again before this returns. */
int tpm_seal(struct tpm_sealing *sealing, const uint8_t bytes[TPM_SEALED_LEN], uint8_t **blob,
	     size_t *len, struct err *e) MUST_CHECK;
/* ERR_PRECONDITION: another TPM's, or the PCRs have changed, or it is not bound to what the words say; ERR_DATA_LOSS: it is
 * damaged; ERR_INVALID: it has another form; ERR_EXHAUSTED: the TPM is locked. Wipe `bytes`. */
int tpm_unseal(struct tpm_sealing *sealing, const uint8_t *blob, size_t len,
	       uint8_t bytes[TPM_SEALED_LEN], struct err *e) MUST_CHECK;
