/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_postgres_place.h — what may stand in a place (db_postgres.h), and what libpq is told.
 */
#pragma once

#include "common/base/err.h"

enum { POSTGRES_KEYS_MAX = 32, POSTGRES_WHERE_MAX = 360 };

/* Both lists end with NULL; the values of the place are its own. */
struct postgres_place {
	const char *keys[POSTGRES_KEYS_MAX], *values[POSTGRES_KEYS_MAX];
	char where[POSTGRES_WHERE_MAX]; /* for people */
	void *parsed;
};

int postgres_place_read(const char *place, struct postgres_place *out, struct err *e) MUST_CHECK;
void postgres_place_done(struct postgres_place *place);
