/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/admin_access.h"

#include "billing_paths.h"
#include "certificates_paths.h"
#include "common/base/log.h"
#include "common/rpc/call_local.h"
#include "computations/core/known_hash.h"
#include "computations/people/role.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_machine.h"
#include "computations_paths.h"
#include "people_paths.h"
#include "webhooks_paths.h"
#include "workflows_paths.h"

#include <string.h>
#include <strings.h>

const struct admin_deed admin_deeds[] = {
	{ PROTO_COMPUTATIONS_CREATE, DEED_CREATE },
	{ PROTO_COMPUTATIONS_IMPORT, DEED_CREATE }, /* who names others in it: DEED_MEMBERS */
	{ PROTO_COMPUTATIONS_EXPORT, DEED_BE },     /* each of them: DEED_SEE */
	{ PROTO_COMPUTATIONS_LIST, DEED_BE }, /* those that he may see; of a workspace: DEED_LOOK */
	{ PROTO_COMPUTATIONS_SHOW, DEED_SEE },
	{ PROTO_COMPUTATIONS_MANIFEST, DEED_SEE },
	{ PROTO_COMPUTATIONS_RUN, DEED_SEE }, /* then one of three deeds */
	{ PROTO_COMPUTATIONS_STOP, DEED_STOP },
	{ PROTO_COMPUTATIONS_REMOVE, DEED_REMOVE },
	{ PROTO_COMPUTATIONS_RENAME, DEED_RENAME },
	{ PROTO_COMPUTATIONS_UPDATE, DEED_UPDATE },
	{ PROTO_COMPUTATIONS_LOGS, DEED_SEE }, /* of a CVM: DEED_OPERATE */
	{ PROTO_COMPUTATIONS_JOURNAL, DEED_SEE },
	{ PROTO_COMPUTATIONS_WITNESS, DEED_BE },           /* with a computation: DEED_SEE */
	{ PROTO_COMPUTATIONS_WITNESS_LEAVES, DEED_AUDIT }, /* they name all computations */
	{ PROTO_COMPUTATIONS_AUDIT, DEED_AUDIT },
	{ PROTO_COMPUTATIONS_TRIM_AUDIT, DEED_OPERATE },
	{ PROTO_COMPUTATIONS_LIST_CVMS, DEED_OPERATE },
	{ PROTO_COMPUTATIONS_SHOW_CVM, DEED_OPERATE },
	{ PROTO_COMPUTATIONS_RELEASE_CVM, DEED_OPERATE },
	{ PROTO_COMPUTATIONS_CREATE_CVM, DEED_MACHINE },
	{ PROTO_COMPUTATIONS_REMOVE_CVM, DEED_MACHINE },
	{ PROTO_COMPUTATIONS_CONSOLE, DEED_CONSOLE },
	{ PROTO_COMPUTATIONS_LIST_MACHINES, DEED_LOOK },
	{ PROTO_COMPUTATIONS_SHOW_MACHINE, DEED_LOOK },
	{ PROTO_COMPUTATIONS_USAGE, DEED_BE }, /* of where he is; of a workspace: DEED_LOOK */
	{ PROTO_PEOPLE_ADD_USER, DEED_OPERATE },
	{ PROTO_PEOPLE_LIST_USERS, DEED_OPERATE },
	{ PROTO_PEOPLE_SUSPEND_USER, DEED_OPERATE },
	{ PROTO_PEOPLE_SET_AUDITOR, DEED_OPERATE },
	{ PROTO_PEOPLE_REMOVE_USER, DEED_OPERATE },
	{ PROTO_PEOPLE_ADD_TOKEN, DEED_BE }, /* of somebody else: DEED_OPERATE */
	{ PROTO_PEOPLE_LIST_TOKENS, DEED_BE },
	{ PROTO_PEOPLE_REVOKE_TOKEN, DEED_BE },
	{ PROTO_PEOPLE_END_TOKEN, DEED_BE }, /* the one that is shown */
	{ PROTO_PEOPLE_ASK_LOGIN, DEED_ENTER },
	{ PROTO_PEOPLE_POLL_LOGIN, DEED_ENTER },
	{ PROTO_PEOPLE_TAKE_LOGIN, DEED_ENTER },
	{ PROTO_PEOPLE_SET_PASSWORD, DEED_OPERATE },
	{ PROTO_PEOPLE_ADD_LINK, DEED_OPERATE },
	{ PROTO_PEOPLE_REMOVE_FACTOR, DEED_OPERATE },
	{ PROTO_PEOPLE_REMOVE_PASSKEYS, DEED_OPERATE },
	{ PROTO_PEOPLE_LIST_IDENTITIES, DEED_BE }, /* of somebody else: DEED_OPERATE */
	{ PROTO_PEOPLE_REMOVE_IDENTITY, DEED_OPERATE },
	{ PROTO_PEOPLE_LIST_SESSIONS, DEED_BE }, /* of somebody else: DEED_OPERATE */
	{ PROTO_PEOPLE_END_SESSION, DEED_BE },
	{ PROTO_PEOPLE_CHALLENGE_KEY, DEED_BE }, /* for a computation: DEED_KEY */
	{ PROTO_PEOPLE_REGISTER_KEY, DEED_BE },
	{ PROTO_PEOPLE_LIST_KEYS, DEED_BE }, /* of somebody else: DEED_OPERATE */
	{ PROTO_PEOPLE_RETIRE_KEY, DEED_BE },
	{ PROTO_PEOPLE_FIND_KEY, DEED_BE }, /* of whom he may name in a computation */
	{ PROTO_PEOPLE_LIST_KEY_OWNERS, DEED_SEE },
	{ PROTO_PEOPLE_CONFIRM, DEED_SEE }, /* by whose key the manifest names */
	{ PROTO_PEOPLE_LIST_CONFIRMATIONS, DEED_SEE },
	{ PROTO_PEOPLE_LIST_ROLES, DEED_SEE },
	{ PROTO_PEOPLE_DEFINE_ROLE, DEED_MEMBERS }, /* and DEED_PARTIES, by what the role allows */
	{ PROTO_PEOPLE_GIVE_ROLE, DEED_MEMBERS },
	{ PROTO_PEOPLE_TAKE_ROLE, DEED_MEMBERS },
	{ PROTO_PEOPLE_WHOAMI, DEED_BE }, /* in a computation: DEED_SEE */
	{ PROTO_PEOPLE_REGISTER_ASSET, DEED_ASSET_ADD },
	{ PROTO_PEOPLE_LIST_ASSETS, DEED_ASSETS },
	{ PROTO_PEOPLE_SHOW_ASSET, DEED_ASSETS },
	{ PROTO_PEOPLE_UPDATE_ASSET, DEED_ASSETS }, /* then DEED_ASSET_CHANGE, by whose it is */
	{ PROTO_PEOPLE_REMOVE_ASSET, DEED_ASSETS },
	{ PROTO_PEOPLE_LINK_ASSET, DEED_ASSET_ADD }, /* and DEED_SEE the computation */
	{ PROTO_PEOPLE_ADD_WORKSPACE, DEED_OPERATE },
	{ PROTO_PEOPLE_LIST_WORKSPACES, DEED_BE }, /* those that he is in */
	{ PROTO_PEOPLE_SHOW_WORKSPACE, DEED_LOOK },
	{ PROTO_PEOPLE_RENAME_WORKSPACE, DEED_GOVERN },
	{ PROTO_PEOPLE_REMOVE_WORKSPACE, DEED_GOVERN },
	{ PROTO_PEOPLE_TRANSFER_WORKSPACE, DEED_GOVERN },
	{ PROTO_PEOPLE_LEAVE_WORKSPACE, DEED_LEAVE },
	{ PROTO_PEOPLE_LIST_MEMBERS, DEED_LOOK },
	{ PROTO_PEOPLE_ADD_MEMBER, DEED_OPERATE }, /* it tells which users there are */
	{ PROTO_PEOPLE_SET_MEMBER, DEED_GOVERN },
	{ PROTO_PEOPLE_SUSPEND_MEMBER, DEED_GOVERN },
	{ PROTO_PEOPLE_REMOVE_MEMBER, DEED_GOVERN },
	{ PROTO_PEOPLE_INVITE, DEED_GOVERN },
	{ PROTO_PEOPLE_LIST_INVITATIONS, DEED_GOVERN },
	{ PROTO_PEOPLE_REVOKE_INVITATION, DEED_GOVERN },
	{ PROTO_PEOPLE_TAKE_INVITATION, DEED_BE }, /* of who has its secret */
	{ PROTO_CERTIFICATES_ADD_TOKEN, DEED_OPERATE },
	{ PROTO_CERTIFICATES_ISSUE, DEED_ENTER }, /* of who has its token */
	{ PROTO_CERTIFICATES_RENEW, DEED_ENTER }, /* of who has the key of one */
	{ PROTO_CERTIFICATES_AUTHORITY, DEED_ENTER },
	{ PROTO_CERTIFICATES_LIST, DEED_OPERATE },
	{ PROTO_CERTIFICATES_REVOKE, DEED_OPERATE },
	{ PROTO_WEBHOOKS_CREATE, DEED_WEBHOOKS },
	{ PROTO_WEBHOOKS_LIST, DEED_WEBHOOKS },
	{ PROTO_WEBHOOKS_SHOW, DEED_WEBHOOKS },
	{ PROTO_WEBHOOKS_ENABLE, DEED_WEBHOOKS },
	{ PROTO_WEBHOOKS_DISABLE, DEED_WEBHOOKS },
	{ PROTO_WEBHOOKS_ROTATE, DEED_WEBHOOKS },
	{ PROTO_WEBHOOKS_DELETE, DEED_WEBHOOKS },
	{ PROTO_WEBHOOKS_DELIVERIES, DEED_WEBHOOKS },
	{ PROTO_WEBHOOKS_REDELIVER, DEED_WEBHOOKS },
	{ PROTO_WORKFLOWS_SUBMIT, DEED_WORKFLOW },
	{ PROTO_WORKFLOWS_LIST, DEED_WORKFLOWS },
	{ PROTO_WORKFLOWS_GET, DEED_BE },        /* then DEED_WORKFLOWS, where it is */
	{ PROTO_WORKFLOWS_CANCEL, DEED_BE },     /* then DEED_WORKFLOW_CHANGE, by whose it is */
	{ PROTO_WORKFLOWS_GET_OUTPUT, DEED_BE }, /* then DEED_WORKFLOWS, of whose it is alone */
	{ PROTO_WORKFLOWS_REGISTER_EXECUTOR, DEED_WORKFLOW },
	{ PROTO_WORKFLOWS_LIST_EXECUTORS, DEED_WORKFLOWS },
	{ PROTO_WORKFLOWS_REMOVE_EXECUTOR, DEED_BE }, /* then DEED_WORKFLOW_CHANGE */
	{ PROTO_WORKFLOWS_TAKE_NODE, DEED_BE }, /* these then DEED_WORKFLOW, of whose it is alone */
	{ PROTO_WORKFLOWS_GET_NODE_INPUT, DEED_BE },
	{ PROTO_WORKFLOWS_RENEW_NODE, DEED_BE },
	{ PROTO_WORKFLOWS_FINISH_NODE, DEED_BE },
	{ PROTO_BILLING_CREATE, DEED_OPERATE },
	{ PROTO_BILLING_LIST, DEED_OPERATE },
	{ PROTO_BILLING_SHOW, DEED_OPERATE },
	{ PROTO_BILLING_SET_PLAN, DEED_OPERATE },
	{ PROTO_BILLING_GIVE, DEED_OPERATE },
	{ PROTO_BILLING_TAKE, DEED_OPERATE },
	{ PROTO_BILLING_REMOVE, DEED_OPERATE },
	{ PROTO_BILLING_PLANS, DEED_OPERATE },
};
const size_t admin_deeds_count = ARRAY_LEN(admin_deeds);

