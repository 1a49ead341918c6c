/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_form.h — the tables of sealed secrets (secret_keep.h).
 */
#pragma once

/* `owner`: a computation's id, or the number of a user, a webhook or a mail. `key` '': the secret is gone, for it is not needed any
 * more, or its key is lost; `sealed` is empty then. secrets_key has one row from the first start on, which has sealed what
 * older forms had as it was. */
#define SECRETS_FORM                            \
	"CREATE TABLE secrets ("                \
	" kind TEXT NOT NULL,"                  \
	" owner TEXT NOT NULL,"                 \
	" key TEXT NOT NULL,"                   \
	" sealed {bytes},"                      \
	" PRIMARY KEY (kind, owner)) {by key};" \
	"CREATE TABLE secrets_key (id TEXT NOT NULL PRIMARY KEY) {by key};"

/* What an older form had in tables of others, as it is until that start seals it. */
#define SECRETS_PLAIN "-"
#define SECRETS_ALL_FORM                                                              \
	"DELETE FROM secrets_key;"                                                    \
	"INSERT INTO secrets (kind, owner, key, sealed)"                              \
	" SELECT 'totp', CAST(person AS TEXT), '" SECRETS_PLAIN "', secret"           \
	" FROM factors;"                                                              \
	"INSERT INTO secrets (kind, owner, key, sealed)"                              \
	" SELECT 'webhook', CAST(number AS TEXT), '" SECRETS_PLAIN "', secret"        \
	" FROM webhooks;"                                                             \
	"INSERT INTO secrets (kind, owner, key, sealed)"                              \
	" SELECT 'webhook-before', CAST(number AS TEXT), '" SECRETS_PLAIN "', before" \
	" FROM webhooks WHERE length(before) > 0;"                                    \
	"ALTER TABLE factors DROP COLUMN secret;"                                     \
	"ALTER TABLE webhooks DROP COLUMN secret;"                                    \
	"ALTER TABLE webhooks DROP COLUMN before;"
