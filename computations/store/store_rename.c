/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_rename.h"

#include "common/base/log.h"

#include <string.h>

int store_check_name(struct store *store, const char *id, const char *name, struct err *e)
{
	int64_t others;

	if (db_number(&store->db, &others, e,
		      "SELECT count(*) FROM computations c JOIN workspace_computations h"
		      " ON h.computation = c.id WHERE c.name = ?2 AND c.id <> ?1 AND h.workspace ="
		      " (SELECT workspace FROM workspace_computations WHERE computation = ?1)",
		      "tt", id, name) < 0)
		return err_code(e);
	if (others)
		return err_set(e, ERR_EXISTS,
			       "name: another computation of its workspace is called %s: choose "
			       "another one",
			       log_quote(name).text);
	return 0;
}

int store_rename(struct store *store, const char *id, const struct store_naming *to, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	if (store_computation(store, id, &c, e) < 0 ||
	    (strcmp(c.name, to->name) != 0 && store_check_name(store, id, to->name, e) < 0))
		return err_code(e);
	return db_run(&store->db, e,
		      "UPDATE computations SET name = ?, description = ?, changed = ? WHERE id = ?",
		      "ttit", to->name, to->description ? to->description : c.description,
		      store_now(), id);
}