enum deed admin_access_deed(const char *path)
{
	for (size_t i = 0; i < admin_deeds_count; i++)
		if (strcmp(admin_deeds[i].path, path) == 0)
			return admin_deeds[i].deed;
	return DEED_OPERATE;
}

const char *admin_access_bearer(const char *word)
{
	static const char bearer[] = "Bearer ";
	const size_t len = sizeof(bearer) - 1;

	return strncasecmp(word, bearer, len) == 0 ? word + len + strspn(word + len, " ") : NULL;
}

int admin_access_token(const char *word, struct admin_caller *caller, struct err *e)
{
	const char *token = admin_access_bearer(word);

	if (!token)
		return err_set(e, ERR_UNAUTHENTICATED,
			       "authorization: there has to be one 'Bearer TOKEN'");
	if (token_hash(token, caller->hash, e) < 0)
		return err_code(e);
	caller->has_token = true;
	return 0;
}

int admin_access_take(struct rpc_call *call, bool sign_in, struct admin_caller *caller,
		      struct err *e)
{
	const struct rpc_metadata *m = rpc_call_metadata(call);
	const char *word = rpc_metadata_text(m, "authorization", 0);
	const struct admin_given *given = rpc_call_given(call);
	struct admin_caller got = { .deed = admin_access_deed(rpc_call_method(call)->path) };

