/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_form.h — the database's tables, and how each older form of them becomes this one.
 */
#pragma once

#include "common/db/db_form.h"

enum {
	STORE_FORM = 48,             /* what SQLite calls the database's user_version */
	STORE_FORM_LEASE = 35,       /* the first that knows of instances */
	STORE_FORM_LEASE_PLACE = 37, /* and of where they are */
	STORE_FORM_SECRETS = 38,     /* of sealed secrets: agents' */
	STORE_FORM_SECRETS_ALL = 39, /* and all others */
	STORE_FORM_LISTS = 40,       /* of orders of computations */
	STORE_FORM_LISTS_ALL = 41,   /* of assets and members */
	STORE_FORM_MAILS = 42,       /* of mails' texts that are sealed */
	STORE_FORM_CREATORS = 45,    /* of who created a computation */
};

/* Where PostgreSQL has them. */
#define STORE_SCHEMA "cocos_computations"

extern const struct db_forms store_forms;
