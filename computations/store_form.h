/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_form.h — the database's tables, and how each older form of them becomes this one.
 */
#pragma once

#include "computations/db.h"

enum { STORE_FORM = 8 /* the database's user_version */ };

/* Makes them in an empty database, or brings older ones forward, in one transaction. ERR_PRECONDITION for a
 * newer form, of which nothing is changed. */
int store_form_make(struct db *db, struct err *e) MUST_CHECK;
