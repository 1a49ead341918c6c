/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail_form.h — the table of this room, for the form of the service's database (common/db/db_form.h).
 *
 * A message has the secret link: since form 42 it is a sealed row (computations/seal/secret_keep.h) while it waits, and no column.
 * Rows outlive their invitations and workspaces: they are what is counted, so that who removes these mails no more.
 */
#pragma once

#include "computations/seal/secret_form.h"

#define MAILS_FORM                                                                         \
	"CREATE TABLE mails ("                                                             \
	" number {counted},"                                                               \
	" workspace {integer} NOT NULL,"                                                   \
	" invitation {integer} NOT NULL,"                                                  \
	" address TEXT NOT NULL,"                                                          \
	" box TEXT NOT NULL,"  /* whose mailbox that is (mail_address.h) */                \
	" text TEXT NOT NULL," /* the message, with its secret link; '' once it is over */ \
	" created {integer} NOT NULL,"                                                     \
	" state {integer} NOT NULL DEFAULT 0,"                                             \
	" tries {integer} NOT NULL DEFAULT 0,"                                             \
	" due {integer} NOT NULL,"                                                         \
	" problem TEXT NOT NULL DEFAULT '');"                                              \
	"CREATE INDEX mails_workspace ON mails (workspace, created);"                      \
	"CREATE INDEX mails_box ON mails (box, created);"                                  \
	"CREATE INDEX mails_invitation ON mails (invitation);"                             \
	"CREATE INDEX mails_waiting ON mails (due) WHERE state = 0;"

#define MAILS_SEALED_FORM                                            \
	"DELETE FROM secrets_key;"                                   \
	"INSERT INTO secrets (kind, owner, key, sealed)"             \
	" SELECT 'mail', CAST(number AS TEXT), '" SECRETS_PLAIN "'," \
	" {bytes of}text{as bytes} FROM mails WHERE state = 0;"      \
	"ALTER TABLE mails DROP COLUMN text;"
