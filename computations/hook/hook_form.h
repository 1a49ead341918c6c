/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_form.h — the tables of this room, for the form of the service's database (common/db/db_form.h).
 *
 * A secret has to sign, so it is no hash: since form 39 it is a sealed row (computations/seal/secret_keep.h), and no column.
 */
#pragma once

#define HOOKS_FORM                                                                                                                                                                    \
	"CREATE TABLE webhooks ("                                                                                                                                                     \
	" number {counted},"                                                                                                                                                          \
	" workspace {integer} NOT NULL REFERENCES workspaces (number) ON DELETE CASCADE,"                                                                                             \
	" url TEXT NOT NULL,"                                                                                                                                                         \
	" events {integer} NOT NULL," /* bits of hook_event.h */                                                                                                                      \
	" description TEXT NOT NULL,"                                                                                                                                                 \
	" maker TEXT NOT NULL," /* '': whoever may open the administrators' socket */                                                                                                 \
	" secret {bytes} NOT NULL,"                                                                                                                                                   \
	" before {bytes} NOT NULL," /* the one before it, which signs too */                                                                                                          \
	" before_ends {integer} NOT NULL DEFAULT 0,"                                                                                                                                  \
	" created {integer} NOT NULL,"                                                                                                                                                \
	" enabled {integer} NOT NULL DEFAULT 1,"                                                                                                                                      \
	" reason TEXT NOT NULL DEFAULT '',"       /* why the service disabled it */                                                                                                   \
	" taken {integer} NOT NULL DEFAULT 0,"    /* deliveries, */                                                                                                                   \
	" dropped {integer} NOT NULL DEFAULT 0);" /* and events that found no room */                                                                                                 \
	"CREATE INDEX webhooks_workspace ON webhooks (workspace, number);"                                                                                                            \
	"CREATE TABLE webhook_deliveries ("                                                                                                                                           \
	" number {counted},"                                                                                                                                                          \
	" webhook {integer} NOT NULL REFERENCES webhooks (number) ON DELETE CASCADE,"                                                                                                 \
	" id TEXT NOT NULL UNIQUE," /* the header webhook-id, the same of each try */                                                                                                 \
	" event {integer} NOT NULL,"                                                                                                                                                  \
	" body TEXT NOT NULL,"                                                                                                                                                        \
	" created {integer} NOT NULL,"                                                                                                                                                \
	" state {integer} NOT NULL DEFAULT 0,"                                                                                                                                        \
	" tries {integer} NOT NULL DEFAULT 0,"                                                                                                                                        \
	" due {integer} NOT NULL,"                                                                                                                                                    \
	" tried {integer} NOT NULL DEFAULT 0,"                                                                                                                                        \
	" status {integer} NOT NULL DEFAULT 0," /* HTTP's, of the last try; 0: there was none */                                                                                      \
	" problem TEXT NOT NULL DEFAULT '',"                                                                                                                                          \
	" taken_before {integer} NOT NULL DEFAULT 0);" /* webhooks.taken at its first try */                                                                                          \
	"CREATE INDEX webhook_deliveries_webhook ON webhook_deliveries (webhook, state, number);"                                                                                     \
	"CREATE INDEX webhook_deliveries_due ON webhook_deliveries (state, due);" /* Which state of a computation was told last, plus one; of older rows that is what they are in. */ \
	"ALTER TABLE computations ADD COLUMN told {integer} NOT NULL DEFAULT 0;"                                                                                                      \
	"UPDATE computations SET told = state + 1;"                                                                                                                                   \
	"CREATE TABLE usage_told ("                                                                                                                                                   \
	" workspace {integer} NOT NULL REFERENCES workspaces (number) ON DELETE CASCADE,"                                                                                             \
	" month TEXT NOT NULL,"                                                                                                                                                       \
	" level {integer} NOT NULL,"                                                                                                                                                  \
	" PRIMARY KEY (workspace, month, level)) {by key};"

/* What waits, for a look that steps from webhook to webhook (hook_send.c). */
#define HOOKS_WAITING_FORM                                                             \
	"DROP INDEX webhook_deliveries_due;"                                           \
	"CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook, due)" \
	" WHERE state = 0;"
