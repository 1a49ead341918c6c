/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webauthn.h — what a browser brings of a passkey: W3C Web Authentication Level 3, sections 7.1 (a new one) and 7.2 (one
 * that is used), without what is kept of passkeys (passkey.h).
 *
 * All of it is hostile. Attestation is asked for as 'none': statement 'none', and 'packed' of the passkey's own key, which
 * browsers hand on then as well, are accepted, and nothing follows from either.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"

enum {
	WEBAUTHN_CLIENT_MAX = 2048,  /* clientDataJSON */
	WEBAUTHN_DATA_MAX = 2048,    /* authenticator data */
	WEBAUTHN_OBJECT_MAX = 3072,  /* attestation object */
	WEBAUTHN_ID_MAX = 1023,      /* of a credential: section 4 */
	WEBAUTHN_ID_MIN = 16,        /* the same: shorter ones could be guessed */
	WEBAUTHN_RSA_MAX = 4096 / 8, /* modulus; at least 2048 bits */
	WEBAUTHN_CHALLENGE_LEN = 32,
};

enum webauthn_algorithm { /* IANA COSE Algorithms, as the page offers them */
			  WEBAUTHN_ES256 = -7,
			  WEBAUTHN_EDDSA = -8,
			  WEBAUTHN_RS256 = -257,
};

/* What the page asked for. */
struct webauthn_want {
	const char *rp;     /* the name that passkeys are for: "cocos.example.org" */
	const char *origin; /* where the page is: "https://cocos.example.org:9466" */
	const uint8_t *challenge;
	bool verified; /* a PIN or finger, too, and not a touch alone */
};

struct webauthn_new {
	uint8_t id[WEBAUTHN_ID_MAX], spki[SPKI_MAX];
	size_t id_len, spki_len;
	uint32_t count;           /* of signatures; 0: the device counts none */
	bool eligible, backed_up; /* may be copied to other devices; is */
};
/* ERR_INVALID: it is none, or not in the form that it must have. ERR_UNAUTHENTICATED: of another site, challenge, or
 * without what was asked for. */
int webauthn_register(const struct webauthn_want *want, struct span client, struct span object,
		      struct webauthn_new *made, struct err *e) MUST_CHECK;

/* What is known of the one that is used. */
struct webauthn_known {
	struct span spki;
	uint32_t count;
	bool eligible;
};
struct webauthn_use {
	struct span client, data, signature;
};
struct webauthn_used {
	uint32_t count;
	bool backed_up;
	/* The signature holds, and its count is not beyond the last: there may be a copy of the device. Nobody comes in. */
	bool went_back;
};
int webauthn_assert(const struct webauthn_want *want, const struct webauthn_use *use,
		    const struct webauthn_known *known, struct webauthn_used *used,
		    struct err *e) MUST_CHECK;
