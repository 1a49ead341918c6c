/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail.h — the mails that invitations' links go in: written in the transaction of the invitation, tried for a day, and
 * counted, so that nobody has the service send a stranger one mail after another.
 *
 * What one says is sealed (secret_keep.h) under `secrets` while it waits, for it has the link.
 *
 * Blocking, inside a transaction of the caller's.
 */
#pragma once

#include "common/db/db.h"
#include "computations/mail/mail_address.h"
#include "computations/mail/mail_message.h"
#include "computations/seal/secret.h"

#include <stdbool.h>

enum {
	MAILS_OF_PLACE = 20, /* of one workspace within an hour, */
	MAILS_OF_ALL = 200,  /* of all of them, */
	MAILS_OF_BOX = 3,    /* and to one mailbox within a day */
	MAILS_WAITING_MAX = 1000,
	MAIL_TRIES = 8,
	MAIL_PROBLEM_MAX = 200, /* bytes */
	MAIL_DAY_MS = 24 * 3600 * 1000,
	MAIL_HOUR_MS = 3600 * 1000,
};

enum mail_state {
	MAIL_WAITS,
	MAIL_SENT,
	MAIL_GIVEN_UP,
	MAIL_DROPPED, /* its invitation was taken or revoked, or has ended, before it was sent */
};
/* A constant; NULL if there is no such state. */
const char *mail_state_name(int64_t state);

struct mail_wish {
	int64_t workspace, invitation;
	const char *address, *text; /* of mail_message_make() */
};

/* Whether that workspace may mail to that address now; before a link is made. ERR_INVALID: no address; ERR_EXHAUSTED. */
int mail_check(struct db *db, int64_t workspace, const char *place, const char *address,
	       int64_t now, struct err *e) MUST_CHECK;
/* One more that waits; mail_check() has been asked. */
int mail_add(struct db *db, const struct secret_key *secrets, const struct mail_wish *wish,
	     int64_t now, struct err *e) MUST_CHECK;

/* What is to be sent. */
struct mail_try {
	int64_t number, invitation;
	char address[MAIL_ADDRESS_MAX + 1], text[MAIL_TEXT_MAX + 1];
	char problem[MAIL_PROBLEM_MAX +
		     1]; /* why its text can't be had, nor ever will; "": it is there */
};
/* The one that waited longest and is due; `*found` false: none, and in `*wait` ms one will be (negative: none waits). Those
 * whose invitations are good for nothing any more are dropped, and what is over for long forgotten. */
int mail_next(struct db *db, const struct secret_key *secrets, int64_t now, struct mail_try *t,
	      bool *found, int64_t *wait, struct err *e) MUST_CHECK;

struct mail_outcome {
	int64_t number, invitation;
	bool is_taken, is_final; /* final: the server wants it never */
	char problem[MAIL_PROBLEM_MAX + 1];
};
/* Once it is over, its text is gone. `*given_up`: this was the last try, and it was not taken. */
int mail_tried(struct db *db, const struct mail_outcome *o, int64_t now, bool *given_up,
	       struct err *e) MUST_CHECK;

struct mail_row {
	int64_t invitation;
	enum mail_state state;
	char address[MAIL_ADDRESS_MAX + 1], problem[MAIL_PROBLEM_MAX + 1];
};
/* Those of a workspace's invitations that are there still, by their numbers; at most `max`. */
int mail_list(struct db *db, int64_t workspace, struct mail_row *rows, size_t max, size_t *count,
	      struct err *e) MUST_CHECK;
/* That invitation's, lent; NULL: it has none. */
const struct mail_row *mail_find(const struct mail_row *rows, size_t count, int64_t invitation);
