/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_audit.h — administrators' calls as rows of the audit log: those that change something in the transaction that
 * does it, refusals by themselves.
 */
#pragma once

#include "common/audit/audit_trail.h"
#include "common/rpc/call.h"
#include "computations/core/admin_access.h"
#include "computations/store/store_audit.h"
#include "computations/store/store_queue.h"

enum { ADMIN_AUDIT_SMALL = 511 }; /* bytes of an object's state before and after */

/* What is known of a call when it begins, and what it finds out in the database. Copies. */
struct admin_audit {
	char who[AUDIT_ROW_TEXT_MAX + 1], from[AUDIT_ROW_TEXT_MAX + 1],
		what[AUDIT_ROW_TEXT_MAX + 1];
	char object[AUDIT_ROW_TEXT_MAX + 1], about[AUDIT_ROW_TEXT_MAX + 1];
	char before[ADMIN_AUDIT_SMALL + 1], after[ADMIN_AUDIT_SMALL + 1];
	char outcome[32], cause[ERR_TEXT_MAX];
	bool is_added;
};

/* Malloc'ed; NULL of a call that changes nothing. */
int admin_audit_new(const struct rpc_call *call, struct admin_audit **audit,
		    struct err *e) MUST_CHECK;

/* Its row, of the user if there is one. */
int admin_audit_add(struct store *store, struct admin_audit *a, const struct admin_caller *caller,
		    struct err *e) MUST_CHECK;

/* The audit log cut there, with that row in place of admin_audit_add()'s, which adds none then. */
int admin_audit_trimmed(struct store *store, struct admin_audit *a, const char *user,
			const struct audit_head *through, struct err *e) MUST_CHECK;

/* For call_audit's `keep`: refusals, and how many of them were left out. `data` is a struct store_queue. */
void admin_audit_keep(void *data, const struct audit_entry *entry);