	if (given) {
		*caller = given->caller;
		caller->deed = got.deed;
		return 0;
	}
	got.is_nobody = !word && got.deed == DEED_ENTER;
	if (!word && sign_in && !got.is_nobody && !rpc_call_identity(call).has_uid)
		return err_set(e, ERR_UNAUTHENTICATED,
			       "sign in: with 'cocos-cli login', or COMPUTATIONS_GRPC_TOKEN_FILE, "
			       "which names the file of a token");
	if (word && admin_access_token(rpc_metadata_count(m, "authorization") == 1 ? word : "",
				       &got, e) < 0)
		return err_code(e);
	*caller = got;
	return 0;
}

uint64_t admin_access_account(struct known_hashes *known, const struct admin_caller *caller)
{
	return caller->has_token || caller->has_login ? known_hash_work(known, caller->hash) : 0;
}

int admin_access_know(struct store *store, struct admin_caller *caller, struct err *e)
{
	const struct decide_caller local = { .operates = true, .scope = ACTIONS_ALL };

	caller->is_known = false;
	caller->rights = local;
	if (caller->is_nobody)
		caller->rights = (struct decide_caller){ .operates = false };
	if (caller->has_login && login_who(&store->db, caller->hash, caller->host, store_now(),
					   &caller->who, &caller->login, e) < 0)
		return err_code(e);
	if (caller->has_token &&
	    token_who(&store->db, caller->hash, store_now(), &caller->who, e) < 0)
		return err_code(e);
	if (caller->has_login || caller->has_token) {
		caller->rights = (struct decide_caller){ .operates = caller->who.administrator,
							 .scope = caller->who.scope,
							 .audits = caller->who.auditor };
	}
	caller->is_known = true;
	return 0;
}

