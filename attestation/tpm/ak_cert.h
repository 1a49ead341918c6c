/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ak_cert.h — the certificate of an attestation key (AK) or endorsement key (EK), to a root that the
 * relying party named: the word of a cloud or manufacturer about which TPM the key lives in.
 */
#pragma once

#include "attestation/formats/x509.h"
#include "attestation/verdict/verdict.h"

enum { AK_CERT_PATH_MAX = 4 };

struct ak_cert_input {
	struct span cert; /* DER or PEM, one certificate */
	const struct span
		*intermediates; /* each DER, or PEM with any number; nobody trusts these */
	size_t intermediate_count;
	struct span root; /* DER or PEM, named by the relying party; compared by key */
	int64_t at;
	bool is_ek; /* of an endorsement key: for key exchange, never for signatures */
};

/* The path from the certificate to the root holds at `at`: signatures, CA flags, path lengths, time.
 * Usage: digitalSignature if there is a keyUsage, and the leaf is no CA; of an EK keyEncipherment or
 * keyAgreement, which has to be there. Its extended key usage names an EK (TCG EK Credential Profile 2.6, 3.2.16), for
 * an AK that or tcg-kp-AIKCertificate; without one its subjectAltName has a TPM's maker, model or version, or the
 * extended key usage of who signed it names these purposes and no other. A subjectAltName that is critical, or
 * without an extended key usage beside, holds TPMs' names alone, and an issuer has neither of these two as critical
 * (RFC 5280, 4.2). `*key` is the certified key, for the caller to compare.
 * ERR_DENIED if not. */
int ak_cert_verify(const struct ak_cert_input *in, EVP_PKEY **key, struct err *e) MUST_CHECK;

/* Tells the verdict the names by which a simulator's TPM is known (verdict_name()): the root's, the
 * certificate's issuer's, and maker and model of the TPM in its subjectAltName (TCG EK Credential
 * Profile 2.6, 3.1.2). Nothing is verified here, and what can't be read tells nothing. */
void ak_cert_names(const struct ak_cert_input *in, struct verdict *v);

/* `key` and `ak` are the same public key. */
bool ak_cert_same_key(const EVP_PKEY *key, const EVP_PKEY *ak);
