/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_words.h"

#include "common/base/log.h"
#include "computations/people/user_key.h"
#include "computations/store/store_machine.h"

#include <string.h>

static const struct {
	const char *word, *class, *icon, *waits;
} states[COMPUTATION_STATES] = {
	[COMPUTATION_CREATED] = { "created", "plain", "created", WEB_WAITS_CVM },
	[COMPUTATION_WAITING_ALGORITHM] = { "waiting-for-algorithm", "warn", "wait",
					    WEB_WAITS_ALGORITHM },
	[COMPUTATION_WAITING_DATASETS] = { "waiting-for-datasets", "warn", "wait",
					   WEB_WAITS_DATASETS },
	[COMPUTATION_RUNNING] = { "running", "run", "run", WEB_WAITS_RUN },
	[COMPUTATION_COMPLETED] = { "completed", "done", "done", WEB_WAITS_RESULTS },
	[COMPUTATION_FAILED] = { "failed", "bad", "fail", WEB_FAILED },
	[COMPUTATION_CANCELLED] = { "cancelled", "off", "stop", WEB_CANCELLED },
};

static const struct {
	const char *down, *up;
} orders[LIST_ORDERS] = {
	[LIST_BY_CREATED] = { "Newest first", "Oldest first" },
	[LIST_BY_CHANGED] = { "Changed last", "Changed first" },
	[LIST_BY_NAME] = { "Name, from Z", "Name, from A" },
	[LIST_BY_STATE] = { "State, ended first", "State, created first" },
	[LIST_BY_TYPE] = { "Type, datasets first", "Type, algorithms first" },
	[LIST_BY_ROLE] = { "Role, viewers first", "Role, administrators first" },
};

/* Of lists whose rows stand for something else. */
static const struct {
	const struct list_kind *list;
	enum list_order by;
	const char *down, *up;
} others[] = {
	{ &store_machine_orders, LIST_BY_STATE, "State, gone first", "State, provisioning first" },
	{ &store_cvm_orders, LIST_BY_CHANGED, "Seen last", "Seen first" },
	{ &user_key_orders, LIST_BY_NAME, "For, from Z", "For, all computations first" },
	{ &user_key_orders, LIST_BY_STATE, "Retired first", "In use first" },
};

const char *web_order_words(const struct list_kind *list, struct list_sort sort)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (others[i].list == list && others[i].by == sort.by)
			return sort.is_up ? others[i].up : others[i].down;
	return sort.is_up ? orders[sort.by].up : orders[sort.by].down;
}

const char *web_state_word(enum computation_state state)
{
	return states[state].word;
}

const char *web_state_class(enum computation_state state)
{
	return states[state].class;
}

const char *web_state_icon(enum computation_state state)
{
	return states[state].icon;
}

const char *web_state_waits(enum computation_state state)
{
	return states[state].waits;
}

int web_state_of(const char *word, int *state, struct err *e)
{
	int found = -1;

	if (word && *word) {
		for (int i = 0; i < COMPUTATION_STATES; i++)
			if (strcmp(states[i].word, word) == 0)
				found = i;
		if (found < 0)
			return err_set(e, ERR_INVALID, "state: there is no %s",
				       log_quote(word).text);
	}
	*state = found;
	return 0;
}
