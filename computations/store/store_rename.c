/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_rename.h"

#include "computations/store/store_name.h"

#include <string.h>

int store_rename(struct store *store, const char *id, const struct store_naming *to, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	if (store_computation(store, id, &c, e) < 0 ||
	    (strcmp(c.name, to->name) != 0 && store_check_name(&store->db, id, to->name, e) < 0))
		return err_code(e);
	return db_run(&store->db, e,
		      "UPDATE computations SET name = ?, description = ?, changed = ? WHERE id = ?",
		      "ttit", to->name, to->description ? to->description : c.description,
		      store_now(), id);
}