/* What a computation's state is for decide(). */
static enum decide_state state_of(const struct computation *c, enum deed deed)
{
	static const enum decide_state states[COMPUTATION_STATES] = {
		[COMPUTATION_CREATED] = DECIDE_CREATED,
		[COMPUTATION_WAITING_ALGORITHM] = DECIDE_RUNNING,
		[COMPUTATION_WAITING_DATASETS] = DECIDE_RUNNING,
		[COMPUTATION_RUNNING] = DECIDE_RUNNING,
		[COMPUTATION_COMPLETED] = DECIDE_COMPLETED,
		[COMPUTATION_FAILED] = DECIDE_FAILED,
		[COMPUTATION_CANCELLED] = DECIDE_CANCELLED,
	};

	/* What the first run freezes stays so, also while a CVM is made to run it again; and is free where there was none,
	 * also if it was stopped before. */
	if (deed == DEED_PARTIES || deed == DEED_KEY || deed == DEED_UPDATE)
		return c->sent ? DECIDE_RUNNING : DECIDE_CREATED;
	/* A CVM was given it, whose agent has not answered. */
	if (c->state == COMPUTATION_CREATED && *c->cvm_id)
		return DECIDE_RUNNING;
	return states[c->state];
}

bool admin_access_may(const struct admin_caller *caller, enum deed deed,
		      const struct computation *c)
{
	return decide(&caller->rights, deed, state_of(c, deed)) == DECIDE_YES;
}

