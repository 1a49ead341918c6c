/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/decide.h"

#include "computations/people/action.h"

#include <stdio.h>

#define IN(state)      (1U << (state))
#define IN_EVERY_STATE (IN(DECIDE_STATES) - 1)

static const struct rule {
	enum decide_object object; /* who may not see that hears that it is not there */
	unsigned action;           /* that a role and the token have to have; 0: none */
	const char *words;
	unsigned states;       /* of a computation, in which it may be done */
	enum membership least; /* in a workspace */
	bool owner;            /* by whose it is, or who administers the workspace */
	bool operates;         /* by those alone who administer the service */
	bool audits;           /* or by its auditors, for whom seeing is enough */
} rules[DEEDS] = {
#define IN_WORKSPACE(action, least_, words_) \
	{ DECIDE_OF_WORKSPACE, ACTION_BIT(action), (words_), .least = (least_) }
#define WITH_COMPUTATION(action, states_, words_) \
	{ DECIDE_OF_COMPUTATION, ACTION_BIT(action), (words_), .states = (states_) }
	[DEED_ENTER] = { .words = "ask to be let in" },
	[DEED_BE] = { .words = "ask this" },
	[DEED_OPERATE] = { .action = ACTION_BIT(ACTION_ADMINISTRATOR),
			   .words = "administer this service",
			   .operates = true },
	[DEED_AUDIT] = { .action = ACTION_BIT(ACTION_ADMINISTRATOR),
			 .words = "audit this service",
			 .operates = true,
			 .audits = true },
	[DEED_LOOK] = IN_WORKSPACE(ACTION_VIEW, MEMBERSHIP_VIEWER, "look at it"),
	[DEED_CREATE] = IN_WORKSPACE(ACTION_EDIT, MEMBERSHIP_MEMBER, "create computations"),
	[DEED_LEAVE] = IN_WORKSPACE(ACTION_EDIT, MEMBERSHIP_VIEWER, "leave it"),
	[DEED_GOVERN] = IN_WORKSPACE(ACTION_ADMINISTRATOR, MEMBERSHIP_ADMINISTRATOR,
				     "administer this workspace"),
	[DEED_ASSETS] = IN_WORKSPACE(ACTION_VIEW, MEMBERSHIP_VIEWER, "see its assets"),
	[DEED_ASSET_ADD] = IN_WORKSPACE(ACTION_EDIT, MEMBERSHIP_MEMBER, "register assets"),
	[DEED_ASSET_CHANGE] = { DECIDE_OF_WORKSPACE, ACTION_BIT(ACTION_EDIT),
				"change or remove this asset", .least = MEMBERSHIP_MEMBER,
				.owner = true },
	[DEED_MACHINE] = IN_WORKSPACE(ACTION_ADMINISTRATOR, MEMBERSHIP_ADMINISTRATOR,
				      "have CVMs made for it, or removed"),
	[DEED_CONSOLE] = IN_WORKSPACE(ACTION_ADMINISTRATOR, MEMBERSHIP_ADMINISTRATOR,
				      "read the consoles of its CVMs"),
	[DEED_WEBHOOKS] = IN_WORKSPACE(ACTION_ADMINISTRATOR, MEMBERSHIP_ADMINISTRATOR,
				       "see or change its webhooks"),
	[DEED_WORKFLOWS] = IN_WORKSPACE(ACTION_VIEW, MEMBERSHIP_VIEWER, "see its workflows"),
	[DEED_WORKFLOW] =
		IN_WORKSPACE(ACTION_RUN, MEMBERSHIP_MEMBER, "submit workflows or run their nodes"),
	[DEED_WORKFLOW_CHANGE] = { DECIDE_OF_WORKSPACE, ACTION_BIT(ACTION_RUN),
				   "cancel this workflow or remove this executor",
				   .least = MEMBERSHIP_MEMBER, .owner = true },
	[DEED_SEE] = WITH_COMPUTATION(ACTION_VIEW, IN_EVERY_STATE, "see it"),
	[DEED_RUN] = WITH_COMPUTATION(ACTION_RUN, IN(DECIDE_CREATED), "run it"),
	[DEED_RUN_UNVERIFIED] = { DECIDE_OF_COMPUTATION, ACTION_BIT(ACTION_RUN),
				  "run it on a CVM that has proven nothing",
				  IN(DECIDE_CREATED) | IN(DECIDE_FAILED) | IN(DECIDE_CANCELLED),
				  .operates = true },
	[DEED_RUN_AGAIN] = WITH_COMPUTATION(ACTION_RUN, IN(DECIDE_FAILED) | IN(DECIDE_CANCELLED),
					    "run it again"),
	[DEED_STOP] = WITH_COMPUTATION(ACTION_RUN, IN_EVERY_STATE, "stop it"),
	[DEED_REMOVE] = WITH_COMPUTATION(ACTION_ADMINISTRATOR, IN_EVERY_STATE, "remove it"),
	[DEED_RENAME] = WITH_COMPUTATION(ACTION_EDIT, IN_EVERY_STATE, "rename it"),
	[DEED_UPDATE] = WITH_COMPUTATION(ACTION_EDIT, IN(DECIDE_CREATED), "change its manifest"),
	[DEED_MEMBERS] =
		WITH_COMPUTATION(ACTION_ADMINISTRATOR, IN_EVERY_STATE, "say who has which role"),
	/* The manifest is frozen by the first run, and its parties with it. */
	[DEED_PARTIES] = WITH_COMPUTATION(ACTION_ADMINISTRATOR, IN(DECIDE_CREATED),
					  "change who provides or gets what"),
	/* It changes what it sees: not for a workspace's viewers. */
	[DEED_KEY] = { DECIDE_OF_COMPUTATION, ACTION_BIT(ACTION_VIEW), "put another key into it",
		       .states = IN(DECIDE_CREATED), .least = MEMBERSHIP_MEMBER },
};

