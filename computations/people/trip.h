/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trip.h — browsers on their way to a provider of identities and back (RFC 6749, 4.1; OpenID Connect Core 1.0, 3.1).
 *
 * A browser that sets out gets two secrets: the state, which goes to the provider and comes back in an address, and one
 * that stays in its cookie. Of both, hashes are kept, and a trip is over once: by the very browser, for the very
 * provider, before it ends. Nonce and verifier (PKCE) are made of both secrets, so nothing that lies here opens anything.
 *
 * Who is back, and is nobody's user yet, has a second trip: its secret stands in a form where a password is typed.
 */
#pragma once

#include "common/crypto/digest.h"
#include "common/rpc/source.h"
#include "computations/people/identity.h"

enum {
	TRIP_SECRET_LEN = 32,
	TRIP_TEXT_LEN = 2 * TRIP_SECRET_LEN,
	TRIP_MINUTES = 10,
	TRIPS_MAX = 4096, /* on their way: the oldest of the network that has most gives way */
};

/* What is known of whoever is back; "": not back yet. */
struct trip {
	char provider[IDENTITY_PROVIDER_MAX + 1];
	char issuer[IDENTITY_ISSUER_MAX + 1];
	char subject[IDENTITY_SUBJECT_MAX + 1];
};

/* A fresh secret as text. */
int trip_secret(char text[TRIP_TEXT_LEN + 1], struct err *e) MUST_CHECK;
/* Both are digits of the same length: what the provider is given, and what it has to put into its token. */
int trip_derive(const char *state, const char *browser, const char *use,
		char text[TRIP_TEXT_LEN + 1], struct err *e) MUST_CHECK;
#define TRIP_NONCE    "nonce"
#define TRIP_VERIFIER "verifier"

/* `state` is the trip's secret. Where there are TRIPS_MAX, one gives way: of the /32 (IPv6) or /16 (IPv4) that has most,
 * and in it of the /48 or address that has most, the oldest. */
int trip_add(struct db *db, const char *state, const char *browser, const struct rpc_source *from,
	     const struct trip *t, int64_t now, struct err *e) MUST_CHECK;
/* Those of a browser that begins anew, whose cookie they need; what is no secret is nobody's. */
int trip_forget(struct db *db, const char *browser, struct err *e) MUST_CHECK;
/* ERR_DENIED: it was used, has ended, is none, of another browser or another provider. `back`: whether it is
 * the second one. */
int trip_find(struct db *db, const char *state, const char *browser, const char *provider,
	      bool back, int64_t now, struct trip *t, struct err *e) MUST_CHECK;
/* The same, for the one time that it works. */
int trip_take(struct db *db, const char *state, const char *browser, const char *provider,
	      bool back, int64_t now, struct trip *t, struct err *e) MUST_CHECK;
