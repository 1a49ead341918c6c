/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_people.c — users and administrators of the computation service: the corpus of fuzz_people_calls. */
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_people.h"

#include <stdio.h>

enum { ALL = 0x7f, VIEW = 1, EDIT = 2, PROVIDES = 0x10 };

static void order(struct writer *w, enum order what, enum order_token token, enum order_name name,
		  enum order_name other, enum order_id id, uint8_t operand)
{
	writer_u8(w, (uint8_t)what);
	writer_u8(w, (uint8_t)token);
	writer_u8(w, (uint8_t)name);
	writer_u8(w, (uint8_t)other);
	writer_u8(w, (uint8_t)id);
	writer_u8(w, operand);
}

static void simple(struct writer *w, enum order what, enum order_token token, enum order_id id)
{
	order(w, what, token, NAME_ANNA, NAME_BERT, id, 0);
}

/* Two users, a token each; the first may be an administrator. */
static struct writer begin(uint8_t administrator, uint8_t scope)
{
	struct writer w = calls_begin(0);

	order(&w, ORDER_ADD_USER, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, administrator);
	order(&w, ORDER_ADD_USER, TOKEN_NONE, NAME_BERT, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_ADD_TOKEN, TOKEN_NONE, NAME_ANNA, NAME_OWN, COMPUTATION_ONE, scope);
	order(&w, ORDER_ADD_TOKEN, TOKEN_NONE, NAME_BERT, NAME_OWN, COMPUTATION_ONE, 0);
	return w;
}

/* Everything, by each token. */
static void save_all(uint8_t administrator, uint8_t scope, const char *name)
{
	static const enum order_token by[] = { TOKEN_B, TOKEN_A, TOKEN_NONE };
	char path[64];

	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		struct writer w = begin(administrator, scope);

		simple(&w, ORDER_CREATE, TOKEN_A, COMPUTATION_ONE);
		for (int what = ORDER_LIST_ROLES; what < ORDERS; what++)
			simple(&w, (enum order)what, by[i], COMPUTATION_ONE);
		for (int what = 0; what < ORDER_LIST_ROLES; what++)
			simple(&w, (enum order)what, by[i], COMPUTATION_NONE);
		snprintf(path, sizeof(path), "%s-%zu", name, i);
		calls_save_to("people_calls", path, &w);
	}
}

static void save_roles(void)
{
	struct writer w = begin(0, ALL);

	simple(&w, ORDER_CREATE, TOKEN_A, COMPUTATION_ONE);
	simple(&w, ORDER_CREATE, TOKEN_NONE, COMPUTATION_TWO);
	order(&w, ORDER_DEFINE_ROLE, TOKEN_A, NAME_OWN, NAME_BERT, COMPUTATION_ONE, VIEW | EDIT);
	order(&w, ORDER_DEFINE_ROLE, TOKEN_A, NAME_OWN, NAME_BERT, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_GIVE_ROLE, TOKEN_A, NAME_OWN, NAME_BERT, COMPUTATION_ONE, 0);
	order(&w, ORDER_GIVE_ROLE, TOKEN_A, NAME_OWN, NAME_BERT, COMPUTATION_ONE, 0);
	simple(&w, ORDER_SHOW, TOKEN_B, COMPUTATION_ONE);
	simple(&w, ORDER_LIST, TOKEN_B, COMPUTATION_NONE);
	simple(&w, ORDER_LOGS, TOKEN_B, COMPUTATION_ONE);
	order(&w, ORDER_LOGS, TOKEN_B, NAME_ANNA, NAME_BERT, COMPUTATION_ONE, 1);
	simple(&w, ORDER_WHOAMI, TOKEN_B, COMPUTATION_ONE);
	simple(&w, ORDER_WITNESS, TOKEN_B, COMPUTATION_ONE);
	order(&w, ORDER_TAKE_ROLE, TOKEN_A, NAME_OWNER, NAME_ANNA, COMPUTATION_ONE, 0);
	simple(&w, ORDER_REMOVE_USER, TOKEN_NONE, COMPUTATION_ONE);
	order(&w, ORDER_GIVE_ROLE, TOKEN_A, NAME_OWNER, NAME_BERT, COMPUTATION_ONE, 0);
	order(&w, ORDER_TAKE_ROLE, TOKEN_A, NAME_OWNER, NAME_ANNA, COMPUTATION_ONE, 0);
	simple(&w, ORDER_SHOW, TOKEN_A, COMPUTATION_ONE);
	order(&w, ORDER_GIVE_ROLE, TOKEN_B, NAME_PROVIDER, NAME_ANNA, COMPUTATION_ONE, 0);
	simple(&w, ORDER_STOP, TOKEN_B, COMPUTATION_ONE);
	order(&w, ORDER_GIVE_ROLE, TOKEN_B, NAME_VIEWER, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_TAKE_ROLE, TOKEN_B, NAME_PROVIDER, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_DEFINE_ROLE, TOKEN_B, NAME_OWN, NAME_ANNA, COMPUTATION_ONE,
	      VIEW | PROVIDES);
	order(&w, ORDER_DEFINE_ROLE, TOKEN_B, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_DEFINE_ROLE, TOKEN_B, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_DEFINE_ROLE, TOKEN_B, NAME_VIEWER, NAME_ANNA, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_DEFINE_ROLE, TOKEN_B, NAME_BAD, NAME_ANNA, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_DEFINE_ROLE, TOKEN_B, NAME_BERT, NAME_ANNA, COMPUTATION_ONE, EDIT);
	order(&w, ORDER_RUN, TOKEN_B, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_RUN, TOKEN_B, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 2);
	order(&w, ORDER_RUN, TOKEN_B, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 4);
	order(&w, ORDER_RUN, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_TWO, 5);
	simple(&w, ORDER_REMOVE, TOKEN_B, COMPUTATION_ONE);
	simple(&w, ORDER_REMOVE, TOKEN_B, COMPUTATION_TWO);
	calls_save_to("people_calls", "roles", &w);
}

