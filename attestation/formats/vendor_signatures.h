/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vendor_signatures.h — signatures by Intel's and AMD's roots that are known to hold: those in the
 * certificates which come with all evidence, of the roots themselves and of the CAs below them.
 *
 * OpenSSL says in test_x509_vendors.c of each that it holds, so it says nothing new, and is not computed for
 * each verdict. That is a fact about bytes, and no trust: the digest is over the signer's key, the
 * algorithm, all that is signed and the signature, so a certificate that differs in a bit is verified as
 * any other. Where a chain has to start, names, usages, times, revocation lists are judged by whoever
 * asks, for these as for others.
 *
 * A CA that a vendor adds is verified until it is added here, with a case in that test, which prints the
 * digest that it wants.
 */
#pragma once

#include "attestation/formats/signatures.h"

enum { VENDOR_SIGNATURES = 11 };

/* signatures_digest() of each. */
extern const uint8_t vendor_signatures[VENDOR_SIGNATURES][SHA256_LEN];

/* Whether it is one of them; -ERR_… only if it can't be digested. */
int vendor_signature_holds(const struct signatures_fact *fact, bool *holds,
			   struct err *e) MUST_CHECK;
