/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h — command lines that ask for a token of whoever lets them in at the page (as RFC 8628 does): a secret,
 * which the asker alone has and which is kept as its hash, and a short code, which a person types.
 *
 * A code is no secret: it opens nothing, but names what somebody who has signed in is asked for.
 */
#pragma once

#include "computations/people/token.h"

enum {
	DEVICE_SECRET_LEN = 32,
	DEVICE_TEXT_LEN = 2 * DEVICE_SECRET_LEN,
	DEVICE_CODE_LEN = 8,                        /* of 20 letters: 2.56 * 10^10 of them */
	DEVICE_CODE_TEXT_LEN = DEVICE_CODE_LEN + 1, /* "BCDF-GHJK" */
	DEVICE_MINUTES = 10,
	DEVICES_MAX = 256,     /* that wait: beyond them one gives way (device_room.h) */
	DEVICES_PER_PEER = 16, /* of one address, or of one IPv6 /64 */
	DEVICES_PER_USER = 8, /* that a user has looked at or let in, and that give way to nobody */
	DEVICE_ABOUT_MAX = 64, /* bytes */
	DEVICE_PEER_MAX = 64,
	DEVICE_DAYS = 30, /* of a token, if nothing else is asked for */
};

struct device {
	char code[DEVICE_CODE_TEXT_LEN + 1];
	char about[DEVICE_ABOUT_MAX + 1]; /* what it says that it is */
	char peer[DEVICE_PEER_MAX + 1];   /* the address that asked, without a port */
	unsigned scope;
	uint32_t days;
	int64_t ends; /* ms since 1970 */
};

/* A new one: of `d` the peer, about, scope and days count (days 0: DEVICE_DAYS); its code and end are filled in.
 * ERR_INVALID: no token could be so; ERR_EXHAUSTED: too many wait of that peer, or users look at all that wait. */
int device_ask(struct db *db, struct device *d, int64_t now, char secret[DEVICE_TEXT_LEN + 1],
	       struct err *e) MUST_CHECK;

/* The one that waits under that code, as people type it: case and what is between its letters do not count.
 * ERR_INVALID: none does. */
int device_find(struct db *db, const char *code, int64_t now, struct device *d,
		struct err *e) MUST_CHECK;
/* That user, who may let it in, looks at it first: from then on it gives way to nobody, if it is among the newest
 * DEVICES_PER_USER that he has looked at or let in. */
int device_see(struct db *db, const struct device *d, int64_t person, struct err *e) MUST_CHECK;
/* Lets it in as that person, or (0) refuses it. Once: ERR_INVALID then, as of device_find(). */
int device_answer(struct db *db, const char *code, int64_t person, int64_t now,
		  struct err *e) MUST_CHECK;

enum device_state { DEVICE_WAITS, DEVICE_IS_IN };
/* Of whoever has the secret. ERR_DENIED: somebody refused it; ERR_UNAUTHENTICATED: it has ended, or is none. */
int device_look(struct db *db, const char *secret, int64_t now, enum device_state *state,
		struct err *e) MUST_CHECK;

/* What device_take() would say before it takes anything. */
int device_may_take(struct db *db, const char *secret, int64_t now, struct err *e) MUST_CHECK;

struct device_token {
	int64_t person, expires;
	char user[PEOPLE_NAME_MAX + 1], name[PEOPLE_NAME_MAX + 1];
	char text[TOKEN_TEXT_LEN + 1];
};
/* The token, once; ERR_PRECONDITION: nobody has let it in yet. */
int device_take(struct db *db, const char *secret, int64_t now, struct device_token *token,
		struct err *e) MUST_CHECK;

/* Those that were let in as that person, and have not taken their tokens, are not any more. */
int device_forget(struct db *db, int64_t person, struct err *e) MUST_CHECK;