static void save_tokens(void)
{
	struct writer w = begin(ORDER_FLAG, VIEW);

	for (int token = 0; token < ORDER_TOKENS; token++) {
		order(&w, ORDER_WHOAMI, (enum order_token)token, NAME_ANNA, NAME_ANNA,
		      COMPUTATION_NONE, 0);
		order(&w, ORDER_LOGS, (enum order_token)token, NAME_ANNA, NAME_ANNA,
		      COMPUTATION_NONE, 0);
		order(&w, ORDER_LIST, (enum order_token)token, NAME_ANNA, NAME_ANNA,
		      COMPUTATION_NONE, 0);
	}
	order(&w, ORDER_ADD_TOKEN, TOKEN_A, NAME_EMPTY, NAME_VIEWER, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_ADD_TOKEN, TOKEN_B, NAME_EMPTY, NAME_VIEWER, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_LIST_TOKENS, TOKEN_C, NAME_EMPTY, NAME_VIEWER, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_ADD_TOKEN, TOKEN_B, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_ADD_TOKEN, TOKEN_B, NAME_BERT, NAME_BAD, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_ADD_TOKEN, TOKEN_B, NAME_BERT, NAME_OWNER, COMPUTATION_ONE, EDIT);
	order(&w, ORDER_ADD_TOKEN, TOKEN_B, NAME_BERT, NAME_OWNER, COMPUTATION_ONE, ORDER_FLAG);
	order(&w, ORDER_ADD_TOKEN, TOKEN_B, NAME_BERT, NAME_OWNER, COMPUTATION_ONE, ORDER_TOO_MANY);
	order(&w, ORDER_ADD_TOKEN, TOKEN_NONE, NAME_BERT, NAME_OWNER, COMPUTATION_NONE, VIEW);
	order(&w, ORDER_ADD_TOKEN, TOKEN_NONE, NAME_EMPTY, NAME_OWNER, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_LIST_TOKENS, TOKEN_B, NAME_EMPTY, NAME_VIEWER, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_LIST_TOKENS, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_REVOKE_TOKEN, TOKEN_B, NAME_EMPTY, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REVOKE_TOKEN, TOKEN_B, NAME_EMPTY, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_SET_PASSWORD, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_ADD_LINK, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REMOVE_FACTOR, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REMOVE_FACTOR, TOKEN_A, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REMOVE_FACTOR, TOKEN_A, NAME_ANNA, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REMOVE_PASSKEYS, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REMOVE_PASSKEYS, TOKEN_A, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REMOVE_PASSKEYS, TOKEN_A, NAME_ANNA, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_LIST_SESSIONS, TOKEN_B, NAME_EMPTY, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_LIST_SESSIONS, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_END_SESSION, TOKEN_B, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_END_SESSION, TOKEN_B, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 1);
	order(&w, ORDER_END_SESSION, TOKEN_B, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE,
	      ORDER_TOO_MANY);
	order(&w, ORDER_SUSPEND_USER, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	simple(&w, ORDER_WHOAMI, TOKEN_B, COMPUTATION_NONE);
	order(&w, ORDER_SUSPEND_USER, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE,
	      ORDER_FLAG);
	simple(&w, ORDER_WHOAMI, TOKEN_B, COMPUTATION_NONE);
	order(&w, ORDER_REMOVE_USER, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	simple(&w, ORDER_WHOAMI, TOKEN_B, COMPUTATION_NONE);
	order(&w, ORDER_ADD_USER, TOKEN_NONE, NAME_BAD, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_SET_AUDITOR, TOKEN_NONE, NAME_ANNA, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_SET_AUDITOR, TOKEN_A, NAME_ANNA, NAME_VIEWER, COMPUTATION_ONE, ORDER_FLAG);
	order(&w, ORDER_SET_AUDITOR, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_ADD_USER, TOKEN_NONE, NAME_ANNA, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_LIST_USERS, TOKEN_NONE, NAME_EMPTY, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_LIST_USERS, TOKEN_NONE, NAME_BERT, NAME_VIEWER, COMPUTATION_ONE, 0);
	calls_save_to("people_calls", "tokens", &w);
}

static void key(struct writer *w, enum order_token token, enum order_name name, enum order_id id,
		uint8_t operand)
{
	order(w, ORDER_CHALLENGE_KEY, token, name, NAME_BERT, id, operand & ORDER_OTHER_KEY);
	order(w, ORDER_REGISTER_KEY, token, name, NAME_BERT, id, operand);
}

/* A's key, wrongly and rightly; another one into her computation; B can't have it. */
static void save_keys(void)
{
	struct writer w = begin(0, ALL);

	key(&w, TOKEN_A, NAME_ANNA, COMPUTATION_NONE, ORDER_OTHER_SIGNER);
	key(&w, TOKEN_A, NAME_ANNA, COMPUTATION_NONE, ORDER_SHORT_CHALLENGE);
	key(&w, TOKEN_A, NAME_ANNA, COMPUTATION_NONE, ORDER_SHORT_SIGNATURE);
	key(&w, TOKEN_A, NAME_ANNA, COMPUTATION_NONE, ORDER_NO_KEY);
	key(&w, TOKEN_A, NAME_BERT, COMPUTATION_NONE, 0);
	key(&w, TOKEN_A, NAME_EMPTY, COMPUTATION_NONE, 0);
	key(&w, TOKEN_A, NAME_ANNA, COMPUTATION_NONE, 0);
	order(&w, ORDER_REGISTER_KEY, TOKEN_A, NAME_ANNA, NAME_BERT, COMPUTATION_NONE, 0);
	key(&w, TOKEN_B, NAME_BERT, COMPUTATION_NONE, 0);
	order(&w, ORDER_CREATE, TOKEN_A, NAME_ANNA, NAME_BERT, COMPUTATION_ONE, ORDER_FLAG);
	simple(&w, ORDER_LIST_KEY_OWNERS, TOKEN_A, COMPUTATION_ONE);
	simple(&w, ORDER_LIST_KEY_OWNERS, TOKEN_B, COMPUTATION_ONE);
	for (uint8_t wrong = 1; wrong <= ORDER_OTHER_REVISION; wrong = (uint8_t)(wrong * 2))
		order(&w, ORDER_CONFIRM, TOKEN_A, NAME_ANNA, NAME_BERT, COMPUTATION_ONE, wrong);
	order(&w, ORDER_CONFIRM, TOKEN_A, NAME_BERT, NAME_BERT, COMPUTATION_ONE, 0);
	order(&w, ORDER_CONFIRM, TOKEN_B, NAME_BERT, NAME_BERT, COMPUTATION_ONE, 0);
	order(&w, ORDER_CONFIRM, TOKEN_NONE, NAME_ANNA, NAME_BERT, COMPUTATION_ONE, 0);
	order(&w, ORDER_CONFIRM, TOKEN_A, NAME_ANNA, NAME_BERT, COMPUTATION_ONE, 0);
	simple(&w, ORDER_LIST_CONFIRMATIONS, TOKEN_A, COMPUTATION_ONE);
	simple(&w, ORDER_LIST_CONFIRMATIONS, TOKEN_B, COMPUTATION_ONE);
	key(&w, TOKEN_B, NAME_BERT, COMPUTATION_ONE, ORDER_OTHER_KEY);
	key(&w, TOKEN_A, NAME_ANNA, COMPUTATION_ONE, ORDER_OTHER_KEY);
	simple(&w, ORDER_LIST_CONFIRMATIONS, TOKEN_A, COMPUTATION_ONE);
	order(&w, ORDER_CONFIRM, TOKEN_A, NAME_ANNA, NAME_BERT, COMPUTATION_ONE, ORDER_OTHER_KEY);
	simple(&w, ORDER_LIST_KEY_OWNERS, TOKEN_A, COMPUTATION_ONE);
	simple(&w, ORDER_LIST_KEYS, TOKEN_A, COMPUTATION_NONE);
	simple(&w, ORDER_LIST_KEYS, TOKEN_NONE, COMPUTATION_NONE);
	simple(&w, ORDER_LIST_KEYS, TOKEN_B, COMPUTATION_NONE);
	simple(&w, ORDER_FIND_KEY, TOKEN_B, COMPUTATION_NONE);
	order(&w, ORDER_RETIRE_KEY, TOKEN_A, NAME_ANNA, NAME_BERT, COMPUTATION_NONE, ORDER_NO_KEY);
	simple(&w, ORDER_RETIRE_KEY, TOKEN_A, COMPUTATION_NONE);
	simple(&w, ORDER_FIND_KEY, TOKEN_A, COMPUTATION_NONE);
	key(&w, TOKEN_A, NAME_ANNA, COMPUTATION_NONE, 0);
	simple(&w, ORDER_STOP, TOKEN_A, COMPUTATION_ONE);
	key(&w, TOKEN_A, NAME_ANNA, COMPUTATION_ONE, 0);
	simple(&w, ORDER_REMOVE, TOKEN_A, COMPUTATION_ONE);
	key(&w, TOKEN_A, NAME_ANNA, COMPUTATION_NONE, ORDER_OTHER_KEY);
	calls_save_to("people_calls", "keys", &w);
}

/* One that is let in, takes its token, shows it, ends it; one that is refused; and what is none. */
static void save_logins(void)
{
	struct writer w = begin(0, ALL);

	order(&w, ORDER_ASK_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_VIEWER, COMPUTATION_NONE, VIEW);
	order(&w, ORDER_POLL_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_TAKE_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_LET_IN, TOKEN_NONE, NAME_BERT, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_LET_IN, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_TAKE_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_TAKE_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 0);
	simple(&w, ORDER_WHOAMI, TOKEN_C, COMPUTATION_NONE);
	simple(&w, ORDER_END_TOKEN, TOKEN_NONE, COMPUTATION_NONE);
	simple(&w, ORDER_END_TOKEN, TOKEN_C, COMPUTATION_NONE);
	simple(&w, ORDER_WHOAMI, TOKEN_C, COMPUTATION_NONE);
	order(&w, ORDER_ASK_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_EMPTY, COMPUTATION_TWO, ALL);
	order(&w, ORDER_LET_IN, TOKEN_NONE, NAME_VIEWER, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_TAKE_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_ASK_LOGIN, TOKEN_B, NAME_ANNA, NAME_BAD, COMPUTATION_TWO, EDIT);
	order(&w, ORDER_ASK_LOGIN, TOKEN_WRONG, NAME_ANNA, NAME_BERT, COMPUTATION_TWO, ORDER_FLAG);
	order(&w, ORDER_ASK_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_BERT, COMPUTATION_TWO,
	      ORDER_TOO_MANY);
	order(&w, ORDER_ASK_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_BERT, COMPUTATION_ONE, VIEW);
	order(&w, ORDER_LET_IN, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, ORDER_FLAG);
	order(&w, ORDER_SUSPEND_USER, TOKEN_NONE, NAME_ANNA, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_POLL_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_TAKE_LOGIN, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_ONE, 0);
	for (int i = 0; i < 17; i++)
		simple(&w, ORDER_ASK_LOGIN, TOKEN_NONE, COMPUTATION_ONE);
	calls_save_to("people_calls", "logins", &w);
}

/* Anna, who administers the service, invites to a workspace of hers; bert comes, once. */
static void save_invitations(void)
{
	struct writer w = begin(ORDER_FLAG, ALL);

	order(&w, ORDER_ADD_WORKSPACE, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
	for (uint8_t i = 0; i < 5; i++)
		order(&w, ORDER_INVITE, TOKEN_A, NAME_OWN, NAME_VIEWER, COMPUTATION_ONE, i);
	for (uint8_t i = 0; i < 3; i++) {
		order(&w, ORDER_PUT_INVITATION, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, i);
		order(&w, ORDER_LIST_INVITATIONS, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
		order(&w, ORDER_LIST_INVITATIONS, TOKEN_B, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
		order(&w, ORDER_TAKE_INVITATION, TOKEN_NONE, NAME_OWN, NAME_ANNA, COMPUTATION_ONE,
		      0);
		order(&w, ORDER_TAKE_INVITATION, TOKEN_B, NAME_OWN, NAME_ANNA, COMPUTATION_ONE,
		      ORDER_FLAG);
		order(&w, ORDER_TAKE_INVITATION, TOKEN_B, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
		order(&w, ORDER_TAKE_INVITATION, TOKEN_B, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
	}
	order(&w, ORDER_REVOKE_INVITATION, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 1);
	order(&w, ORDER_REVOKE_INVITATION, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 2);
	order(&w, ORDER_REVOKE_INVITATION, TOKEN_A, NAME_DEFAULT, NAME_ANNA, COMPUTATION_ONE, 3);
	order(&w, ORDER_REVOKE_INVITATION, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE,
	      ORDER_FLAG);
	order(&w, ORDER_PUT_INVITATION, TOKEN_A, NAME_OWN, NAME_BERT, COMPUTATION_ONE, 0);
	order(&w, ORDER_TAKE_INVITATION, TOKEN_A, NAME_OWN, NAME_BERT, COMPUTATION_ONE, 0);
	order(&w, ORDER_LIST_INVITATIONS, TOKEN_A, NAME_EMPTY, NAME_ANNA, COMPUTATION_ONE, 0);
	calls_save_to("people_calls", "invitations", &w);
}

/* Anna administers a workspace in which bert has a computation. */
static void save_workspaces(void)
{
	struct writer w = begin(ORDER_FLAG, ALL);

	order(&w, ORDER_ADD_WORKSPACE, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_ADD_WORKSPACE, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_ADD_WORKSPACE, TOKEN_A, NAME_BAD, NAME_ANNA, COMPUTATION_ONE, 0);
	simple(&w, ORDER_CREATE, TOKEN_B, COMPUTATION_ONE);
	order(&w, ORDER_ADD_MEMBER, TOKEN_A, NAME_OWN, NAME_BERT, COMPUTATION_ONE, 4);
	order(&w, ORDER_ADD_MEMBER, TOKEN_A, NAME_OWN, NAME_EMPTY, COMPUTATION_ONE, 1);
	order(&w, ORDER_ADD_MEMBER, TOKEN_A, NAME_OWN, NAME_BERT, COMPUTATION_ONE, 1);
	order(&w, ORDER_ADD_MEMBER, TOKEN_A, NAME_OWN, NAME_BERT, COMPUTATION_ONE, 1);
	for (int what = ORDER_ADD_WORKSPACE; what < ORDERS; what++)
		order(&w, (enum order)what, TOKEN_B, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_SET_MEMBER, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 2);
	order(&w, ORDER_REMOVE_MEMBER, TOKEN_A, NAME_DEFAULT, NAME_BERT, COMPUTATION_ONE, 0);
	order(&w, ORDER_SET_MEMBER, TOKEN_A, NAME_DEFAULT, NAME_BERT, COMPUTATION_ONE, 3);
	order(&w, ORDER_SET_MEMBER, TOKEN_B, NAME_DEFAULT, NAME_ANNA, COMPUTATION_ONE, 1);
	order(&w, ORDER_SUSPEND_MEMBER, TOKEN_A, NAME_DEFAULT, NAME_BERT, COMPUTATION_ONE, 0);
	order(&w, ORDER_SUSPEND_MEMBER, TOKEN_B, NAME_DEFAULT, NAME_ANNA, COMPUTATION_ONE, 0);
	simple(&w, ORDER_SHOW, TOKEN_A, COMPUTATION_ONE);
	order(&w, ORDER_TRANSFER_WORKSPACE, TOKEN_B, NAME_DEFAULT, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_SUSPEND_MEMBER, TOKEN_B, NAME_DEFAULT, NAME_ANNA, COMPUTATION_ONE,
	      ORDER_FLAG);
	order(&w, ORDER_TRANSFER_WORKSPACE, TOKEN_B, NAME_DEFAULT, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_GIVE_ROLE, TOKEN_A, NAME_OWNER, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_LEAVE_WORKSPACE, TOKEN_B, NAME_DEFAULT, NAME_ANNA, COMPUTATION_ONE, 0);
	simple(&w, ORDER_SHOW, TOKEN_B, COMPUTATION_ONE);
	order(&w, ORDER_RENAME_WORKSPACE, TOKEN_A, NAME_DEFAULT, NAME_OWN, COMPUTATION_ONE, 0);
	order(&w, ORDER_RENAME_WORKSPACE, TOKEN_A, NAME_DEFAULT, NAME_VIEWER, COMPUTATION_ONE, 0);
	simple(&w, ORDER_CREATE, TOKEN_NONE, COMPUTATION_TWO);
	order(&w, ORDER_REMOVE_WORKSPACE, TOKEN_A, NAME_VIEWER, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_LEAVE_WORKSPACE, TOKEN_NONE, NAME_VIEWER, NAME_ANNA, COMPUTATION_ONE, 0);
	simple(&w, ORDER_REMOVE, TOKEN_A, COMPUTATION_ONE);
	order(&w, ORDER_REMOVE_WORKSPACE, TOKEN_A, NAME_VIEWER, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REMOVE_WORKSPACE, TOKEN_A, NAME_OWN, NAME_VIEWER, COMPUTATION_ONE, 0);
	order(&w, ORDER_LIST_WORKSPACES, TOKEN_NONE, NAME_EMPTY, NAME_EMPTY, COMPUTATION_ONE, 0);
	order(&w, ORDER_LIST_MEMBERS, TOKEN_NONE, NAME_OWN, NAME_EMPTY, COMPUTATION_ONE, 0);
	calls_save_to("people_calls", "workspaces", &w);
}

/* Each order of members and assets, with and without a search; places that are none. */
static void save_lists(void)
{
	struct writer w = begin(ORDER_FLAG, ALL);

	order(&w, ORDER_REGISTER_ASSET, TOKEN_A, NAME_DEFAULT, NAME_OWNER, COMPUTATION_ONE, 0);
	for (int how = 0; how < 2 * ORDER_SORTS; how++) {
		order(&w, ORDER_LIST_MEMBERS, TOKEN_A, NAME_DEFAULT, NAME_EMPTY, COMPUTATION_ONE,
		      (uint8_t)how);
		order(&w, ORDER_LIST_ASSETS, TOKEN_A, NAME_DEFAULT, NAME_EMPTY, COMPUTATION_ONE,
		      (uint8_t)how);
	}
	order(&w, ORDER_LIST_MEMBERS, TOKEN_A, NAME_DEFAULT, NAME_OWN, COMPUTATION_ONE, 1);
	order(&w, ORDER_LIST_ASSETS, TOKEN_A, NAME_DEFAULT, NAME_OWN, COMPUTATION_ONE, 1);
	calls_save_to("people_calls", "lists", &w);
}

/* Anna administers a workspace, bert is in it, and each has files of theirs; one is linked. */
static void save_assets(void)
{
	struct writer w = begin(ORDER_FLAG, ALL);

	simple(&w, ORDER_CREATE, TOKEN_A, COMPUTATION_ONE);
	simple(&w, ORDER_CREATE, TOKEN_B, COMPUTATION_TWO);
	order(&w, ORDER_ADD_WORKSPACE, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
	for (int how = 0; how < 256; how = how ? how * 2 : 1)
		order(&w, ORDER_REGISTER_ASSET, TOKEN_B, NAME_DEFAULT, NAME_OWN, COMPUTATION_ONE,
		      (uint8_t)how);
	order(&w, ORDER_REGISTER_ASSET, TOKEN_A, NAME_EMPTY, NAME_VIEWER, COMPUTATION_ONE,
	      ORDER_OTHER_ASSET | ORDER_MIME);
	order(&w, ORDER_REGISTER_ASSET, TOKEN_A, NAME_DEFAULT, NAME_BAD, COMPUTATION_ONE, 0);
	order(&w, ORDER_REGISTER_ASSET, TOKEN_NONE, NAME_DEFAULT, NAME_OWNER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REGISTER_ASSET, TOKEN_NONE, NAME_EMPTY, NAME_OWNER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REGISTER_ASSET, TOKEN_B, NAME_OWN, NAME_OWNER, COMPUTATION_ONE, 0);
	order(&w, ORDER_REGISTER_ASSET, TOKEN_A, NAME_OWN, NAME_OWNER, COMPUTATION_ONE, 0);
	for (int name = 0; name < ORDER_NAMES; name++) {
		order(&w, ORDER_SHOW_ASSET, TOKEN_B, NAME_DEFAULT, (enum order_name)name,
		      COMPUTATION_ONE, 0);
		order(&w, ORDER_LINK_ASSET, TOKEN_A, NAME_DEFAULT, (enum order_name)name,
		      COMPUTATION_ONE, 0);
		order(&w, ORDER_LINK_ASSET, TOKEN_B, NAME_DEFAULT, (enum order_name)name,
		      COMPUTATION_ONE, 0);
	}
	order(&w, ORDER_LINK_ASSET, TOKEN_A, NAME_OWN, NAME_OWNER, COMPUTATION_ONE, 0);
	order(&w, ORDER_LIST_ASSETS, TOKEN_B, NAME_DEFAULT, NAME_EMPTY, COMPUTATION_ONE, 0);
	order(&w, ORDER_LIST_ASSETS, TOKEN_NONE, NAME_DEFAULT, NAME_OWN, COMPUTATION_ONE, 0);
	calls_save_to("people_calls", "assets", &w);
}

/* Bert's file gets another name for each thing that is said of it, and goes once nothing is linked with it. */
static void save_assets_changed(void)
{
	struct writer w = begin(ORDER_FLAG, ALL);

	simple(&w, ORDER_CREATE, TOKEN_B, COMPUTATION_ONE);
	order(&w, ORDER_REGISTER_ASSET, TOKEN_B, NAME_DEFAULT, NAME_OWN, COMPUTATION_ONE, 0);
	order(&w, ORDER_LINK_ASSET, TOKEN_B, NAME_DEFAULT, NAME_OWN, COMPUTATION_ONE, 0);
	for (int how = 0; how < ORDER_NAMES; how++)
		order(&w, ORDER_UPDATE_ASSET, TOKEN_B, NAME_DEFAULT, (enum order_name)how,
		      COMPUTATION_ONE, (uint8_t)(ORDER_DESCRIBED + how));
	order(&w, ORDER_UPDATE_ASSET, TOKEN_A, NAME_DEFAULT, NAME_OWN, COMPUTATION_ONE,
	      ORDER_MIME | NAME_OWN);
	order(&w, ORDER_UPDATE_ASSET, TOKEN_A, NAME_DEFAULT, NAME_OWN, COMPUTATION_ONE,
	      ORDER_BAD_MIME | NAME_OWN);
	for (int name = 0; name < ORDER_NAMES; name++)
		order(&w, ORDER_UPDATE_ASSET, TOKEN_A, NAME_DEFAULT, (enum order_name)name,
		      COMPUTATION_ONE, ORDER_NO_DESCRIPTION | ORDER_DESCRIBED);
	for (int name = 0; name < ORDER_NAMES; name++)
		order(&w, ORDER_REMOVE_ASSET, TOKEN_B, NAME_DEFAULT, (enum order_name)name,
		      COMPUTATION_ONE, 0);
	simple(&w, ORDER_REMOVE, TOKEN_B, COMPUTATION_ONE);
	for (int name = 0; name < ORDER_NAMES; name++)
		order(&w, ORDER_REMOVE_ASSET, TOKEN_B, NAME_DEFAULT, (enum order_name)name,
		      COMPUTATION_ONE, 0);
	calls_save_to("people_calls", "assets-changed", &w);
}

static void factor(struct writer *w, enum order what, uint8_t operand)
{
	order(w, what, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_NONE, operand);
}

/* Set up, late and rightly; its codes, used and guessed; recovery codes; none of it any more. */
static void save_factors(void)
{
	struct writer w = begin(0, ALL);

	factor(&w, ORDER_TRY_FACTOR, 0);
	factor(&w, ORDER_CONFIRM_FACTOR, 0);
	factor(&w, ORDER_BEGIN_FACTOR, 0);
	factor(&w, ORDER_TRY_FACTOR, 0);
	for (int i = 0; i < 2; i++) /* past FACTOR_BEGIN_MS */
		factor(&w, ORDER_CONFIRM_FACTOR, ORDER_FLAG | ORDER_STEPS);
	factor(&w, ORDER_BEGIN_FACTOR, 0);
	factor(&w, ORDER_CONFIRM_FACTOR, ORDER_FLAG);
	factor(&w, ORDER_CONFIRM_FACTOR, 1);
	factor(&w, ORDER_CONFIRM_FACTOR, 1);
	factor(&w, ORDER_BEGIN_FACTOR, 0);
	factor(&w, ORDER_TRY_FACTOR, 0);
	factor(&w, ORDER_TRY_FACTOR, 1);
	factor(&w, ORDER_TRY_FACTOR, ORDER_RECOVERY);
	factor(&w, ORDER_TRY_FACTOR, ORDER_RECOVERY | ORDER_FLAG);
	factor(&w, ORDER_RENEW_FACTOR, 0);
	for (int i = 0; i < 12; i++)
		factor(&w, ORDER_TRY_FACTOR, ORDER_FLAG);
	factor(&w, ORDER_TRY_FACTOR, 1);
	factor(&w, ORDER_TRY_FACTOR, ORDER_RECOVERY);
	factor(&w, ORDER_TRY_FACTOR, ORDER_STEPS);
	factor(&w, ORDER_RENEW_FACTOR, ORDER_FLAG);
	factor(&w, ORDER_RENEW_FACTOR, ORDER_FLAG);
	factor(&w, ORDER_RENEW_FACTOR, 0);
	factor(&w, ORDER_BEGIN_FACTOR, 0);
	factor(&w, ORDER_CONFIRM_FACTOR, 1);
	order(&w, ORDER_REMOVE_FACTOR, TOKEN_NONE, NAME_ANNA, NAME_ANNA, COMPUTATION_NONE, 0);
	calls_save_to("people_calls", "factors", &w);
}

static void usage(struct writer *w, enum order_token token, enum order_name name, uint8_t operand)
{
	order(w, ORDER_USAGE, token, name, NAME_ANNA, COMPUTATION_NONE, operand);
}

/* What two workspaces used, for computations that one may see and another may not. */
static void save_usage(void)
{
	static const enum order_token by[] = { TOKEN_A, TOKEN_B, TOKEN_NONE, TOKEN_WRONG };
	static const uint8_t operands[] = {
		0, ORDER_FLAG, ORDER_OTHER_MONTH, ORDER_BAD_MONTH, ORDER_BAD_PLACE, ORDER_BEHIND
	};
	struct writer w = begin(0, ALL);

	order(&w, ORDER_ADD_WORKSPACE, TOKEN_NONE, NAME_OWN, NAME_ANNA, COMPUTATION_NONE, 0);
	order(&w, ORDER_ADD_MEMBER, TOKEN_NONE, NAME_OWN, NAME_ANNA, COMPUTATION_NONE, 2);
	simple(&w, ORDER_CREATE, TOKEN_A, COMPUTATION_ONE);
	simple(&w, ORDER_CREATE, TOKEN_B, COMPUTATION_TWO);
	for (int id = 0; id < ORDER_IDS; id++) {
		order(&w, ORDER_METER, TOKEN_NONE, NAME_DEFAULT, NAME_ANNA, (enum order_id)id, 2);
		order(&w, ORDER_METER, TOKEN_NONE, NAME_OWN, NAME_ANNA, (enum order_id)id, 3);
	}
	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		usage(&w, by[i], NAME_EMPTY, 0);
		usage(&w, by[i], NAME_DEFAULT, 0);
		usage(&w, by[i], NAME_OWN, 0);
		usage(&w, by[i], NAME_BAD, 0);
	}
	for (size_t i = 0; i < sizeof(operands); i++)
		usage(&w, TOKEN_A, NAME_EMPTY, operands[i]);
	order(&w, ORDER_SUSPEND_MEMBER, TOKEN_NONE, NAME_DEFAULT, NAME_ANNA, COMPUTATION_NONE, 0);
	usage(&w, TOKEN_A, NAME_EMPTY, 0);
	usage(&w, TOKEN_A, NAME_DEFAULT, 0);
	calls_save_to("people_calls", "usage", &w);
}

/* Nobody without a token; with one of an administrator's, as over a socket. */
static void save_signed_in(void)
{
	static const struct {
		const char *name;
		enum order_token token;
	} by[] = { { "signed-in", TOKEN_A }, { "signed-out", TOKEN_NONE } };

	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		struct writer w = calls_begin(1);

		for (int what = 0; what < ORDERS; what++)
			simple(&w, (enum order)what, by[i].token, COMPUTATION_ONE);
		calls_save_to("people_calls", by[i].name, &w);
	}
}

/* Each call of one's own, with the database failing at each of its statements; behind what it is about. */
static void save_failing(enum order what, enum order_token token, enum order_name name,
			 enum order_name other, enum order_id id, uint8_t operand)
{
	struct writer w = begin(ORDER_FLAG, ALL);
	char path[64];

	order(&w, ORDER_ADD_WORKSPACE, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 0);
	order(&w, ORDER_ADD_MEMBER, TOKEN_A, NAME_OWN, NAME_BERT, COMPUTATION_ONE, 1);
	key(&w, TOKEN_A, NAME_ANNA, COMPUTATION_NONE, 0);
	order(&w, ORDER_CREATE, TOKEN_A, NAME_ANNA, NAME_BERT, COMPUTATION_ONE, ORDER_FLAG);
	order(&w, ORDER_REGISTER_ASSET, TOKEN_A, NAME_DEFAULT, NAME_OWN, COMPUTATION_ONE, 0);
	order(&w, ORDER_INVITE, TOKEN_A, NAME_OWN, NAME_VIEWER, COMPUTATION_ONE, 1);
	order(&w, ORDER_PUT_INVITATION, TOKEN_A, NAME_OWN, NAME_ANNA, COMPUTATION_ONE, 1);
	order(&w, ORDER_METER, TOKEN_NONE, NAME_DEFAULT, NAME_ANNA, COMPUTATION_ONE, 2);
	order(&w, ORDER_GIVE_ROLE, TOKEN_A, NAME_VIEWER, NAME_BERT, COMPUTATION_ONE, 0);
	order(&w, ORDER_CHALLENGE_KEY, token, NAME_BERT, NAME_BERT, COMPUTATION_NONE, 0);
	for (unsigned at = 1; at <= ORDER_FAILS_MAX; at++)
		order(&w, what, (enum order_token)(token | at << ORDER_FAILS_SHIFT), name, other,
		      id, operand);
	order(&w, what, token, name, other, id, operand);
	snprintf(path, sizeof(path), "failing-%d-%d", what, token);
	calls_save_to("people_calls", path, &w);
}

static void save_all_failing(void)
{
	for (int what = 0; what < ORDERS; what++) {
		bool of_place = what >= ORDER_ADD_WORKSPACE && what != ORDER_CONFIRM &&
				what != ORDER_REMOVE_FACTOR && what != ORDER_SET_AUDITOR &&
				what != ORDER_REMOVE_PASSKEYS;
		bool of_asset = what >= ORDER_REGISTER_ASSET && what <= ORDER_LINK_ASSET;
		enum order_name name = of_asset || what == ORDER_USAGE || what == ORDER_METER
					       ? NAME_DEFAULT
				       : of_place ? NAME_OWN
						  : NAME_ANNA;
		uint8_t operand = what == ORDER_ADD_TOKEN || what == ORDER_DEFINE_ROLE ? VIEW : 0;

		if (what == ORDER_REVOKE_INVITATION || what == ORDER_ADD_MEMBER ||
		    what == ORDER_SET_MEMBER)
			operand = 1;
		if (what == ORDER_DEFINE_ROLE || what == ORDER_GIVE_ROLE || what == ORDER_TAKE_ROLE)
			name = what == ORDER_DEFINE_ROLE ? NAME_OWN : NAME_VIEWER;
		save_failing((enum order)what, TOKEN_A, name,
			     of_asset || what == ORDER_ADD_TOKEN || what == ORDER_REVOKE_TOKEN
				     ? NAME_OWN
				     : NAME_BERT,
			     COMPUTATION_ONE, operand);
		save_failing((enum order)what, TOKEN_B,
			     what < ORDER_ADD_WORKSPACE ? NAME_BERT : name, NAME_BERT,
			     what == ORDER_CREATE ? COMPUTATION_TWO : COMPUTATION_NONE, operand);
	}
}

void calls_people_calls(void)
{
	save_all_failing();
	save_all(0, ALL, "user");
	save_all(0, VIEW, "viewer");
	save_all(ORDER_FLAG, ALL, "chief");
	save_roles();
	save_tokens();
	save_keys();
	save_logins();
	save_workspaces();
	save_invitations();
	save_assets();
	save_lists();
	save_assets_changed();
	save_factors();
	save_usage();
	save_signed_in();
}
