/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook.h — the webhooks of a workspace.
 *
 * Blocking, inside a transaction of the caller's.
 */
#pragma once

#include "common/db/db.h"
#include "computations/hook/hook_event.h"
#include "computations/hook/hook_sign.h"
#include "computations/hook/hook_url.h"
#include "computations/seal/secret.h"

enum {
	HOOKS_MAX = 10,             /* of a workspace */
	HOOK_DESCRIPTION_MAX = 200, /* bytes */
	HOOK_MAKER_MAX = 63,
	HOOK_REASON_MAX = 255,
	HOOK_ROTATED_MS = 24 * 3600 * 1000, /* that the secret before signs, too */
};

struct hook {
	int64_t number, workspace, created; /* ms since 1970 */
	int64_t taken, dropped; /* deliveries, and events that found no room (hook_delivery.h) */
	int64_t waiting;        /* deliveries that are to be sent yet */
	unsigned events;
	bool enabled;
	char url[HOOK_URL_MAX + 1], description[HOOK_DESCRIPTION_MAX + 1];
	char maker[HOOK_MAKER_MAX + 1];   /* "": whoever may open the administrators' socket */
	char reason[HOOK_REASON_MAX + 1]; /* why the service disabled it; "": it did not */
};

struct hook_wish {
	const char *url, *description, *maker;
	unsigned events;
};

/* A new one, enabled, and its secret, which no other call tells. ERR_EXHAUSTED: there are HOOKS_MAX; ERR_INVALID,
 * ERR_DENIED as of hook_url_check(). */
int hook_add(struct db *db, const struct secret_key *secrets, int64_t workspace,
	     const struct hook_wish *wish, const struct hook_nets *nets, int64_t now,
	     struct hook *made, char secret[HOOK_SECRET_TEXT_MAX], struct err *e) MUST_CHECK;

/* Oldest first. */
int hook_list(struct db *db, int64_t workspace, struct hook rows[HOOKS_MAX], size_t *count,
	      struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND: the workspace has none of that number. */
int hook_find(struct db *db, int64_t workspace, int64_t number, struct hook *h,
	      struct err *e) MUST_CHECK;

/* What waits for one that is disabled stays, and goes on when it is enabled. */
int hook_enable(struct db *db, int64_t number, bool enabled, struct err *e) MUST_CHECK;
/* The service itself, for that reason. */
int hook_disable_for(struct db *db, int64_t number, const char *reason, struct err *e) MUST_CHECK;

/* Another secret; for HOOK_ROTATED_MS deliveries are signed by the one before as well, unless that can't be opened. */
int hook_rotate(struct db *db, const struct secret_key *secrets, int64_t number, int64_t now,
		char secret[HOOK_SECRET_TEXT_MAX], struct err *e) MUST_CHECK;
/* With its deliveries. */
int hook_delete(struct db *db, int64_t number, struct err *e) MUST_CHECK;

/* For this folder: a text column of at most size - 1 bytes. */
int hook_copy_text(struct db_rows *row, int column, char *out, size_t size,
		   struct err *e) MUST_CHECK;
