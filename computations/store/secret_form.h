/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_form.h — the tables of sealed secrets (store_secret.h).
 */
#pragma once

/* `owner`: a computation's id. `key` '': the secret is gone, for it is not needed any more, or its key is lost; `sealed` is
 * empty then. secrets_key has one row from the first start on, which has sealed what older forms had as it was. */
#define SECRETS_FORM                            \
	"CREATE TABLE secrets ("                \
	" kind TEXT NOT NULL,"                  \
	" owner TEXT NOT NULL,"                 \
	" key TEXT NOT NULL,"                   \
	" sealed {bytes},"                      \
	" PRIMARY KEY (kind, owner)) {by key};" \
	"CREATE TABLE secrets_key (id TEXT NOT NULL PRIMARY KEY) {by key};"
