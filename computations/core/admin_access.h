/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_access.h — who calls on an administrators' listener, and whether he may: for every call, before it
 * does anything, in the transaction that does it.
 *
 * With a token (authorization: Bearer) a caller is its user. Without one he administers the service, as the
 * listener has let him in, but for COMPUTATIONS_ADMIN_SIGN_IN, which lets nobody but the socket's users do so.
 */
#pragma once

#include "common/rpc/call.h"
#include "computations/core/revision.h"
#include "computations/people/decide.h"
#include "computations/people/login.h"
#include "computations/people/token.h"
#include "computations/people/workspace.h"
#include "computations/store/store.h"

enum { ADMIN_HOST_MAX = 32 };

struct admin_caller {
	bool has_token, has_login; /* one of them, or neither */
	bool is_nobody;            /* shows nothing, for what nobody has to be known for */
	uint8_t hash[SHA256_LEN];
	char host[ADMIN_HOST_MAX + 1]; /* that the session was shown at (login.h) */
	enum deed deed;                /* of the method that is called */

	/* Found out by admin_access_know(). */
	bool is_known;
	struct token_owner who; /* person 0: without a token or session */
	int64_t login;          /* the session's number */
	struct decide_caller rights;
};

/* What comes along with a call of the page or its API (call_local.h), where others have metadata. */
struct admin_given {
	struct admin_caller caller; /* its deed does not count */
	const char *via;            /* "page", "api" */
	bool is_proven;             /* who it is needs no look into the database */
	bool is_confirmed;          /* has just shown the password, too */
	char revision[REVISION_LEN +
		      1]; /* that what is changed has to have (revision.h); "": any */
	/* In the transaction that changes something: whether what the caller has looked up before is so still. NULL:
	 * he looked nothing up. */
	int (*still)(struct store *store, struct admin_caller *caller, const void *seen,
		     struct err *e);
	const void *seen;
};

/* A method, and what calling it is; where that depends on more, the least of it. */
struct admin_deed {
	const char *path;
	enum deed deed;
};
extern const struct admin_deed admin_deeds[];
extern const size_t admin_deeds_count;
/* Of a method that is in no table: DEED_OPERATE. */
enum deed admin_access_deed(const char *path);

/* On the loop: reads what the call shows. ERR_UNAUTHENTICATED: no token, where there has to be one, or none that
 * could be. A method that is in no table is for administrators of the service. */
int admin_access_take(struct rpc_call *call, bool sign_in, struct admin_caller *caller,
		      struct err *e) MUST_CHECK;

/* The token behind the scheme, whose case does not count (RFC 9110, section 11.4); NULL: it is another scheme. */
const char *admin_access_bearer(const char *word);
/* The same of what stands behind "authorization:", which has to stand there once. */
int admin_access_token(const char *word, struct admin_caller *caller, struct err *e) MUST_CHECK;

struct known_hashes;
/* For whom what he asks is done in the database (store_queue.h). 0: who shows neither token nor session. */
uint64_t admin_access_account(struct known_hashes *known, const struct admin_caller *caller);

/* The rest in the pool. Whose token it is; once for each transaction. */
int admin_access_know(struct store *store, struct admin_caller *caller, struct err *e) MUST_CHECK;
/* Whether he may; `id`: the computation, or the workspace's name, for those deeds that are with one. ERR_NOT_FOUND, in
 * the words of one that is not there, if he may not see it; ERR_DENIED; ERR_PRECONDITION if not in this state. */
int admin_access_check(struct store *store, struct admin_caller *caller, enum deed deed,
		       const char *id, struct err *e) MUST_CHECK;
/* The same of the computation that was checked last, as it was then: what a page offers. */
bool admin_access_may(const struct admin_caller *caller, enum deed deed,
		      const struct computation *c);

struct machine;
/* Which of them hold a computation that the caller may not see: it is hidden from him. */
int admin_access_machines(struct store *store, const struct admin_caller *caller,
			  struct machine *rows, size_t count, struct err *e) MUST_CHECK;

/* Whether he may in the workspace that the CVM of that number is of, whatever that is called by now. */
int admin_access_machine(struct store *store, struct admin_caller *caller, enum deed deed,
			 int64_t number, struct err *e) MUST_CHECK;

/* The workspace of that name as well. DEED_CREATE, DEED_MACHINE, DEED_CONSOLE, DEED_WEBHOOKS and those about assets and workflows with "": where he means if he says nothing (workspace_choose()). */
int admin_access_workspace(struct store *store, struct admin_caller *caller, enum deed deed,
			   const char *name, struct workspace *w, struct err *e) MUST_CHECK;
/* Whether he may change an asset of that user's (0: nobody's) there. */
int admin_access_asset(struct store *store, struct admin_caller *caller, const struct workspace *w,
		       int64_t owner, struct err *e) MUST_CHECK;

/* Whether he may name that user in computations which he creates: somebody of a workspace where he may. ERR_NOT_FOUND, in
 * the words of no user, if they share none. */
int admin_access_name(struct store *store, struct admin_caller *caller, const char *user,
		      struct err *e) MUST_CHECK;
/* What he sees of all computations; `workspace` "": in all workspaces. */
int admin_access_view(struct store *store, struct admin_caller *caller, const char *workspace,
		      struct store_view *view, struct err *e) MUST_CHECK;
