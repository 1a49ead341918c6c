/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_update.h"

#include "common/base/log.h"
#include "common/manifest/agent_config.h"
#include "computations/people/asset.h"
#include "computations/store/secret_row.h"
#include "computations/store/store_name.h"

#include <string.h>

/* What people see is the manifest's, unless they called it something else. */
static const char *kept_or_new(const char *shown, const char *before, const char *now)
{
	return strcmp(shown, before) == 0 ? now : shown;
}

static int name_it(struct store *store, const struct computation *c,
		   const Cvms__ComputationRunReq *manifest, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *before = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	const char *name, *description;
	size_t len;

	if (store_manifest(store, c->id, &bytes, &len, e) < 0 ||
	    manifest_decode(bytes, len, &before, e) < 0)
		return err_code(e);
	name = kept_or_new(c->name, before->name, manifest->name);
	description = kept_or_new(c->description, before->description, manifest->description);
	if (strcmp(name, c->name) != 0 && store_check_name(&store->db, c->id, name, e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "UPDATE computations SET name = ?, description = ?, changed = ? WHERE id = ?",
		      "ttit", name, description, store_now(), c->id);
}

static int put(struct store *store, const Cvms__ComputationRunReq *manifest, struct err *e)
{
	struct manifest_digests digests;
	struct secret_row_kept kept;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (manifest->agent_config && agent_config_check_public(manifest->agent_config, e) < 0)
		return err_wrap(e, "agent_config");
	if (secret_row_forget(&store->db, manifest->id, e) < 0 ||
	    secret_row_take(&store->db, store->secrets, manifest, &kept, e) < 0 ||
	    manifest_encode(&kept.manifest, &bytes, &len, e) < 0 ||
	    manifest_digest(manifest, &digests, e) < 0)
		return err_code(e);
	return db_run(
		&store->db, e,
		"UPDATE computations SET manifest = ?, digest = ?, datasets = ?, consumers = ?,"
		" manifest_revision = manifest_revision + 1 WHERE id = ?",
		"bbiit", bytes, len, digests.sha3_256, sizeof(digests.sha3_256),
		(int64_t)manifest->n_datasets, (int64_t)manifest->n_result_consumers, manifest->id);
}

static int link_assets(struct store *store, const Cvms__ComputationRunReq *manifest, struct err *e)
{
	int64_t workspace;

	if (db_number(&store->db, &workspace, e,
		      "SELECT workspace FROM workspace_computations WHERE computation = ?", "t",
		      manifest->id) < 0 ||
	    asset_forget(&store->db, manifest->id, e) < 0)
		return err_code(e);
	return asset_link_all(&store->db, workspace, manifest, e);
}

int store_update_check(const struct computation *c, struct err *e)
{
	/* One that failed and is to be run again was run. */
	if (c->sent)
		return err_set(e, ERR_PRECONDITION,
			       "computation %s was run: its manifest is frozen",
			       log_quote(c->id).text);
	if (*c->new_cvm && !c->finished)
		return err_set(
			e, ERR_PRECONDITION,
			"computation %s is going to be run, as it is, in CVM %s that is made "
			"for it: stop it first",
			log_quote(c->id).text, c->new_cvm);
	return 0;
}

int store_update(struct store *store, const Cvms__ComputationRunReq *manifest, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	if (store_computation(store, manifest->id, &c, e) < 0 || store_update_check(&c, e) < 0 ||
	    name_it(store, &c, manifest, e) < 0 || put(store, manifest, e) < 0)
		return err_code(e);
	return link_assets(store, manifest, e);
}
