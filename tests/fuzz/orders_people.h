/* SPDX-License-Identifier: Apache-2.0 */
/* orders_people.h — numbers in the input of fuzz_people_calls, for the target and for make_calls. */
#pragma once

/* A command is six bytes: what is asked, by whose token and the statement at which the database fails, two names, a computation, and an operand: a set of
 * actions, with ORDER_FLAG. */
enum { ORDER_FLAG = 0x80, ORDER_TOO_MANY = 0xff };
enum { ORDER_TOKEN = 7, ORDER_FAILS_SHIFT = 3, ORDER_FAILS_MAX = 31 };

enum order {
	ORDER_ADD_USER,
	ORDER_LIST_USERS,
	ORDER_SUSPEND_USER,
	ORDER_REMOVE_USER,
	ORDER_ADD_TOKEN, /* the answer's token is the next of three that are kept */
	ORDER_LIST_TOKENS,
	ORDER_REVOKE_TOKEN,
	ORDER_LIST_ROLES,
	ORDER_DEFINE_ROLE, /* the first name is the role's, in the next two as well */
	ORDER_GIVE_ROLE,
	ORDER_TAKE_ROLE,
	ORDER_WHOAMI,
	ORDER_CREATE,
	ORDER_LIST,
	ORDER_SHOW,
	ORDER_RUN,
	ORDER_STOP,
	ORDER_REMOVE,
	ORDER_LOGS,
	ORDER_WITNESS,
	ORDER_LIST_CVMS,
	ORDER_SET_PASSWORD, /* the second name, which none may be */
	ORDER_ADD_LINK,
	ORDER_LIST_SESSIONS,
	ORDER_END_SESSION, /* of the operand's number */
	ORDER_CHALLENGE_KEY, /* with ORDER_OTHER_KEY, of the other one of two keys; in the next one as well */
	ORDER_REGISTER_KEY, /* by the challenge that came last; the first name is signed, and the operand spoils it */
	ORDER_LIST_KEYS,
	ORDER_RETIRE_KEY,
	ORDER_FIND_KEY,
	ORDER_LIST_KEY_OWNERS,
	ORDER_ASK_LOGIN, /* the one that the next three are about; the second name is what it calls itself */
	ORDER_LET_IN, /* as the first name; one that is nobody's refuses it */
	ORDER_POLL_LOGIN,
	ORDER_TAKE_LOGIN, /* the answer's token is kept, as ORDER_ADD_TOKEN's */
	ORDER_END_TOKEN,
	ORDER_ADD_WORKSPACE, /* from here on the first name is the workspace's, the second one a user's or new name */
	ORDER_LIST_WORKSPACES,
	ORDER_SHOW_WORKSPACE,
	ORDER_RENAME_WORKSPACE,
	ORDER_REMOVE_WORKSPACE,
	ORDER_LEAVE_WORKSPACE,
	ORDER_LIST_MEMBERS,
	ORDER_ADD_MEMBER, /* in the next two the operand is a role */
	ORDER_SET_MEMBER,
	ORDER_SUSPEND_MEMBER, /* with ORDER_FLAG taken back */
	ORDER_REMOVE_MEMBER,
	ORDER_TRANSFER_WORKSPACE,
	ORDER_CONFIRM, /* the first name is signed, by a key as of ORDER_REGISTER_KEY; the operand spoils it */
	ORDER_LIST_CONFIRMATIONS,
	ORDER_REMOVE_FACTOR, /* of the first name, which is a user's */
	ORDER_SET_AUDITOR,   /* with ORDER_FLAG no more */
	ORDER_INVITE, /* as a role of ORDER_ADD_MEMBER, and so many days; the second name is its note */
	ORDER_LIST_INVITATIONS,
	ORDER_REVOKE_INVITATION, /* of the operand's number */
	ORDER_PUT_INVITATION, /* is there, by the second name; the one that the next one is about */
	ORDER_TAKE_INVITATION, /* with ORDER_FLAG, with a secret that is wrong */
	ORDER_REGISTER_ASSET, /* of the second name; the operand is as below, here and in ORDER_UPDATE_ASSET */
	ORDER_LIST_ASSETS,
	ORDER_SHOW_ASSET,
	ORDER_UPDATE_ASSET,
	ORDER_REMOVE_ASSET,
	ORDER_LINK_ASSET,
	ORDER_BEGIN_FACTOR, /* as the first name at the page, which the next three are as well */
	ORDER_CONFIRM_FACTOR, /* so many steps later as the operand says; with ORDER_FLAG by a wrong code */
	ORDER_TRY_FACTOR,   /* the same; with ORDER_RECOVERY by a recovery code */
	ORDER_RENEW_FACTOR, /* with ORDER_FLAG there is none any more */
	ORDER_METER,        /* a CVM of the first name's workspace ran for that computation */
	ORDER_USAGE, /* of the first name's; the operand is as below, and with ORDER_FLAG one row */
	ORDER_REMOVE_PASSKEYS, /* of the first name, which is a user's */
	ORDERS
};

/* What is wrong with a registration, or a confirmation: of a digest, and a revision. */
enum {
	ORDER_OTHER_KEY = 1,
	ORDER_OTHER_SIGNER = 2,
	ORDER_SHORT_CHALLENGE = 4,
	ORDER_NO_KEY = 8,
	ORDER_SHORT_SIGNATURE = 16,
	ORDER_OTHER_DIGEST = 4,
	ORDER_OTHER_REVISION = 32
};

/* Which usage is asked for. */
enum { ORDER_OTHER_MONTH = 1, ORDER_BAD_MONTH = 2, ORDER_BAD_PLACE = 4, ORDER_BEHIND = 8 };

enum { ORDER_RECOVERY = 0x40, ORDER_STEPS = 0x3f };

/* What is said of an asset. */
enum {
	ORDER_DATASET = 1,
	ORDER_OTHER_TYPE = 2,
	ORDER_OTHER_ASSET = 4, /* a digest that no manifest has */
	ORDER_SHORT_ASSET = 8,
	ORDER_DESCRIBED = 16,
	ORDER_NO_DESCRIPTION = 32,
	ORDER_MIME = 64,
	ORDER_BAD_MIME = 128
};

enum order_token {
	TOKEN_NONE,
	TOKEN_A,
	TOKEN_B,
	TOKEN_C,
	TOKEN_WRONG,
	TOKEN_MALFORMED,
	TOKEN_OTHER_SCHEME,
	ORDER_TOKENS
};
enum order_name {
	NAME_ANNA,
	NAME_BERT,
	NAME_EMPTY,
	NAME_OWNER,
	NAME_VIEWER,
	NAME_OWN,
	NAME_BAD,
	NAME_PROVIDER,
	NAME_DEFAULT,
	ORDER_NAMES
};
/* Of a list, instead: its order, and whether something is searched for. */
enum { ORDER_SORTS = 8, ORDER_SEARCH = ORDER_SORTS };
enum order_id { COMPUTATION_ONE, COMPUTATION_TWO, COMPUTATION_NONE, ORDER_IDS };
