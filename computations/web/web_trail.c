/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_trail.h"

#include "common/base/cleanup.h"
#include "common/rpc/observer.h"
#include "computations/people/user.h"
#include "computations/web/web_act.h"

#include <stdio.h>

#define DEED(name)                                                    \
	{                                                             \
		.method = {.path = "/page/" name, .kind = RPC_UNARY } \
	}

static const struct rpc_handler deeds[TRAIL_DEEDS] = {
	[TRAIL_SIGN_IN] = DEED("SignIn"),
	[TRAIL_SECOND] = DEED("GiveCode"),
	[TRAIL_CHOOSE_PASSWORD] = DEED("ChoosePassword"),
	[TRAIL_CHANGE_PASSWORD] = DEED("ChangePassword"),
	[TRAIL_CONFIRM] = DEED("Confirm"),
	[TRAIL_LET_IN] = DEED("LetIn"),
	[TRAIL_REFUSE] = DEED("Refuse"),
	[TRAIL_BEGIN_FACTOR] = DEED("BeginFactor"),
	[TRAIL_CONFIRM_FACTOR] = DEED("ConfirmFactor"),
	[TRAIL_RENEW_CODES] = DEED("RenewRecoveryCodes"),
	[TRAIL_REMOVE_FACTOR] = DEED("RemoveFactor"),
	[TRAIL_PASSKEY] = DEED("UsePasskey"),
	[TRAIL_BEGIN_PASSKEY] = DEED("BeginPasskey"),
	[TRAIL_ADD_PASSKEY] = DEED("AddPasskey"),
	[TRAIL_RENAME_PASSKEY] = DEED("RenamePasskey"),
	[TRAIL_REMOVE_PASSKEY] = DEED("RemovePasskey"),
	[TRAIL_SIGN_OUT] = DEED("SignOut"),
	[TRAIL_GIVE_LINK] = DEED("GiveLink"),
	[TRAIL_COME_IN] = DEED("ComeIn"),
	[TRAIL_REGISTER] = DEED("Register"),
	[TRAIL_JOIN] = DEED("Join"),
	[TRAIL_SIGN_IN_WITH] = DEED("SignInWith"),
	[TRAIL_REGISTER_WITH] = DEED("RegisterWith"),
	[TRAIL_LINK] = DEED("LinkIdentity"),
	[TRAIL_UNLINK] = DEED("UnlinkIdentity"),
};

/* What has room in the audit log where nothing else of users has (store_audit.h): who comes in, leaves, or takes away what
 * others could come in with. */
static const bool always[TRAIL_DEEDS] = {
	[TRAIL_SIGN_IN] = true,         [TRAIL_SECOND] = true,
	[TRAIL_CHOOSE_PASSWORD] = true, [TRAIL_CHANGE_PASSWORD] = true,
	[TRAIL_CONFIRM] = true,         [TRAIL_LET_IN] = true,
	[TRAIL_REFUSE] = true,          [TRAIL_REMOVE_FACTOR] = true,
	[TRAIL_PASSKEY] = true,         [TRAIL_REMOVE_PASSKEY] = true,
	[TRAIL_SIGN_OUT] = true,        [TRAIL_COME_IN] = true,
	[TRAIL_SIGN_IN_WITH] = true,    [TRAIL_UNLINK] = true,
};

/* Whoever began it answers. */
static void answered(void *data, const ProtobufCMessage *answer, const struct err *e)
{
}

int web_trail_begin(struct web_trail *t, struct web *web, const struct http_request *r,
		    enum web_trail_deed deed, struct err *e)
{
	struct rpc_local local = web_local(r);

	if (local.identity.has_uid)
		snprintf(t->who, sizeof(t->who), "uid %u", (unsigned)local.identity.uid);
	snprintf(t->from, sizeof(t->from), "%s", local.peer);
	t->what = deeds[deed].method.path + 1;
	t->room = always[deed] ? AUDIT_ROOM_ALWAYS : AUDIT_ROOM_USERS;
	t->given = (struct admin_given){ .via = "page", .is_proven = true };
	local.given = &t->given;
	local.answered = answered;
	t->call = rpc_local_begin(web->service->admins, &deeds[deed], &local);
	return t->call ? 0 : err_nomem(e);
}

int web_trail_admit(struct web_trail *t, const char *by, struct err *e)
{
	if ((*by && !rpc_call_note(t->call, "by", by)) ||
	    (*t->workspace && !rpc_call_note(t->call, "workspace", t->workspace)))
		return err_nomem(e);
	return rpc_local_admit(t->call, NULL, e);
}

int web_trail_add(struct store *store, const struct web_trail *t, const char *by, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	char who[sizeof(t->who)], object[sizeof(t->workspace) + 16];

	/* A link without a user is that of whoever may open the administrators' socket. */
	if (*by && user_find(&store->db, by, &u, e) < 0)
		return err_code(e);
	snprintf(who, sizeof(who), *by ? "user %s" : "%s", *by ? by : t->who);
	snprintf(object, sizeof(object), *t->workspace ? "workspace %s" : "%s", t->workspace);
	return store_audit_add(store,
			       &(struct audit_row){ .who = who,
						    .from = t->from,
						    .what = t->what,
						    .object = object,
						    .about = "{\"via\":\"page\"}",
						    .after = t->after },
			       *by && !u.administrator ? t->room : AUDIT_ROOM_OPERATORS, e);
}

void web_trail_end(struct web_trail *t, const struct err *e)
{
	struct rpc_call *call = TAKE_PTR(t->call);

	if (!call)
		return;
	rpc_call_finish(call, e);
	rpc_call_unref(call);
}
