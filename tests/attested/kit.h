/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kit.h — what tests of attested TLS need on both sides without a device: an identity, evidence (a
 * text with the report data of this very connection), and its appraisal.
 */
#pragma once

#include "attestation/channel/attested_client.h"
#include "attestation/channel/attested_server.h"

#define KIT_TOKEN_PREFIX "test evidence over "

struct kit_identity {
	EVP_PKEY *key;
	uint8_t *leaf, *spki;
	size_t leaf_len, spki_len;
	char *cert_pem, *key_pem;
};
int kit_identity_make(struct kit_identity *identity, struct err *e) MUST_CHECK;
void kit_identity_done(struct kit_identity *identity);

/* Server's TLS with this identity, as attested listeners have it. */
int kit_server_tls(const struct kit_identity *identity, const char *client_ca, struct rpc_tls **tls,
		   struct err *e) MUST_CHECK;

/* How evidence is made, after `delay_ms`. */
enum kit_mode {
	KIT_GOOD,
	KIT_FAILS, /* the device refuses, later */
	KIT_FAILS_AT_ONCE,
	KIT_NEVER,         /* it does not answer */
	KIT_OTHER_SESSION, /* over another exporter value */
	KIT_TOO_LONG,      /* does not fit an authenticator */
};
struct kit_source {
	uv_loop_t *loop;
	const struct kit_identity *identity;
	enum kit_mode mode;
	unsigned delay_ms;
	unsigned asked, answered, cancelled;
};
struct attested_source kit_source_of(struct kit_source *source);

/* Says yes to evidence over this binding and no other. */
struct kit_judge {
	bool refuses;   /* everything */
	bool takes_any; /* for load on real agents: what another test judges */
	unsigned asked;
};
int kit_appraise(void *data, const struct authenticator *a, struct err *e);
