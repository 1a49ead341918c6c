/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.h — whether somebody may do something: the one function that decides, by tables.
 */
#pragma once

#include "computations/people/membership.h"

#include <stdbool.h>

/* A computation, as far as it matters here. */
enum decide_state {
	DECIDE_CREATED, /* no CVM was given it */
	DECIDE_RUNNING, /* or waits for assets */
	DECIDE_COMPLETED,
	DECIDE_FAILED,
	DECIDE_CANCELLED,
	DECIDE_STATES
};

enum deed {
	DEED_ENTER,   /* to be nobody is enough */
	DEED_BE,      /* to be known by name is enough */
	DEED_OPERATE, /* what is the service's: users, CVMs, which workspaces there are */
	DEED_AUDIT,   /* to read its logs, which name everybody and everything */
	/* From here on: in one workspace. */
	DEED_LOOK,   /* that it is there, and who is in it */
	DEED_CREATE, /* a computation of one's own */
	DEED_LEAVE,
	DEED_GOVERN, /* its name, its members */
	DEED_ASSETS, /* which assets it has */
	DEED_ASSET_ADD,
	DEED_ASSET_CHANGE,    /* one's own, or any of it by who administers it */
	DEED_MACHINE,         /* CVMs that are made for it */
	DEED_CONSOLE,         /* what their consoles say */
	DEED_WEBHOOKS,        /* who is told of what happens there */
	DEED_WORKFLOWS,       /* which it has, and who runs their nodes */
	DEED_WORKFLOW,        /* one of one's own, or an executor of them */
	DEED_WORKFLOW_CHANGE, /* one's own, or any of it by who administers it */
	/* From here on: with one computation. */
	DEED_SEE,
	DEED_RUN,
	DEED_RUN_UNVERIFIED, /* on a CVM that has proven nothing */
	DEED_RUN_AGAIN,
	DEED_STOP,
	DEED_REMOVE,
	DEED_RENAME,
	DEED_UPDATE,  /* its manifest */
	DEED_MEMBERS, /* who has which role */
	DEED_PARTIES, /* who has a role that the manifest names keys of */
	DEED_KEY,     /* which key of one's own the manifest names */
	DEEDS
};

struct decide_caller {
	bool operates;  /* administers the service */
	bool audits;    /* reads its logs */
	unsigned scope; /* actions that his token is for */
	/* In the workspace that it is about, or whose the computation is. */
	enum membership membership;
	bool suspended;   /* there */
	unsigned granted; /* actions, by his roles in the computation */
	bool owns;        /* the asset, workflow or executor that it is about */
};

/* What a deed is done to. */
enum decide_object {
	DECIDE_OF_SERVICE,
	DECIDE_OF_WORKSPACE,
	DECIDE_OF_COMPUTATION,
};
enum decide_object decide_object(enum deed deed);

enum decide_answer {
	DECIDE_YES,
	DECIDE_HIDDEN,  /* for this caller it is not there */
	DECIDE_REFUSED, /* no role of his allows it, or his token is not for it */
	DECIDE_LATER,   /* he may, but not in this state */
};

/* `state` does not count for deeds that are about no computation. */
enum decide_answer decide(const struct decide_caller *caller, enum deed deed,
			  enum decide_state state);

/* The actions that the caller has in that computation. */
unsigned decide_actions(const struct decide_caller *caller);

/* "run it": for people, behind "may". */
const char *decide_words(enum deed deed);

enum { DECIDE_WHO_MAX = 192 };
/* "For whom a role in the computation allows “run”.": the rule, for people. */
void decide_who(enum deed deed, char text[DECIDE_WHO_MAX]);
