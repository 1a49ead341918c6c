/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/credential.h"

#include "computations/people/login.h"

#include <stdio.h>
#include <string.h>

#define OF_USERS " JOIN users u ON u.number = c.person WHERE u.suspended = 0 AND "

int credential_newest(struct db *db, int64_t now, size_t max, struct credential_hash *hashes,
		      size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	const void *bytes;
	size_t got = 0, len;
	int row = 0;

	if (db_query(
		    db, &rows, e,
		    "SELECT hash, name FROM (SELECT c.hash AS hash, u.name AS name, c.used AS at FROM tokens c" OF_USERS
		    "c.expires > ?1 UNION ALL SELECT c.hash, u.name, c.seen FROM logins c" OF_USERS
		    "c.ends > ?1 AND c.seen > ?2) AS shown ORDER BY at DESC LIMIT ?3",
		    "iii", now, now - LOGIN_IDLE_MS, (int64_t)max) < 0)
		return err_code(e);
	while (got < max && (row = db_next(rows, e)) > 0) {
		CLEANUP(free) char *name = NULL;

		if (db_blob(rows, 0, SHA256_LEN, &bytes, &len, e) < 0 ||
		    db_text(rows, 1, &name, e) < 0)
			return err_code(e);
		if (len != SHA256_LEN)
			return err_set(
				e, ERR_DATA_LOSS,
				"database: the hash of a token or session has another length");
		memcpy(hashes[got].bytes, bytes, SHA256_LEN);
		snprintf(hashes[got++].user, sizeof(hashes[0].user), "%s", name);
	}
	if (row < 0)
		return row;
	*count = got;
	return 0;
}
