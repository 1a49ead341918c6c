/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revision.h — what somebody saw who wants to change it: a computation, as people and its agent have brought it so far,
 * its roles, a member or an asset of a workspace, or a CVM. What agents say meanwhile (log lines, events) is no other revision.
 */
#pragma once

#include "common/base/err.h"

enum {
	REVISION_LEN = 16,       /* hexadecimal digits */
	REVISION_GOVERNORS = 50, /* whom a transfer takes a workspace from, by name */
};

struct asset_row;
struct computation;
struct cvm;
struct machine;
struct role_list;
struct store;
struct workspace_member;

int revision_of(const struct computation *c, char revision[REVISION_LEN + 1],
		struct err *e) MUST_CHECK;
int revision_of_roles(const struct role_list *list, char revision[REVISION_LEN + 1],
		      struct err *e) MUST_CHECK;
int revision_of_member(const struct workspace_member *m, char revision[REVISION_LEN + 1],
		       struct err *e) MUST_CHECK;
/* Of the form that hands a workspace to the first of these members, and names the `count` others who administer it. */
int revision_of_transfer(const struct workspace_member *members, size_t count,
			 char revision[REVISION_LEN + 1], struct err *e) MUST_CHECK;
int revision_of_asset(const struct asset_row *a, char revision[REVISION_LEN + 1],
		      struct err *e) MUST_CHECK;

int revision_of_machine(const struct machine *m, char revision[REVISION_LEN + 1],
			struct err *e) MUST_CHECK;
int revision_of_cvm(const struct cvm *c, char revision[REVISION_LEN + 1], struct err *e) MUST_CHECK;

/* ERR_ABORTED: the computation of that id, or its roles, have another one by now. */
int revision_check(struct store *store, const char *id, bool of_roles, const char *revision,
		   struct err *e) MUST_CHECK;
/* The same of the member of that workspace who is called so; ERR_NOT_FOUND. */
int revision_check_member(struct store *store, const char *workspace, const char *user,
			  const char *revision, struct err *e) MUST_CHECK;
/* That member's, as a program saw him; or that of the form, which says whom it is taken from. */
int revision_check_transfer(struct store *store, const char *workspace, const char *user,
			    const char *revision, struct err *e) MUST_CHECK;
/* The same of an asset there. */
int revision_check_asset(struct store *store, const char *workspace, const char *name,
			 const char *revision, struct err *e) MUST_CHECK;
/* The same of a CVM that a manager made, as it was just found, */
int revision_check_machine(const struct machine *m, const char *revision, struct err *e) MUST_CHECK;
/* and of whose a CVM's name is. */
int revision_check_cvm(struct store *store, const char *id, const char *revision,
		       struct err *e) MUST_CHECK;