/* In the words of who does it, where it has some of its own. */
static int not_now(struct store *store, enum deed deed, const struct computation *c, struct err *e)
{
	if ((deed == DEED_RUN || deed == DEED_RUN_UNVERIFIED) &&
	    store_check_new(store, c->id, e) < 0)
		return err_code(e);
	if (deed == DEED_RUN_AGAIN)
		return err_set(
			e, ERR_PRECONDITION,
			"computation %s is %s: only one that failed or was cancelled is run again",
			log_quote(c->id).text, state_words(c->state));
	return err_set(e, ERR_PRECONDITION,
		       "computation %s was run: nobody can %s any more (its manifest is frozen)",
		       log_quote(c->id).text, decide_words(deed));
}

/* Whether another token of his would do: else it is a role that he lacks. */
static bool is_for_too_little(const struct admin_caller *caller, enum deed deed)
{
	struct decide_caller with_all = caller->rights;

	with_all.scope = ACTIONS_ALL;
	return decide(&with_all, deed, DECIDE_CREATED) != DECIDE_REFUSED;
}

static int refused(const struct admin_caller *caller, enum deed deed, struct err *e)
{
	if (!caller->who.person)
		return err_set(e, ERR_DENIED, "you may not %s", decide_words(deed));
	if (caller->has_login)
		return err_set(e, ERR_DENIED, "user %s may not %s", caller->who.name,
			       decide_words(deed));
	if (!is_for_too_little(caller, deed))
		return err_set(e, ERR_DENIED,
			       "user %s may not %s: ask somebody whose role allows it",
			       caller->who.name, decide_words(deed));
	return err_set(e, ERR_DENIED,
		       "user %s may not %s with this token: 'cocos-cli whoami' says what it is for",
		       caller->who.name, decide_words(deed));
}

/* What the caller is in `w`, and whether he may. */
static int check_workspace(struct store *store, struct admin_caller *caller, enum deed deed,
			   const struct workspace *w, struct err *e)
{
	struct decide_caller *rights = &caller->rights;

	if (!caller->is_known)
		return err_set(e, ERR_INTERNAL, "nobody asked who calls");
	if (caller->who.person &&
	    workspace_member_in(&store->db, w->number, caller->who.person, &rights->membership,
				&rights->suspended, e) < 0)
		return err_code(e);
	switch (decide(rights, deed, DECIDE_CREATED)) {
	case DECIDE_YES:
		return 0;
	case DECIDE_HIDDEN:
		return workspace_unknown(w->name, e);
	case DECIDE_LATER: /* workspaces have no states */
	case DECIDE_REFUSED:
	default:
		return refused(caller, deed, e);
	}
}

/* Who administers the service means any of them, unless he is in some. */
static int choose(struct store *store, const struct admin_caller *caller, struct workspace *w,
		  struct err *e)
{
	int failed = workspace_choose(&store->db, caller->who.person, w, e);

	if (err_is(failed, ERR_DENIED) && caller->rights.operates)
		failed = workspace_choose(&store->db, 0, w, e);
	return failed;
}

int admin_access_workspace(struct store *store, struct admin_caller *caller, enum deed deed,
			   const char *name, struct workspace *w, struct err *e)
{
	bool chooses = (deed == DEED_CREATE || deed == DEED_ASSETS || deed == DEED_ASSET_ADD ||
			deed == DEED_MACHINE || deed == DEED_CONSOLE || deed == DEED_WEBHOOKS ||
			deed == DEED_WORKFLOWS || deed == DEED_WORKFLOW) &&
		       !*name;

	if (chooses && !caller->who.person && !caller->rights.operates)
		return refused(caller, deed, e);
	int failed = chooses ? choose(store, caller, w, e) : workspace_find(&store->db, name, w, e);

	return failed ? failed : check_workspace(store, caller, deed, w, e);
}

int admin_access_machine(struct store *store, struct admin_caller *caller, enum deed deed,
			 int64_t number, struct err *e)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };
	struct workspace w;

	if (store_machine_at(store, number, &m, e) < 0)
		return err_code(e);
	w = (struct workspace){ .number = m.workspace_number, .name = m.workspace };
	caller->rights.membership = MEMBERSHIP_NONE;
	caller->rights.suspended = false;
	return check_workspace(store, caller, deed, &w, e);
}

