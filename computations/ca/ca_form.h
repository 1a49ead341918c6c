/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_form.h — the tables of this room, for the form of the service's database (common/db/db_form.h).
 *
 * A certificate has its row, and its serial number, since its token was made. Names are kept as text: what was issued
 * outlives the user who let it be.
 */
#pragma once

#define CERTIFICATES_FORM                                                                     \
	"CREATE TABLE certificates ("                                                         \
	" number {counted},"                                                                  \
	" serial TEXT NOT NULL UNIQUE,"                                                       \
	" name TEXT NOT NULL,"                                                                \
	" role TEXT NOT NULL,"                                                                \
	" days {integer} NOT NULL,"                                                           \
	" maker TEXT NOT NULL," /* of the token; '': whoever may open the socket */           \
	" created {integer} NOT NULL,"                                                        \
	" hash {bytes} UNIQUE,"       /* of the token; NULL: it was used */                   \
	" until {integer} NOT NULL,"  /* the token; once issued, the certificate */           \
	" issued {integer} NOT NULL," /* 0: not yet */                                        \
	" key TEXT NOT NULL,"         /* its fingerprint */                                   \
	" authority TEXT NOT NULL,"   /* and that of the key that signed it */                \
	" revoked {integer} NOT NULL);"                                                       \
	"CREATE INDEX certificates_revoked ON certificates (authority, revoked, until);"      \
	"CREATE TABLE certificate_lists (" /* the last one of each authority */               \
	" authority TEXT NOT NULL PRIMARY KEY,"                                               \
	" number {integer} NOT NULL,"                                                         \
	" fresh {integer} NOT NULL," /* until then it is handed out; 0: somebody was added */ \
	" bytes {bytes} NOT NULL) {by key};"

/* A certificate and those that renew it are a line, whose name is the first one's serial number; `renewal` counts them, from
 * 0, and `tls_key` is the key's SHA-256, by which listeners know it (key has SHA3-256). */
#define LINES_FORM                                                                  \
	"ALTER TABLE certificates ADD COLUMN line TEXT NOT NULL DEFAULT '';"        \
	"ALTER TABLE certificates ADD COLUMN renewal {integer} NOT NULL DEFAULT 0;" \
	"ALTER TABLE certificates ADD COLUMN tls_key TEXT NOT NULL DEFAULT '';"     \
	"UPDATE certificates SET line = serial;"                                    \
	"CREATE UNIQUE INDEX certificates_line ON certificates (line, renewal);"    \
	"CREATE INDEX certificates_tls_key ON certificates (tls_key);"
