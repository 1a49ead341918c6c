/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/admin_people.h"

#include "common/base/log.h"
#include "computations/admin/admin_heirs.h"
#include "computations/admin/admin_judge.h"
#include "computations/people/workspace_member.h"
#include "google/protobuf/empty.pb-c.h"
#include "people_paths.h"
#include "proto/descriptors.h"

#include <string.h>

void admin_people_free(struct people_request *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < PEOPLE_PAGE_MAX; i++)
		user_done(&p->users[i]);
	for (size_t i = 0; i < TOKENS_MAX; i++)
		token_done(&p->tokens[i]);
	for (size_t i = 0; i < LOGINS_MAX; i++)
		login_done(&p->logins[i]);
	role_list_free(p->roles);
	people_key_free(p->key);
	people_confirm_free(p->confirm);
	people_asset_free(p->asset);
	people_workspace_free(p->workspace);
	people_invitation_free(p->invitation);
	free(p->identities);
	free(p->user);
	if (p->name)
		explicit_bzero(p->name, strlen(p->name));
	free(p->name);
	explicit_bzero(p->secret, sizeof(p->secret));
	free(p);
}

struct request *people_request_new(struct rpc_call *call, const char *computation, const char *user,
				   const char *name)
{
	struct request *r = request_new(call, computation);
	struct err e;

	if (!r)
		return NULL;
	r->people = calloc(1, sizeof(*r->people));
	if (r->people && (r->people->user = strdup(user)) && (r->people->name = strdup(name)))
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

static int read_actions(char *const *words, size_t count, unsigned *actions, struct err *e)
{
	enum people_action action;
	unsigned got = 0;

	if (count > ACTIONS)
		return err_set(e, ERR_INVALID, "%zu actions: there are %d", count, (int)ACTIONS);
	for (size_t i = 0; i < count; i++) {
		if (action_find(words[i], &action, e) < 0)
			return err_code(e);
		got |= ACTION_BIT(action);
	}
	*actions = got;
	return 0;
}

bool people_request_actions(struct request *r, char *const *words, size_t count)
{
	struct err e;

	if (read_actions(words, count, &r->people->actions, &e) == 0)
		return true;
	request_refuse(r, &e);
	return false;
}

void people_start(struct request *r,
		  int (*run)(struct store *store, struct request *r, struct err *e),
		  void (*reply)(struct request *r))
{
	r->run = run;
	r->reply = reply;
	request_start(r);
}

size_t people_action_names(unsigned actions, char *names[ACTIONS])
{
	size_t count = 0;

	for (int i = 0; i < ACTIONS; i++)
		if (actions & ACTION_BIT(i))
			names[count++] = (char *)(uintptr_t)action_name((enum people_action)i);
	return count;
}

Google__Protobuf__Timestamp *people_time(Google__Protobuf__Timestamp *out, int64_t ms)
{
	google__protobuf__timestamp__init(out);
	out->seconds = ms / 1000;
	out->nanos = (int32_t)(ms % 1000) * 1000000;
	return ms ? out : NULL;
}

void people_reply_empty(struct request *r)
{
	Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;

	rpc_call_reply(r->call, &empty.base);
}

/* ---- users ---- */

static void message_user(People__User *m, Google__Protobuf__Timestamp *time, const struct user *u)
{
	people__user__init(m);
	m->name = u->name;
	m->administrator = u->administrator;
	m->auditor = u->auditor;
	m->second_factor = u->has_factor;
	m->passkeys = u->passkeys;
	m->suspended = u->suspended;
	m->created = people_time(time, u->created);
}

static void reply_user(struct request *r)
{
	Google__Protobuf__Timestamp time;
	People__User m;

	message_user(&m, &time, &r->people->users[0]);
	rpc_call_reply(r->call, &m.base);
}

static int run_add_user(struct store *store, struct request *r, struct err *e)
{
	const struct people_request *p = r->people;
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	int failed = *p->name ? workspace_find(&store->db, p->name, &w, e)
			      : workspace_first(&store->db, &w, e);

	if (failed || workspace_member_new(&store->db, &w, p->user, p->flag, store_now(), e) < 0 ||
	    user_audit(&store->db, p->user, p->audits, e) < 0)
		return err_code(e);
	return user_find(&store->db, p->user, &r->people->users[0], e);
}

static void on_add_user(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__AddUserRequest *m = (const People__AddUserRequest *)message;
	struct request *r = people_request_new(call, "", m->name, m->workspace);

	if (!r)
		return;
	r->people->flag = m->administrator;
	r->people->audits = m->auditor;
	people_start(r, run_add_user, reply_user);
}

static const char *words_of(const struct user *u)
{
	return u->suspended ? "suspended" : "active";
}

static int run_suspend_user(struct store *store, struct request *r, struct err *e)
{
	struct user before CLEANUP_USER = { .name = NULL };
	const struct people_request *p = r->people;

	if (user_find(&store->db, p->user, &before, e) < 0 ||
	    user_suspend(&store->db, p->user, !p->flag, e) < 0 ||
	    user_find(&store->db, p->user, &r->people->users[0], e) < 0)
		return err_code(e);
	request_was(r, "%s", words_of(&before));
	request_is(r, "%s", words_of(&r->people->users[0]));
	return 0;
}

static void on_suspend_user(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__SuspendUserRequest *m = (const People__SuspendUserRequest *)message;
	struct request *r = people_request_new(call, "", m->name, "");

	if (!r)
		return;
	r->people->flag = m->resume;
	people_start(r, run_suspend_user, reply_user);
}

static const char *auditor_words(const struct user *u)
{
	return u->auditor ? "auditor" : "no auditor";
}

static int run_set_auditor(struct store *store, struct request *r, struct err *e)
{
	struct user before CLEANUP_USER = { .name = NULL };
	const struct people_request *p = r->people;

	if (user_find(&store->db, p->user, &before, e) < 0 ||
	    user_audit(&store->db, p->user, p->audits, e) < 0 ||
	    user_find(&store->db, p->user, &r->people->users[0], e) < 0)
		return err_code(e);
	request_was(r, "%s", auditor_words(&before));
	request_is(r, "%s", auditor_words(&r->people->users[0]));
	return 0;
}

static void on_set_auditor(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__SetAuditorRequest *m = (const People__SetAuditorRequest *)message;
	struct request *r = people_request_new(call, "", m->name, "");

	if (!r)
		return;
	r->people->audits = !m->end;
	people_start(r, run_set_auditor, reply_user);
}

static int run_remove_user(struct store *store, struct request *r, struct err *e)
{
	if (admin_heirs_note(store, r, r->people->user, 0, "", e) < 0)
		return err_code(e);
	return user_remove(&store->db, r->people->user, e);
}

static void on_remove_user(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		people_request_new(call, "", ((const People__UserRequest *)message)->name, "");

	if (r)
		people_start(r, run_remove_user, people_reply_empty);
}

static int run_list_users(struct store *store, struct request *r, struct err *e)
{
	return user_list(&store->db, r->people->user, PEOPLE_PAGE_MAX, r->people->users, &r->count,
			 e);
}

static void reply_users(struct request *r)
{
	People__ListUsersResponse response = PEOPLE__LIST_USERS_RESPONSE__INIT;
	Google__Protobuf__Timestamp times[PEOPLE_PAGE_MAX];
	People__User users[PEOPLE_PAGE_MAX], *rows[PEOPLE_PAGE_MAX];

	for (size_t i = 0; i < r->count; i++) {
		message_user(&users[i], &times[i], &r->people->users[i]);
		rows[i] = &users[i];
	}
	response.users = rows;
	response.n_users = r->count;
	if (r->count == PEOPLE_PAGE_MAX)
		response.next = r->people->users[r->count - 1].name;
	rpc_call_reply(r->call, &response.base);
}

static void on_list_users(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = people_request_new(
		call, "", ((const People__ListUsersRequest *)message)->after, "");

	if (r)
		people_start(r, run_list_users, reply_users);
}

/* ---- tokens ---- */

int people_find_person(struct store *store, struct request *r, int64_t *person, struct err *e)
{
	const struct token_owner *who = &r->caller.who;
	struct user u CLEANUP_USER = { .name = NULL };
	const char *name = r->people->user;

	if (who->person && (!*name || strcmp(name, who->name) == 0)) {
		if (who->scope != ACTIONS_ALL)
			return err_set(
				e, ERR_DENIED,
				"this token is not for all actions: it does not manage others");
		*person = who->person;
		return 0;
	}
	if (!*name)
		return err_set(e, ERR_INVALID, "name a user: without a token you are none");
	if (admin_access_check(store, &r->caller, DEED_OPERATE, "", e) < 0 ||
	    user_find(&store->db, name, &u, e) < 0)
		return err_code(e);
	*person = u.number;
	return 0;
}

static int run_add_token(struct store *store, struct request *r, struct err *e)
{
	const unsigned scope = r->caller.rights.scope;
	struct people_request *p = r->people;
	int64_t person, now = store_now();
	struct token t = { .name = p->name, .scope = p->actions ? p->actions : scope };

	if (people_find_person(store, r, &person, e) < 0)
		return err_code(e);
	if (t.scope & ~scope)
		return err_set(e, ERR_DENIED,
			       "a token is for no more than the one that asks for it");
	t.expires = now + (int64_t)(p->days ? p->days : PEOPLE_TOKEN_DAYS) * 86400 * 1000;
	/* Else one that got out would make itself last; who shows the password does not need that. */
	if (person == r->caller.who.person && t.expires > r->caller.who.expires &&
	    !(r->given && r->given->is_confirmed))
		t.expires = r->caller.who.expires;
	p->expires = t.expires;
	return token_add(&store->db, person, &t, now, p->secret, e);
}

static void reply_add_token(struct request *r)
{
	People__NewToken m = PEOPLE__NEW_TOKEN__INIT;
	Google__Protobuf__Timestamp time;

	people_know_token(r, r->people->secret);
	m.token = r->people->secret;
	m.expires = people_time(&time, r->people->expires);
	rpc_call_reply(r->call, &m.base);
}

static void on_add_token(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__AddTokenRequest *m = (const People__AddTokenRequest *)message;
	struct request *r = people_request_new(call, "", m->user, m->name);

	if (!r || !people_request_actions(r, m->actions, m->n_actions))
		return;
	r->people->days = m->days;
	people_start(r, run_add_token, reply_add_token);
}

static int run_list_tokens(struct store *store, struct request *r, struct err *e)
{
	int64_t person;

	if (people_find_person(store, r, &person, e) < 0)
		return err_code(e);
	return token_list(&store->db, person, r->people->tokens, &r->count, e);
}

static void reply_tokens(struct request *r)
{
	People__ListTokensResponse response = PEOPLE__LIST_TOKENS_RESPONSE__INIT;
	struct {
		People__Token token;
		Google__Protobuf__Timestamp created, expires, used;
		char *actions[ACTIONS];
	} out[TOKENS_MAX];
	People__Token *rows[TOKENS_MAX];

	for (size_t i = 0; i < r->count; i++) {
		const struct token *t = &r->people->tokens[i];
		People__Token *m = rows[i] = &out[i].token;

		people__token__init(m);
		m->name = t->name;
		m->actions = out[i].actions;
		m->n_actions = people_action_names(t->scope, out[i].actions);
		m->created = people_time(&out[i].created, t->created);
		m->expires = people_time(&out[i].expires, t->expires);
		m->used = people_time(&out[i].used, t->used);
	}
	response.tokens = rows;
	response.n_tokens = r->count;
	rpc_call_reply(r->call, &response.base);
}

static void on_list_tokens(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		people_request_new(call, "", ((const People__UserRequest *)message)->name, "");

	if (r)
		people_start(r, run_list_tokens, reply_tokens);
}

static int run_revoke_token(struct store *store, struct request *r, struct err *e)
{
	int64_t person;

	if (people_find_person(store, r, &person, e) < 0)
		return err_code(e);
	return token_remove(&store->db, person, r->people->name, e);
}

static void on_revoke_token(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__TokenRequest *m = (const People__TokenRequest *)message;
	struct request *r = people_request_new(call, "", m->user, m->name);

	if (r)
		people_start(r, run_revoke_token, people_reply_empty);
}

#define METHOD(path_, request_, response_, message_)                                    \
	{ .method = { path_, RPC_UNARY, &people__##request_##__descriptor, response_ }, \
	  .message = message_ }
#define ANSWER(name_) &people__##name_##__descriptor
#define NOTHING       &google__protobuf__empty__descriptor

static const struct rpc_handler handlers[] = {
	METHOD(PROTO_PEOPLE_ADD_USER, add_user_request, ANSWER(user), on_add_user),
	METHOD(PROTO_PEOPLE_LIST_USERS, list_users_request, ANSWER(list_users_response),
	       on_list_users),
	METHOD(PROTO_PEOPLE_SUSPEND_USER, suspend_user_request, ANSWER(user), on_suspend_user),
	METHOD(PROTO_PEOPLE_SET_AUDITOR, set_auditor_request, ANSWER(user), on_set_auditor),
	METHOD(PROTO_PEOPLE_REMOVE_USER, user_request, NOTHING, on_remove_user),
	METHOD(PROTO_PEOPLE_ADD_TOKEN, add_token_request, ANSWER(new_token), on_add_token),
	METHOD(PROTO_PEOPLE_LIST_TOKENS, user_request, ANSWER(list_tokens_response),
	       on_list_tokens),
	METHOD(PROTO_PEOPLE_REVOKE_TOKEN, token_request, NOTHING, on_revoke_token),
	METHOD(PROTO_PEOPLE_END_TOKEN, end_token_request, NOTHING, people_end_token),
	METHOD(PROTO_PEOPLE_ASK_LOGIN, ask_login_request, ANSWER(login_asked), people_ask_login),
	METHOD(PROTO_PEOPLE_POLL_LOGIN, login_request, ANSWER(login_state), people_poll_login),
	METHOD(PROTO_PEOPLE_TAKE_LOGIN, login_request, ANSWER(login_token), people_take_login),
	METHOD(PROTO_PEOPLE_SET_PASSWORD, set_password_request, NOTHING, people_set_password),
	METHOD(PROTO_PEOPLE_ADD_LINK, user_request, ANSWER(link), people_add_link),
	METHOD(PROTO_PEOPLE_REMOVE_FACTOR, user_request, NOTHING, people_remove_factor),
	METHOD(PROTO_PEOPLE_REMOVE_PASSKEYS, user_request, NOTHING, people_remove_passkeys),
	METHOD(PROTO_PEOPLE_LIST_IDENTITIES, user_request, ANSWER(list_identities_response),
	       people_list_identities),
	METHOD(PROTO_PEOPLE_REMOVE_IDENTITY, identity_request, NOTHING, people_remove_identity),
	METHOD(PROTO_PEOPLE_LIST_SESSIONS, user_request, ANSWER(list_sessions_response),
	       people_list_sessions),
	METHOD(PROTO_PEOPLE_END_SESSION, session_request, NOTHING, people_end_session),
	METHOD(PROTO_PEOPLE_CHALLENGE_KEY, challenge_key_request, ANSWER(key_challenge),
	       people_challenge_key),
	{ .method = { PROTO_PEOPLE_REGISTER_KEY, RPC_UNARY,
		      &people__register_key_request__descriptor, ANSWER(user_key) },
	  .message = people_register_key,
	  .closed = judge_closed },
	METHOD(PROTO_PEOPLE_LIST_KEYS, list_keys_request, ANSWER(list_keys_response),
	       people_list_keys),
	METHOD(PROTO_PEOPLE_RETIRE_KEY, retire_key_request, NOTHING, people_retire_key),
	METHOD(PROTO_PEOPLE_FIND_KEY, find_key_request, ANSWER(user_key), people_find_key),
	METHOD(PROTO_PEOPLE_LIST_KEY_OWNERS, roles_request, ANSWER(key_owners),
	       people_list_key_owners),
	METHOD(PROTO_PEOPLE_CONFIRM, confirm_request, ANSWER(confirmation), people_confirm),
	METHOD(PROTO_PEOPLE_LIST_CONFIRMATIONS, roles_request, ANSWER(confirmations),
	       people_list_confirmations),
	METHOD(PROTO_PEOPLE_LIST_ROLES, roles_request, ANSWER(roles), people_list_roles),
	METHOD(PROTO_PEOPLE_DEFINE_ROLE, define_role_request, ANSWER(roles), people_define_role),
	METHOD(PROTO_PEOPLE_GIVE_ROLE, member_request, ANSWER(roles), people_give_role),
	METHOD(PROTO_PEOPLE_TAKE_ROLE, member_request, ANSWER(roles), people_take_role),
	METHOD(PROTO_PEOPLE_ADD_WORKSPACE, workspace_request, ANSWER(workspace),
	       people_add_workspace),
	METHOD(PROTO_PEOPLE_LIST_WORKSPACES, list_workspaces_request,
	       ANSWER(list_workspaces_response), people_list_workspaces),
	METHOD(PROTO_PEOPLE_SHOW_WORKSPACE, workspace_request, ANSWER(workspace),
	       people_show_workspace),
	METHOD(PROTO_PEOPLE_RENAME_WORKSPACE, rename_workspace_request, ANSWER(workspace),
	       people_rename_workspace),
	METHOD(PROTO_PEOPLE_REMOVE_WORKSPACE, workspace_request, NOTHING, people_remove_workspace),
	METHOD(PROTO_PEOPLE_TRANSFER_WORKSPACE, workspace_member_request, ANSWER(workspace_member),
	       people_transfer_workspace),
	METHOD(PROTO_PEOPLE_LEAVE_WORKSPACE, workspace_request, NOTHING, people_leave_workspace),
	METHOD(PROTO_PEOPLE_LIST_MEMBERS, list_members_request, ANSWER(list_members_response),
	       people_list_members),
	METHOD(PROTO_PEOPLE_ADD_MEMBER, workspace_member_request, ANSWER(workspace_member),
	       people_add_member),
	METHOD(PROTO_PEOPLE_SET_MEMBER, workspace_member_request, ANSWER(workspace_member),
	       people_set_member),
	METHOD(PROTO_PEOPLE_SUSPEND_MEMBER, workspace_member_request, ANSWER(workspace_member),
	       people_suspend_member),
	METHOD(PROTO_PEOPLE_REMOVE_MEMBER, workspace_member_request, NOTHING, people_remove_member),
	METHOD(PROTO_PEOPLE_REGISTER_ASSET, register_asset_request, ANSWER(asset),
	       people_register_asset),
	METHOD(PROTO_PEOPLE_LIST_ASSETS, list_assets_request, ANSWER(list_assets_response),
	       people_list_assets),
	METHOD(PROTO_PEOPLE_SHOW_ASSET, asset_request, ANSWER(asset), people_show_asset),
	METHOD(PROTO_PEOPLE_UPDATE_ASSET, update_asset_request, ANSWER(asset), people_update_asset),
	METHOD(PROTO_PEOPLE_REMOVE_ASSET, asset_request, NOTHING, people_remove_asset),
	METHOD(PROTO_PEOPLE_LINK_ASSET, link_asset_request, ANSWER(asset), people_link_asset),
	METHOD(PROTO_PEOPLE_INVITE, invite_request, ANSWER(new_invitation), people_invite),
	METHOD(PROTO_PEOPLE_LIST_INVITATIONS, invitations_request,
	       ANSWER(list_invitations_response), people_list_invitations),
	METHOD(PROTO_PEOPLE_REVOKE_INVITATION, invitation_request, NOTHING,
	       people_revoke_invitation),
	METHOD(PROTO_PEOPLE_TAKE_INVITATION, take_invitation_request, ANSWER(joined),
	       people_take_invitation),
	METHOD(PROTO_PEOPLE_WHOAMI, whoami_request, ANSWER(caller), people_whoami),
};

const struct rpc_service people_rpc = {
	.name = PROTO_PEOPLE_SERVICE,
	.handlers = handlers,
	.count = ARRAY_LEN(handlers),
	.descriptors = &proto_people_set,
};
