/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/secret_row.h"

#include "common/base/log.h"
#include "computations/store/state.h"

#include <stdlib.h>
#include <string.h>

#define KIND_AGENT "agent"

static int put(struct db *db, const struct secret_key *secrets, const char *id, const char *text,
	       struct err *e)
{
	CLEANUP(free) uint8_t *sealed = NULL;
	const struct secret_name name = { KIND_AGENT, id };
	size_t len;

	if (!secrets)
		return err_set(e, ERR_PRECONDITION,
			       "an agent's private key can't be kept: no key for secrets is open");
	if (secret_seal(secrets, &name, text, strlen(text), &sealed, &len, e) < 0)
		return err_wrap(e, "agent_config.key_file");
	return db_run(db, e, "INSERT INTO secrets (kind, owner, key, sealed) VALUES (?, ?, ?, ?)",
		      "tttb", KIND_AGENT, id, secrets->id, sealed, len);
}

int secret_row_forget(struct db *db, const char *id, struct err *e)
{
	return db_run(db, e, "DELETE FROM secrets WHERE kind = ? AND owner = ?", "tt", KIND_AGENT,
		      id);
}

int secret_row_settle(struct db *db, const char *id, struct err *e)
{
	return db_run(db, e,
		      "UPDATE secrets SET key = '', sealed = NULL WHERE kind = ? AND owner = ?"
		      " AND key <> '' AND EXISTS (SELECT 1 FROM computations"
		      " WHERE id = ? AND finished = 1 AND state = ?)",
		      "ttti", KIND_AGENT, id, id, (int64_t)COMPUTATION_COMPLETED);
}

int secret_row_get(struct db *db, const struct secret_key *secrets, const char *id, uint8_t **bytes,
		   size_t *len, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	const struct secret_name name = { KIND_AGENT, id };
	CLEANUP(free) char *key = NULL;
	const void *sealed;
	size_t size;
	int row;

	if (db_query(db, &rows, e, "SELECT key, sealed FROM secrets WHERE kind = ? AND owner = ?",
		     "tt", KIND_AGENT, id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_text(rows, 0, &key, e) < 0)
		return err_code(e);
	if (!*key)
		return err_set(e, ERR_PRECONDITION,
			       "its agent's private key is gone: create the computation anew");
	if (!secrets || strcmp(key, secrets->id) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "its agent's private key is sealed under key %s, which is not open",
			       log_quote(key).text);
	if (db_blob(rows, 1, SECRET_MAX + SECRET_OVERHEAD, &sealed, &size, e) < 0 ||
	    secret_open(secrets, &name, sealed, size, bytes, len, e) < 0)
		return err_wrap(e, "its agent's private key");
	if (strlen((const char *)*bytes) == *len)
		return 1;
	secret_free(*bytes, *len);
	return err_set(e, ERR_DATA_LOSS, "its agent's private key: it is no text");
}

int secret_row_take(struct db *db, const struct secret_key *secrets,
		    const Cvms__ComputationRunReq *manifest, struct secret_row_kept *kept,
		    struct err *e)
{
	kept->manifest = *manifest;
	if (!manifest->agent_config || !*manifest->agent_config->key_file)
		return 0;
	kept->config = *manifest->agent_config;
	kept->config.key_file = (char *)(uintptr_t)protobuf_c_empty_string;
	kept->manifest.agent_config = &kept->config;
	return put(db, secrets, manifest->id, manifest->agent_config->key_file, e);
}
