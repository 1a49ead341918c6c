/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_place.h — where the records are: the service's folder and its database, held by one at a time.
 */
#pragma once

#include "common/db/db.h"

struct store_place {
	struct db db;
	int lock;          /* `dir`/lock, which whoever uses the folder holds */
	int database_lock; /* the same of a database's file; -1: it is a server's */
};

/* As store_open() says; no tables are made. `session`: what a server is to call it; NULL: as ever. */
int store_place_open(const char *dir, const char *database, const char *session,
		     struct store_place *place, struct err *e) MUST_CHECK;
void store_place_close(struct store_place *place);

/* The database of a service that may run meanwhile, and which is not kept from anything: only to be read.
 * ERR_NOT_FOUND: there is none. */
int store_place_look(const char *dir, const char *database, struct db *db,
		     struct err *e) MUST_CHECK;
