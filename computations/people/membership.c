/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/membership.h"

#include "common/base/log.h"
#include "computations/people/action.h"

#include <string.h>

const struct membership_rule membership_rules[MEMBERSHIPS] = {
	[MEMBERSHIP_NONE] = { "", 0, 0 },
	[MEMBERSHIP_VIEWER] = { "viewer", ACTION_BIT(ACTION_VIEW), 0 },
	[MEMBERSHIP_MEMBER] = { "member", ACTIONS_ALL, 0 },
	/* No party by that, as whoever administers the service is none. */
	[MEMBERSHIP_ADMINISTRATOR] = { MEMBERSHIP_OF_ADMINISTRATOR, ACTIONS_ALL,
				       ACTIONS_OF_OPERATOR },
};

int membership_find(const char *name, enum membership *membership, struct err *e)
{
	for (int i = MEMBERSHIP_NONE + 1; i < MEMBERSHIPS; i++)
		if (strcmp(membership_rules[i].name, name) == 0) {
			*membership = (enum membership)i;
			return 0;
		}
	return err_set(e, ERR_INVALID,
		       "%s is no role in a workspace: there are administrator, member and viewer",
		       log_quote(name).text);
}
