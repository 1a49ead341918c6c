/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_signed.h — what is signed by the key of a certificate of Intel's, but not as X.509 is: TCB info and QE
 * identity, and a quoting enclave's report. ECDSA P-256 with SHA-256, r and s bare.
 */
#pragma once

#include "attestation/formats/x509.h"

/* 0 only if the signature of twice 32 bytes holds; ERR_DENIED if not. What `known` remembers is not
 * computed again, and what holds is remembered there. */
int tdx_signed_verify(const struct x509 *signer, struct span bytes, struct span signature,
		      const struct x509_known *known, struct err *e) MUST_CHECK;
