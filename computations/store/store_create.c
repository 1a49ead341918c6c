/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_create.h"

#include "common/base/log.h"
#include "common/manifest/agent_config.h"
#include "computations/people/asset.h"
#include "computations/people/workspace.h"
#include "computations/store/secret_row.h"
#include "computations/store/store_name.h"
#include "computations/store/store_tell.h"
#include "computations/store/usage_kept.h"

static int insert(struct store *store, const Cvms__ComputationRunReq *manifest, const char *name,
		  const struct manifest_digests *digests, struct err *e)
{
	struct secret_row_kept kept;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (manifest->agent_config && agent_config_check_public(manifest->agent_config, e) < 0)
		return err_wrap(e, "agent_config");
	if (secret_row_take(&store->db, store->secrets, manifest, &kept, e) < 0 ||
	    manifest_encode(&kept.manifest, &bytes, &len, e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "INSERT INTO computations (id, name, description, manifest, digest,"
		      " datasets, consumers, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		      "tttbbiii", manifest->id, name, manifest->description, bytes, len,
		      digests->sha3_256, sizeof(digests->sha3_256), (int64_t)manifest->n_datasets,
		      (int64_t)manifest->n_result_consumers, store_now());
}

int store_create_called(struct store *store, int64_t workspace,
			const Cvms__ComputationRunReq *manifest, const char *name, struct err *e)
{
	struct manifest_digests digests;
	int64_t known;

	if (manifest_digest(manifest, &digests, e) < 0 ||
	    db_number(&store->db, &known, e, "SELECT count(*) FROM computations WHERE id = ?", "t",
		      manifest->id) < 0)
		return err_code(e);
	if (known)
		return err_set(e, ERR_EXISTS, "computation %s exists already",
			       log_quote(manifest->id).text);
	if (db_number(&store->db, &known, e, "SELECT count(*) FROM cvms WHERE computation = ?", "t",
		      manifest->id) < 0)
		return err_code(e);
	if (known)
		return err_set(
			e, ERR_EXISTS,
			"computation %s was removed, and a CVM still holds it: use another id",
			log_quote(manifest->id).text);
	if (db_number(&store->db, &known, e, "SELECT count(*) FROM computations", "") < 0)
		return err_code(e);
	if ((uint64_t)known >= store->limits.computations)
		return err_set(e, ERR_EXHAUSTED,
			       "%lld computations are kept: remove some, or raise "
			       "COMPUTATIONS_MAX_COMPUTATIONS",
			       (long long)known);
	if (store_check_new_name(&store->db, workspace, name, e) < 0 ||
	    insert(store, manifest, name, &digests, e) < 0 ||
	    workspace_take(&store->db, workspace, manifest->id, e) < 0)
		return err_code(e);
	if (asset_link_all(&store->db, workspace, manifest, e) < 0 ||
	    usage_kept_begin(&store->db, manifest->id, store_now(), e) < 0)
		return err_code(e);
	return store_tell(&store->db, &store->has_told, manifest->id, e);
}

int store_create(struct store *store, int64_t workspace, const Cvms__ComputationRunReq *manifest,
		 struct err *e)
{
	return store_create_called(store, workspace, manifest, manifest->name, e);
}

int store_create_stand_in(struct db *db, int64_t workspace, const char *id, const char *name,
			  int64_t creator, struct err *e)
{
	/* Somebody else may have taken the id meanwhile. */
	if (db_run(db, e,
		   "INSERT INTO computations (id, name, description, manifest, digest, datasets,"
		   " consumers, created) VALUES (?1, ?2, '', ?3, ?3, 0, 0, 0)"
		   " ON CONFLICT DO NOTHING",
		   "ttb", id, name, "", (size_t)0) < 0)
		return err_code(e);
	return db_run(db, e,
		      "INSERT INTO workspace_computations (computation, workspace, creator)"
		      " VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
		      "tii", id, workspace, creator);
}
