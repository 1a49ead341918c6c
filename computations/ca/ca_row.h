/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_row.h — rows of certificates, and what all that issues one looks at. For this folder only.
 */
#pragma once

#include "computations/ca/ca_record.h"

#define CA_ROW_COLUMNS                                                                    \
	"SELECT number, created, until, issued, revoked, days, role, serial, name, maker" \
	", key, line, renewal FROM certificates "

int ca_row_read(struct db_rows *row, struct ca_record *r, struct err *e) MUST_CHECK;

/* 1: there is a row; 0: none. */
int ca_row_find(struct db *db, const char *serial, struct ca_record *r, struct err *e) MUST_CHECK;

/* 1: may have a certificate, or let others have some; 0: not, or no more. `since`: a user who was added later is another
 * one, who has the name of who was removed. */
int ca_row_is_active(struct db *db, const char *name, bool as_administrator, int64_t since,
		     struct err *e) MUST_CHECK;

/* 1: it is worth something while whoever made its token may make one, and its person is who he was; 0: not. */
int ca_row_is_worth(struct db *db, const struct ca_record *r, struct err *e) MUST_CHECK;

/* Whether there is room for one more; forgets those that are over for long. */
int ca_row_room(struct db *db, int64_t now, struct err *e) MUST_CHECK;

/* A key as rows have it, and as listeners know it. */
int ca_row_key(const uint8_t *spki, size_t len, char text[AUTHORITY_FINGERPRINT_LEN + 1],
	       char tls_key[2 * SHA256_LEN + 1], struct err *e) MUST_CHECK;

/* What the row is of, signed for that key: fills in when, and its fingerprints. */
int ca_row_sign(const struct authority *a, struct ca_record *r, EVP_PKEY *key, int64_t now,
		char tls_key[2 * SHA256_LEN + 1], char **pem, struct err *e) MUST_CHECK;
