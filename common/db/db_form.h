/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_form.h — numbered forms of a program's tables, and the way from each older one to the newest.
 */
#pragma once

#include "common/db/db.h"

struct db_forms {
	const char *program; /* for people */
	int newest;
	const char *schema;          /* makes the newest in an empty database */
	const char *const *upgrades; /* [n]: makes n+1 of n, from 1 on */
};

/* Makes the tables, or brings them to the newest form, all at once or not at all. A newer form than the
 * newest is ERR_PRECONDITION. */
int db_forms_apply(struct db *db, const struct db_forms *forms, struct err *e) MUST_CHECK;

/* The same within a transaction of the caller's, who ends it. */
int db_forms_within(struct db *db, const struct db_forms *forms, struct err *e) MUST_CHECK;

/* The same of a database that has no tables at all, within a transaction of the caller's. ERR_PRECONDITION: it has. */
int db_forms_make(struct db *db, const struct db_forms *forms, struct err *e) MUST_CHECK;

/* The form that it has, 0: none. */
int db_form(struct db *db, int64_t *form, struct err *e) MUST_CHECK;
int db_form_set(struct db *db, int form, struct err *e) MUST_CHECK;
