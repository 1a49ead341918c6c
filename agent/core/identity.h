/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h — the agent's identity key, P-256, which evidence binds and attested TLS shows.
 *
 * Made at boot and never written anywhere; or, for the time of one computation, the key that its
 * manifest brings for attested TLS ('external': the run statement says so).
 */
#pragma once

#include "common/crypto/key.h"

#include <stdbool.h>

struct agent_config;

struct identity {
	EVP_PKEY *key;
	uint8_t *spki; /* DER SubjectPublicKeyInfo */
	size_t spki_len;
	uint8_t *leaf; /* its certificate, DER */
	size_t leaf_len;
	char *chain_pem; /* the certificate and what belongs behind it, as TLS wants them */
	bool external;
};

/* A new key, with a certificate signed by itself that is valid at any time: what makes the key
 * trustworthy is evidence. identity_done() it. */
int identity_make(struct identity *identity, struct err *e) MUST_CHECK;

/* The key and certificates of a manifest. Any other key than P-256 is ERR_INVALID. */
int identity_take(const struct agent_config *config, struct identity *identity,
		  struct err *e) MUST_CHECK;

void identity_done(struct identity *identity);
