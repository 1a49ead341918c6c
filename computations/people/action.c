/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/action.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <string.h>

static const char *const names[ACTIONS] = {
	[ACTION_VIEW] = "view",
	[ACTION_EDIT] = "edit",
	[ACTION_RUN] = "run",
	[ACTION_ADMINISTRATOR] = "administrator",
	[ACTION_DATASET_PROVIDER] = "dataset_provider",
	[ACTION_ALGO_PROVIDER] = "algo_provider",
	[ACTION_RESULT_CONSUMER] = "result_consumer",
};

#define VIEW_AND(action) (ACTION_BIT(ACTION_VIEW) | ACTION_BIT(action))

const struct action_role action_roles[ACTION_ROLES] = {
	{ ACTION_OWNER, ACTIONS_ALL },
	{ "administrator", VIEW_AND(ACTION_ADMINISTRATOR) },
	{ "editor", VIEW_AND(ACTION_EDIT) },
	{ "runner", VIEW_AND(ACTION_RUN) },
	{ "viewer", ACTION_BIT(ACTION_VIEW) },
	{ "algo_provider", VIEW_AND(ACTION_ALGO_PROVIDER) },
	{ "dataset_provider", VIEW_AND(ACTION_DATASET_PROVIDER) },
	{ "result_consumer", VIEW_AND(ACTION_RESULT_CONSUMER) },
};

const char *action_name(enum people_action action)
{
	return names[action];
}

int action_find(const char *name, enum people_action *action, struct err *e)
{
	for (int i = 0; i < ACTIONS; i++)
		if (strcmp(names[i], name) == 0) {
			*action = (enum people_action)i;
			return 0;
		}
	return err_set(e, ERR_INVALID,
		       "%s is no action: there are view, edit, run, administrator, "
		       "dataset_provider, algo_provider and result_consumer",
		       log_quote(name).text);
}

int actions_check(unsigned actions, struct err *e)
{
	if (actions & ~(unsigned)ACTIONS_ALL)
		return err_set(e, ERR_INVALID, "actions: there are no such ones");
	if (actions & ACTION_BIT(ACTION_VIEW))
		return 0;
	return err_set(e, ERR_INVALID,
		       "actions without 'view': who may do something has to see it");
}

const struct action_role *action_role_find(const char *name)
{
	for (size_t i = 0; i < ACTION_ROLES; i++)
		if (strcmp(action_roles[i].name, name) == 0)
			return &action_roles[i];
	return NULL;
}