/* A suspended member is as one who is none. */
static const struct membership_rule *rule_of(const struct decide_caller *caller)
{
	return &membership_rules[caller->suspended ? MEMBERSHIP_NONE : caller->membership];
}

unsigned decide_actions(const struct decide_caller *caller)
{
	const struct membership_rule *in = rule_of(caller);

	return ((caller->granted & in->most) | in->has |
		(caller->operates ? (unsigned)ACTIONS_OF_OPERATOR : 0)) &
	       caller->scope;
}

static bool is_refused(const struct rule *rule, const struct decide_caller *caller,
		       unsigned actions)
{
	if (rule->audits && caller->audits && (actions & ACTION_BIT(ACTION_VIEW)))
		return false;
	if (rule->owner && !caller->owns && caller->membership < MEMBERSHIP_ADMINISTRATOR &&
	    !caller->operates)
		return true;
	return ((rule->operates || caller->membership < rule->least) && !caller->operates) ||
	       (rule->action & ~actions);
}

enum decide_object decide_object(enum deed deed)
{
	return rules[deed].object;
}

static bool is_hidden(const struct decide_caller *caller, enum decide_object object)
{
	const bool is_member = rule_of(caller) != &membership_rules[MEMBERSHIP_NONE];

	switch (object) {
	case DECIDE_OF_COMPUTATION:
		return !(decide_actions(caller) & ACTION_BIT(ACTION_VIEW));
	case DECIDE_OF_WORKSPACE:
		return !(caller->scope & ACTION_BIT(ACTION_VIEW)) ||
		       !(is_member || caller->operates);
	case DECIDE_OF_SERVICE:
	default:
		return false;
	}
}

enum decide_answer decide(const struct decide_caller *caller, enum deed deed,
			  enum decide_state state)
{
	const struct rule *rule = &rules[deed];
	bool of_computation = rule->object == DECIDE_OF_COMPUTATION;
	unsigned actions = of_computation ? decide_actions(caller) : caller->scope;

	if (is_hidden(caller, rule->object))
		return DECIDE_HIDDEN;
	if (is_refused(rule, caller, actions))
		return DECIDE_REFUSED;
	if (of_computation && !(rule->states & IN(state)))
		return DECIDE_LATER;
	return DECIDE_YES;
}

const char *decide_words(enum deed deed)
{
	return rules[deed].words;
}

/* The only action of a set; NULL: it is empty. */
static const char *word_of(unsigned actions)
{
	for (int i = 0; i < ACTIONS; i++)
		if (actions == ACTION_BIT(i))
			return action_name((enum people_action)i);
	return NULL;
}

void decide_who(enum deed deed, char text[DECIDE_WHO_MAX])
{
	const struct rule *rule = &rules[deed];
	const char *action = word_of(rule->action);

	if (!action)
		snprintf(text, DECIDE_WHO_MAX, "For every user.");
	else if (rule->operates)
		snprintf(text, DECIDE_WHO_MAX, "For who administers the service (“%s”)%s.", action,
			 rule->audits ? ", or audits it (“view”)" : "");
	else if (rule->object == DECIDE_OF_COMPUTATION)
		snprintf(text, DECIDE_WHO_MAX,
			 "For whom a role in the computation, or its workspace, allows “%s”.",
			 action);
	else
		snprintf(text, DECIDE_WHO_MAX, "For who is at least %s in the workspace (“%s”)%s.",
			 membership_rules[rule->least].name, action,
			 rule->owner ? ", and whose it is or who administers that" : "");
}
