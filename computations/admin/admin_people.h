/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_people.h — people.PeopleService, for administrators and for users about themselves: what admin_people.c
 * (users, tokens), admin_role.c (roles, who calls) and admin_workspace.c have in common.
 */
#pragma once

#include "computations/admin/admin.h"
#include "computations/people/device.h"
#include "computations/people/login.h"
#include "computations/people/password.h"
#include "computations/people/role.h"
#include "people.pb-c.h"

struct invitation_rows;
struct workspace_rows;

enum { PEOPLE_PAGE_MAX = 256, PEOPLE_TOKEN_DAYS = 90 };

struct asset_call;
struct confirm_request;
struct key_request;

/* What such a call is about, beside its request's id, which is a computation's. */
struct people_request {
	char *user, *name; /* a token's or role's; or a password */
	bool flag, audits;
	bool hands_over; /* the workspace, to that member */
	unsigned actions;
	uint32_t days;

	struct user users[PEOPLE_PAGE_MAX];
	struct token tokens[TOKENS_MAX];
	struct role_list *roles;
	struct login logins[LOGINS_MAX];
	struct password password;
	struct key_request *key;
	struct confirm_request *confirm;
	struct asset_call *asset;
	int64_t session, person;
	struct identity *identities; /* of admin_identity.c */
	char secret[TOKEN_TEXT_LEN + 1], token[PEOPLE_NAME_MAX + 1];
	struct device device;
	int64_t expires;
	struct workspace_rows *workspace;   /* of admin_workspace.c */
	struct invitation_rows *invitation; /* of admin_invitation.c */
};

/* A request with these two names; NULL as from request_new(). */
struct request *people_request_new(struct rpc_call *call, const char *computation, const char *user,
				   const char *name);
/* Takes the words of a set of actions; finishes the call, and frees the request, if some are none. */
bool people_request_actions(struct request *r, char *const *words, size_t count);

void people_start(struct request *r,
		  int (*run)(struct store *store, struct request *r, struct err *e),
		  void (*reply)(struct request *r));

/* A token that was made right now: who shows it first for a change is no stranger (known_hash.h). */
void people_know_token(struct request *r, const char *token);

/* The names of a set of actions; how many. They are constants. */
size_t people_action_names(unsigned actions, char *names[ACTIONS]);
/* NULL for a moment that has not come. */
Google__Protobuf__Timestamp *people_time(Google__Protobuf__Timestamp *out, int64_t ms);

void people_reply_empty(struct request *r);
/* The same of one whose sessions ended, r->people->person: so do links by which one of his would begin. */
void people_reply_out(struct request *r);
/* Whose tokens or sessions these are: one's own, by a token that is for everything, or those of whom one administers. */
int people_find_person(struct store *store, struct request *r, int64_t *person,
		       struct err *e) MUST_CHECK;

/* admin_account.c */
void people_set_password(struct rpc_call *call, const ProtobufCMessage *message);
void people_add_link(struct rpc_call *call, const ProtobufCMessage *message);
void people_remove_factor(struct rpc_call *call, const ProtobufCMessage *message);
void people_remove_passkeys(struct rpc_call *call, const ProtobufCMessage *message);
void people_list_sessions(struct rpc_call *call, const ProtobufCMessage *message);
void people_end_session(struct rpc_call *call, const ProtobufCMessage *message);

/* Of somebody else, by a token for all actions: who holds an administrator's token for a moment does not take away what that
 * administrator signs in with. */
int people_find_other(struct store *store, const struct request *r, struct user *u,
		      struct err *e) MUST_CHECK;

/* admin_identity.c */
void people_list_identities(struct rpc_call *call, const ProtobufCMessage *message);
void people_remove_identity(struct rpc_call *call, const ProtobufCMessage *message);

/* admin_device.c */
void people_ask_login(struct rpc_call *call, const ProtobufCMessage *message);
void people_poll_login(struct rpc_call *call, const ProtobufCMessage *message);
void people_take_login(struct rpc_call *call, const ProtobufCMessage *message);
void people_end_token(struct rpc_call *call, const ProtobufCMessage *message);

/* admin_role.c */
void people_list_roles(struct rpc_call *call, const ProtobufCMessage *message);
void people_define_role(struct rpc_call *call, const ProtobufCMessage *message);
void people_give_role(struct rpc_call *call, const ProtobufCMessage *message);
void people_take_role(struct rpc_call *call, const ProtobufCMessage *message);
void people_whoami(struct rpc_call *call, const ProtobufCMessage *message);

/* admin_key.c */
void people_challenge_key(struct rpc_call *call, const ProtobufCMessage *message);
void people_register_key(struct rpc_call *call, const ProtobufCMessage *message);
void people_list_keys(struct rpc_call *call, const ProtobufCMessage *message);
void people_retire_key(struct rpc_call *call, const ProtobufCMessage *message);
void people_find_key(struct rpc_call *call, const ProtobufCMessage *message);
void people_list_key_owners(struct rpc_call *call, const ProtobufCMessage *message);
void people_key_free(struct key_request *key);

/* admin_asset.c */
void people_register_asset(struct rpc_call *call, const ProtobufCMessage *message);
void people_list_assets(struct rpc_call *call, const ProtobufCMessage *message);
void people_show_asset(struct rpc_call *call, const ProtobufCMessage *message);
void people_update_asset(struct rpc_call *call, const ProtobufCMessage *message);
void people_remove_asset(struct rpc_call *call, const ProtobufCMessage *message);
void people_link_asset(struct rpc_call *call, const ProtobufCMessage *message);
void people_asset_free(struct asset_call *asset);

/* admin_confirm.c */
void people_confirm(struct rpc_call *call, const ProtobufCMessage *message);
void people_list_confirmations(struct rpc_call *call, const ProtobufCMessage *message);
void people_confirm_free(struct confirm_request *confirm);

/* admin_workspace.c */
void people_add_workspace(struct rpc_call *call, const ProtobufCMessage *message);
void people_list_workspaces(struct rpc_call *call, const ProtobufCMessage *message);
void people_show_workspace(struct rpc_call *call, const ProtobufCMessage *message);
void people_rename_workspace(struct rpc_call *call, const ProtobufCMessage *message);
void people_remove_workspace(struct rpc_call *call, const ProtobufCMessage *message);
void people_transfer_workspace(struct rpc_call *call, const ProtobufCMessage *message);
void people_leave_workspace(struct rpc_call *call, const ProtobufCMessage *message);
void people_list_members(struct rpc_call *call, const ProtobufCMessage *message);
void people_add_member(struct rpc_call *call, const ProtobufCMessage *message);
void people_set_member(struct rpc_call *call, const ProtobufCMessage *message);
void people_suspend_member(struct rpc_call *call, const ProtobufCMessage *message);
void people_remove_member(struct rpc_call *call, const ProtobufCMessage *message);
void people_workspace_free(struct workspace_rows *rows);

/* admin_invitation.c */
void people_invite(struct rpc_call *call, const ProtobufCMessage *message);
void people_list_invitations(struct rpc_call *call, const ProtobufCMessage *message);
void people_revoke_invitation(struct rpc_call *call, const ProtobufCMessage *message);
void people_take_invitation(struct rpc_call *call, const ProtobufCMessage *message);
void people_invitation_free(struct invitation_rows *rows);
