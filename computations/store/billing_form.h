/* SPDX-License-Identifier: Apache-2.0 */
/*
 * billing_form.h — the tables of accounts that pay for workspaces (store_billing.h).
 */
#pragma once

/* Who pays for a workspace is said from a month on, whole months at a time. The workspace may be removed meanwhile: what it
 * ran stays its account's, which is why these refer to no row of workspaces. */
#define BILLING_FORM                                                                                                       \
	"CREATE TABLE billing_accounts ("                                                                                  \
	" number {counted},"                                                                                               \
	" name TEXT NOT NULL UNIQUE,"                                                                                      \
	" plan TEXT NOT NULL," /* by name; COMPUTATIONS_MANAGERS says what it is */                                        \
	" maker TEXT NOT NULL,"                                                                                            \
	" created {integer} NOT NULL);"                                                                                    \
	"CREATE TABLE billing_places ("                                                                                    \
	" workspace {integer} NOT NULL,"                                                                                   \
	" since {integer} NOT NULL,"   /* a month's first ms */                                                            \
	" account {integer} NOT NULL," /* 0: nobody, from then on */                                                       \
	" PRIMARY KEY (workspace, since)) {by key};"                                                                       \
	"CREATE INDEX billing_places_account ON billing_places (account);" /* Of which month who was told what already. */ \
	"CREATE TABLE billing_told ("                                                                                      \
	" account {integer} NOT NULL,"                                                                                     \
	" month TEXT NOT NULL,"                                                                                            \
	" event {integer} NOT NULL,"                                                                                       \
	" PRIMARY KEY (account, month, event)) {by key};"

/* Workspaces that account ?A pays for in the month that begins at ?M. */
#define BILLING_PLACES_OF(A, M)                                                          \
	"SELECT p.workspace FROM billing_places p WHERE p.account = " A " AND p.since =" \
	" (SELECT max(q.since) FROM billing_places q WHERE q.workspace = p.workspace"    \
	" AND q.since <= " M ")"
