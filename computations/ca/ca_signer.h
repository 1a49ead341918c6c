/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_signer.h — where the authority's private key is, and what signs with it: a file, a PKCS#11 token (an HSM), a TPM 2.0.
 *
 * Where the key is in a device it stays there. A device may be gone, or hang: whoever signs waits for at most
 * CA_SIGNER_WAIT_MS, once; from then on all are refused at once, by name, while a thread of the signer's own asks the device
 * again every CA_SIGNER_RETRY_MS, until it answers. A PIN that was refused is tried no more: devices lock.
 */
#pragma once

#include "common/crypto/key.h"
#include "computations/ca/ca_signature.h"

struct ca_signer;

/* Whether `where` is an absolute path, or a pkcs11: or tpm: form that can be read; nothing is opened. */
int ca_signer_check(const char *where, struct err *e) MUST_CHECK;

/* Of the key that belongs to `public`, which is lent. No device is asked yet. ERR_PRECONDITION: a file of the key or of a
 * PIN can be read by others, or has another key. */
int ca_signer_new(const char *where, EVP_PKEY *public, struct ca_signer **signer,
		  struct err *e) MUST_CHECK;
/* A device that hangs is left to its thread, which ends when it answers. */
void ca_signer_free(struct ca_signer *signer);
DEFINE_CLEANUP(struct ca_signer *, ca_signer_free)

/* Blocking, from any thread; the signature was checked with the public key. ERR_UNAVAILABLE: the device is gone, or did not
 * answer in time; ERR_DENIED: it refused the PIN; ERR_PRECONDITION: it has another key of that name. */
int ca_signer_sign(struct ca_signer *signer, const void *bytes, size_t len,
		   uint8_t sig[CA_SIGNATURE_MAX], size_t *sig_len, struct err *e) MUST_CHECK;
/* The same with bytes that nobody asks for: whether it can sign now. */
int ca_signer_prove(struct ca_signer *signer, struct err *e) MUST_CHECK;

/* What a service starts with all the same: it may pass, or must not be tried again by starting again. */
bool ca_signer_may_wait(const struct err *e);

/* From any thread: false, and in one line why, while the device does not sign. */
bool ca_signer_is_well(struct ca_signer *signer, struct err *why);

/* A new key there, of P-256; in a device that has one of this name, that one, and `is_new` is false. A new file that
 * exists: ERR_EXISTS. Blocking without an end. */
int ca_signer_make(const char *where, EVP_PKEY **public, bool *is_new, struct err *e) MUST_CHECK;
