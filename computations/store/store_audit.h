/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_audit.h — the audit log in the database: a chain of rows (common/audit/audit_row.h), each written in the
 * transaction of the change that it tells of.
 *
 * It is cut by store_audit_trim() alone. A log that is full takes no change, and room is kept: refusals, strangers and
 * users can't fill it, or nobody could suspend them any more. When half of it is full, no user adds more rows than are
 * left for all (audit_share.h), or one would keep the others from changing anything.
 */
#pragma once

#include "common/audit/audit_row.h"
#include "computations/store/store.h"

enum {
	AUDIT_PAGE_MAX = 256,       /* rows handed out at a time */
	AUDIT_PAGE_BYTES = 1 << 20, /* and bytes of their lines, after the first */
	AUDIT_ROWS_MIN = 64,        /* that a limit may be */
	AUDIT_REFUSALS_SHARE = 8,   /* the last eighth of the limit is not theirs */
	AUDIT_USERS_SHARE = 16,     /* nor is the last sixteenth users', */
	AUDIT_ALWAYS_SHARE = 32,    /* but half of that, for what has to work always */
};

/* Whose a change is, and so how much of the limit it may use up. */
enum audit_room {
	AUDIT_ROOM_STRANGERS, /* who had to show nothing: as refusals */
	AUDIT_ROOM_USERS,
	AUDIT_ROOM_ALWAYS,    /* users who come in, leave, or take a right away */
	AUDIT_ROOM_OPERATORS, /* who administer the service: all of it */
};

/* Adds a row: who did what, and how it ended. Number and time are made here, texts cleaned and cut; without an
 * outcome it is AUDIT_OK. Within the transaction of the change, which must not stand if this fails
 * (ERR_EXHAUSTED: the log is full, or what is left of it is not for these, or not for this user). Another outcome is a refusal's, which
 * changed nothing, and a stranger's change is nobody's: where the room for those is used up, none is added, and that is
 * logged. */
int store_audit_add(struct store *store, const struct audit_row *row, enum audit_room room,
		    struct err *e) MUST_CHECK;

/* First in a transaction that adds rows: of several services on one database, one at a time, and none of them
 * loses a race. */
int store_audit_lock(struct store *store, struct err *e) MUST_CHECK;

/* Behind which row it begins, and with which it ends. */
int store_audit_ends(struct store *store, struct audit_head *after, struct audit_head *head,
		     struct err *e) MUST_CHECK;

/* The head of a row, which is not before where the log begins. ERR_NOT_FOUND: there is none of that number. */
int store_audit_head(struct store *store, uint64_t number, struct audit_head *head,
		     struct err *e) MUST_CHECK;

/* Lines, one behind the other. */
struct audit_page {
	char *bytes;
	size_t ends[AUDIT_PAGE_MAX];
	size_t count;
};
void audit_page_done(struct audit_page *page);
#define CLEANUP_AUDIT_PAGE __attribute__((cleanup(audit_page_done)))

/* At most `max` rows behind number `after`, oldest first. */
int store_audit_rows(struct store *store, uint64_t after, size_t max, struct audit_page *page,
		     struct err *e) MUST_CHECK;
/* At most `max` rows before number `before` (0: the newest), newest first. */
int store_audit_newest(struct store *store, uint64_t before, size_t max, struct audit_page *page,
		       struct err *e) MUST_CHECK;

/* Cuts off the rows up to `through`, which the caller names with its digest because he has saved them; `row` says
 * who, and is added with what was cut. */
int store_audit_trim(struct store *store, const struct audit_head *through,
		     const struct audit_row *row, struct err *e) MUST_CHECK;

/* The whole chain. ERR_DATA_LOSS names the first row that does not fit. */
int store_audit_check(struct store *store, struct audit_head *head, struct err *e) MUST_CHECK;
