/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invitation.h — links by which somebody becomes a member of a workspace, once: kept as hashes, with a role and an
 * end, and good for something only while whoever made one may still make them.
 */
#pragma once

#include "common/crypto/digest.h"
#include "computations/people/workspace_member.h"

enum {
	INVITATION_SECRET_LEN = 32,
	INVITATION_TEXT_LEN = 2 * INVITATION_SECRET_LEN,
	INVITATIONS_MAX =
		100, /* of a workspace: those that are open, and those that were taken within a day */
	INVITATION_DAYS = 7, /* if nothing else is asked for */
	INVITATION_DAYS_MAX = 30,
	INVITATION_NOTE_MAX = 64, /* bytes */
	INVITATION_TRIES =
		10, /* names of others that somebody tries who makes an account with it */
	INVITATION_KEPT_MS = 24 * 3600 * 1000, /* after it was taken */
};

/* Where one is taken, with its text behind it. */
#define INVITATION_PATH "/invite/"

struct invitation {
	int64_t number, created, ends, taken; /* ms since 1970; taken 0: it is open */
	enum membership role;
	bool is_stale;   /* whoever made it may not any more: nobody can take it */
	char *note;      /* for whom it is, as its maker says; "" */
	char *inviter;   /* "": whoever may open the administrators' socket */
	char *taker;     /* "": nobody yet */
	char *workspace; /* its name */
};
void invitation_done(struct invitation *i);
#define CLEANUP_INVITATION __attribute__((cleanup(invitation_done)))

/* What is asked for; `days` 0: INVITATION_DAYS. */
struct invitation_wish {
	enum membership role;
	uint32_t days;
	const char *note;
};

/* A new one by that user, or (0) by whoever may open the administrators' socket. ERR_EXHAUSTED: there are
 * INVITATIONS_MAX. */
int invitation_add(struct db *db, const struct workspace *w, int64_t inviter,
		   const struct invitation_wish *wish, int64_t now, int64_t *number,
		   char text[INVITATION_TEXT_LEN + 1], struct err *e) MUST_CHECK;
/* Those that have not ended, and that were taken within a day; oldest first. */
int invitation_list(struct db *db, int64_t workspace, int64_t now,
		    struct invitation rows[INVITATIONS_MAX], size_t *count,
		    struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND: the workspace has none of that number that is open. */
int invitation_revoke(struct db *db, const struct workspace *w, int64_t number, int64_t now,
		      struct invitation *i, struct err *e) MUST_CHECK;

/* ERR_NOT_FOUND, in one line for all of them: taken, revoked, ended, its maker may not any more, or none. */
int invitation_find(struct db *db, const char *text, int64_t now, struct invitation *i,
		    struct err *e) MUST_CHECK;
/* The same, for the one time that it works: that user is a member from now on. ERR_EXISTS: he was before, and it stays
 * open. */
int invitation_take(struct db *db, const char *text, int64_t person, int64_t now,
		    struct invitation *i, struct err *e) MUST_CHECK;
/* Somebody who was to choose a name chose another user's: after INVITATION_TRIES of these it is good for nothing. */
int invitation_missed(struct db *db, const char *text, struct err *e) MUST_CHECK;
