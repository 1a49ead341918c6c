/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/secret_row.h"

#include "common/base/log.h"
#include "computations/seal/secret_keep.h"
#include "computations/store/state.h"

#include <string.h>

int secret_row_forget(struct db *db, const char *id, struct err *e)
{
	return secret_forget(db, &secret_agent, id, e);
}

int secret_row_settle(struct db *db, const char *id, struct err *e)
{
	return db_run(db, e,
		      "UPDATE secrets SET key = '', sealed = NULL WHERE kind = ? AND owner = ?"
		      " AND key <> '' AND EXISTS (SELECT 1 FROM computations"
		      " WHERE id = ? AND finished = 1 AND state = ?)",
		      "ttti", secret_agent.word, id, id, (int64_t)COMPUTATION_COMPLETED);
}

int secret_row_get(struct db *db, const struct secret_key *secrets, const char *id, uint8_t **bytes,
		   size_t *len, struct err *e)
{
	int found = secret_get(db, secrets, &secret_agent, id, bytes, len, e);

	if (found <= 0 || strlen((const char *)*bytes) == *len)
		return found;
	secret_free(*bytes, *len);
	return err_set(e, ERR_DATA_LOSS, "its agent's private key: it is no text");
}

int secret_row_check(struct db *db, const struct secret_key *secrets, const char *id, struct err *e)
{
	uint8_t *key = NULL;
	size_t len = 0;
	int found = secret_row_get(db, secrets, id, &key, &len, e);

	if (found < 0)
		return err_wrap(e, "computation %s can't be run", log_quote(id).text);
	secret_free(key, len);
	return 0;
}

int secret_row_take(struct db *db, const struct secret_key *secrets,
		    const Cvms__ComputationRunReq *manifest, struct secret_row_kept *kept,
		    struct err *e)
{
	const char *key;

	kept->manifest = *manifest;
	if (!manifest->agent_config || !*manifest->agent_config->key_file)
		return 0;
	key = manifest->agent_config->key_file;
	kept->config = *manifest->agent_config;
	kept->config.key_file = (char *)(uintptr_t)protobuf_c_empty_string;
	kept->manifest.agent_config = &kept->config;
	return secret_keep(db, secrets, &secret_agent, manifest->id, key, strlen(key), e);
}
