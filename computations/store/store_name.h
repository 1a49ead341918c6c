/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_name.h — names of computations, of which no two are the same in a workspace. An empty one is none, and any number of
 * computations may have it. Databases of before have doubles, which stay as they are.
 */
#pragma once

#include "common/db/db.h"

enum { STORE_NAME_NUMBERS_MAX = 9999 }; /* the last one that store_name_free() gives */

/* ERR_EXISTS: a computation of that workspace is called so; store_create() asks it of the manifest's. */
int store_check_new_name(struct db *db, int64_t workspace, const char *name,
			 struct err *e) MUST_CHECK;
/* The same for another name of one that is there: of its workspace, another computation counts. */
int store_check_name(struct db *db, const char *id, const char *name, struct err *e) MUST_CHECK;

/* What a new computation can be called there, malloc'ed: `name`, or where it is taken, with a number behind it that is free and follows
 * one that is not, "NAME (2)", and cut off between characters to have at most MANIFEST_NAME_MAX bytes with it. ERR_EXISTS: they go
 * up to the last number. */
int store_name_free(struct db *db, int64_t workspace, const char *name, char **out,
		    struct err *e) MUST_CHECK;