int admin_access_asset(struct store *store, struct admin_caller *caller, const struct workspace *w,
		       int64_t owner, struct err *e)
{
	caller->rights.owns = owner && owner == caller->who.person;
	return check_workspace(store, caller, DEED_ASSET_CHANGE, w, e);
}

int admin_access_name(struct store *store, struct admin_caller *caller, const char *user,
		      struct err *e)
{
	struct decide_caller *rights = &caller->rights;

	if (!caller->is_known)
		return err_set(e, ERR_INTERNAL, "nobody asked who calls");
	rights->suspended = false;
	if (caller->who.person && workspace_member_beside(&store->db, caller->who.person, user,
							  &rights->membership, e) < 0)
		return err_code(e);
	switch (decide(rights, DEED_CREATE, DECIDE_CREATED)) {
	case DECIDE_YES:
		return 0;
	case DECIDE_HIDDEN:
		return err_set(e, ERR_NOT_FOUND, "no user %s", log_quote(user).text);
	case DECIDE_LATER:
	case DECIDE_REFUSED:
	default:
		return refused(caller, DEED_CREATE, e);
	}
}

int admin_access_view(struct store *store, struct admin_caller *caller, const char *workspace,
		      struct store_view *view, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	if (*workspace && admin_access_workspace(store, caller, DEED_LOOK, workspace, &w, e) < 0)
		return err_code(e);
	/* Who administers the service sees all, with a token that lets him. */
	*view = (struct store_view){ caller->rights.operates ? 0 : caller->who.person, w.number };
	return 0;
}

static int check_computation(struct store *store, struct admin_caller *caller, enum deed deed,
			     const char *id, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	struct decide_caller *rights = &caller->rights;

	if (store_computation(store, id, &c, e) < 0)
		return err_code(e);
	if (caller->who.person &&
	    (workspace_member_at(&store->db, id, caller->who.person, &rights->membership,
				 &rights->suspended, e) < 0 ||
	     role_granted(&store->db, id, caller->who.person, &rights->granted, e) < 0))
		return err_code(e);
	switch (decide(rights, deed, state_of(&c, deed))) {
	case DECIDE_YES:
		return 0;
	case DECIDE_HIDDEN:
		return err_set(e, ERR_NOT_FOUND, "no computation %s", log_quote(id).text);
	case DECIDE_LATER:
		return not_now(store, deed, &c, e);
	case DECIDE_REFUSED:
	default:
		return refused(caller, deed, e);
	}
}

int admin_access_machines(struct store *store, const struct admin_caller *caller,
			  struct machine *rows, size_t count, struct err *e)
{
	/* The caller's rights in the workspace stay as they are. */
	for (size_t i = 0; i < count; i++) {
		struct admin_caller own = *caller;
		const char *id = *rows[i].computation_id ? rows[i].computation_id : rows[i].run_id;
		int failed = *id && !caller->rights.operates
				     ? admin_access_check(store, &own, DEED_SEE, id, e)
				     : 0;

		if (failed && !err_is(failed, ERR_NOT_FOUND) && !err_is(failed, ERR_DENIED))
			return failed;
		rows[i].hides = failed != 0;
	}
	return 0;
}

int admin_access_check(struct store *store, struct admin_caller *caller, enum deed deed,
		       const char *id, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	if (!caller->is_known)
		return err_set(e, ERR_INTERNAL, "nobody asked who calls");
	caller->rights.granted = 0;
	caller->rights.membership = MEMBERSHIP_NONE;
	caller->rights.suspended = false;
	caller->rights.owns = false;
	switch (decide_object(deed)) {
	case DECIDE_OF_COMPUTATION:
		return check_computation(store, caller, deed, id, e);
	case DECIDE_OF_WORKSPACE:
		return admin_access_workspace(store, caller, deed, id, &w, e);
	case DECIDE_OF_SERVICE:
	default:
		return decide(&caller->rights, deed, DECIDE_CREATED) == DECIDE_YES
			       ? 0
			       : refused(caller, deed, e);
	}
}
