/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/workspace_name.h"

#include "computations/admin/admin_people.h"
#include "computations/machines/machines.h"
#include "computations/web/web.h"

#include <string.h>

/* Users whom a provider's rules make are in the workspace of that name, whoever has it. */
int workspace_name_mapped(const struct request *r, const char *name, struct err *e)
{
	if (r->caller.rights.operates || !web_maps(r->service->web, name))
		return 0;
	return err_set(e, ERR_DENIED,
		       "user %s may neither take nor give up the name of workspace %s, which new "
		       "users of a provider are mapped to: that is for who administers the service",
		       r->caller.who.name, name);
}

/* In one that is called so are new users, and what is created by those who name none: who took the name would be sent
 * other people, and their computations. */
int workspace_name_take(const struct request *r, struct err *e)
{
	if (!r->caller.rights.operates &&
	    manager_table_limits(machines_table(r->service->machines), r->people->name))
		return err_set(e, ERR_DENIED,
			       "user %s may not call a workspace %s: how many CVMs it may have is "
			       "said of that name",
			       r->caller.who.name, r->people->name);
	if (r->caller.rights.operates || strcmp(r->people->name, WORKSPACE_DEFAULT) != 0)
		return 0;
	return err_set(e, ERR_DENIED,
		       "user %s may not call a workspace '%s': that is for who administers the "
		       "service",
		       r->caller.who.name, WORKSPACE_DEFAULT);
}

/* Without one that is called so, new users would be the oldest one's. */
int workspace_name_default(const struct request *r, const char *what, struct err *e)
{
	if (r->caller.rights.operates || strcmp(r->id, WORKSPACE_DEFAULT) != 0)
		return 0;
	return err_set(e, ERR_DENIED,
		       "user %s may not %s workspace '%s': that is for who administers the service",
		       r->caller.who.name, what, WORKSPACE_DEFAULT);
}

/* A limit is a name's: who could leave the name would have what each workspace without a line of its own may. */
int workspace_name_leave(const struct request *r, struct err *e)
{
	if (workspace_name_default(r, "rename", e) < 0)
		return err_code(e);
	if (r->caller.rights.operates ||
	    !manager_table_limits(machines_table(r->service->machines), r->id))
		return 0;
	return err_set(e, ERR_DENIED,
		       "user %s may not rename workspace %s: how many CVMs it may have is said of "
		       "that name",
		       r->caller.who.name, r->id);
}
