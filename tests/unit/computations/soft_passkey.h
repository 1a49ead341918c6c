/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soft_passkey.h — an authenticator and a browser in front of it, which do what a test tells them, also what is wrong.
 */
#pragma once

#include "common/base/writer.h"
#include "computations/people/webauthn.h"

struct soft_passkey {
	EVP_PKEY *key;
	int64_t algorithm;
	const char *rp, *origin, *type; /* type NULL: as is right */
	const char *format;             /* NULL: none */
	const char *client_more;        /* members of the client data */
	uint8_t challenge[WEBAUTHN_CHALLENGE_LEN];
	uint8_t id[WEBAUTHN_ID_MAX + 1], flags;
	size_t id_len;
	bool pss; /* the padding of RSA that RS256 has not */
	uint32_t count;
	struct span after, statement; /* after the authenticator data; NULL: as is right */
	/* What is brought. */
	uint8_t client[2 * WEBAUTHN_CLIENT_MAX], data[2 * WEBAUTHN_DATA_MAX];
	uint8_t object[2 * WEBAUTHN_OBJECT_MAX], signature[SIGNATURE_MAX];
	size_t client_len, data_len, object_len, signature_len;
};

enum {
	SOFT_PRESENT = 0x01,
	SOFT_VERIFIED = 0x04,
	SOFT_ELIGIBLE = 0x08,
	SOFT_BACKED_UP = 0x10,
	SOFT_EXTENSIONS = 0x80
};

/* Present and verified, for https://example.org, of a challenge of zeros. */
void soft_passkey_init(struct soft_passkey *p, int64_t algorithm);
void soft_passkey_done(struct soft_passkey *p);
/* navigator.credentials.create() and .get(). */
void soft_passkey_make(struct soft_passkey *p);
void soft_passkey_use(struct soft_passkey *p);

struct span soft_client(const struct soft_passkey *p);
struct span soft_object(const struct soft_passkey *p);
struct webauthn_use soft_use(const struct soft_passkey *p);
