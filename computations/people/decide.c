/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/decide.h"

#include "computations/people/action.h"

#define IN(state)      (1U << (state))
#define IN_EVERY_STATE (IN(DECIDE_STATES) - 1)

static const struct rule {
	unsigned action;     /* that a role and the token have to have; 0: none */
	unsigned states;     /* in which it may be done */
	bool operates;       /* by those alone who administer the service */
	bool audits;         /* or by its auditors, for whom seeing is enough */
	bool of_computation; /* who may not see it hears that it is not there */
	const char *words;
} rules[DEEDS] = {
	[DEED_ENTER] = { .words = "ask to be let in" },
	[DEED_BE] = { .words = "ask this" },
	[DEED_CREATE] = { ACTION_BIT(ACTION_EDIT), .words = "create computations" },
	[DEED_OPERATE] = { ACTION_BIT(ACTION_ADMINISTRATOR), .operates = true,
			   .words = "administer this service" },
	[DEED_AUDIT] = { ACTION_BIT(ACTION_ADMINISTRATOR), .operates = true, .audits = true,
			 .words = "audit this service" },
	[DEED_SEE] = { ACTION_BIT(ACTION_VIEW), IN_EVERY_STATE, false, false, true, "see it" },
	[DEED_RUN] = { ACTION_BIT(ACTION_RUN), IN(DECIDE_CREATED), false, false, true, "run it" },
	[DEED_RUN_UNVERIFIED] = { ACTION_BIT(ACTION_RUN), IN(DECIDE_CREATED) | IN(DECIDE_FAILED),
				  true, false, true, "run it on a CVM that has proven nothing" },
	[DEED_RUN_AGAIN] = { ACTION_BIT(ACTION_RUN), IN(DECIDE_FAILED), false, false, true,
			     "run it again" },
	[DEED_STOP] = { ACTION_BIT(ACTION_RUN), IN_EVERY_STATE, false, false, true, "stop it" },
	[DEED_REMOVE] = { ACTION_BIT(ACTION_ADMINISTRATOR), IN_EVERY_STATE, false, false, true,
			  "remove it" },
	[DEED_MEMBERS] = { ACTION_BIT(ACTION_ADMINISTRATOR), IN_EVERY_STATE, false, false, true,
			   "say who has which role" },
	/* The manifest is frozen by the first run, and its parties with it. */
	[DEED_PARTIES] = { ACTION_BIT(ACTION_ADMINISTRATOR), IN(DECIDE_CREATED), false, false, true,
			   "change who provides or gets what" },
	[DEED_KEY] = { ACTION_BIT(ACTION_VIEW), IN(DECIDE_CREATED), false, false, true,
		       "put another key into it" },
};

unsigned decide_actions(const struct decide_caller *caller)
{
	return (caller->granted | (caller->operates ? (unsigned)ACTIONS_OF_OPERATOR : 0)) &
	       caller->scope;
}

static bool is_refused(const struct rule *rule, const struct decide_caller *caller,
		       unsigned actions)
{
	if (rule->audits && caller->audits && (actions & ACTION_BIT(ACTION_VIEW)))
		return false;
	return (rule->operates && !caller->operates) || (rule->action & ~actions);
}

enum decide_answer decide(const struct decide_caller *caller, enum deed deed,
			  enum decide_state state)
{
	const struct rule *rule = &rules[deed];
	unsigned actions = rule->of_computation ? decide_actions(caller) : caller->scope;

	if (rule->of_computation && !(actions & ACTION_BIT(ACTION_VIEW)))
		return DECIDE_HIDDEN;
	if (is_refused(rule, caller, actions))
		return DECIDE_REFUSED;
	if (rule->of_computation && !(rule->states & IN(state)))
		return DECIDE_LATER;
	return DECIDE_YES;
}

const char *decide_words(enum deed deed)
{
	return rules[deed].words;
}
