/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_action.h — what the page and its API change: each by a method of the administrators', which alone decides who may do
 * it, and when. For this folder only.
 */
#pragma once

#include "computations/web/web_work.h"

#include <protobuf-c/protobuf-c.h>

enum { WEB_BODY_MAX = 4096 }; /* bytes of JSON */

enum web_input_kind {
	INPUT_TEXT,
	INPUT_FLAG,
	INPUT_U32, /* from 1 */
	INPUT_U64,
	INPUT_DIGEST, /* SHA3-256, in hexadecimal digits */
	INPUT_ACTIONS, /* words, of people/action.h unless `word` says others; in a form a box for each */
	INPUT_DOCUMENT, /* bytes; of the API alone, as INPUT_PEOPLE: */
	INPUT_PEOPLE,   /* an object: users by other names, at most `most` */
};

enum web_input_place {
	INPUT_BODY,
	INPUT_PATH,
	INPUT_QUERY, /* of the API; in a form it is a field as others are */
};

/* A member of the method's message, and where it comes from. */
struct web_input {
	const char *name;
	enum web_input_kind kind;
	enum web_input_place place;
	bool is_needed;
	bool may_lack; /* of its form: it asks where that does something */
	/* Of a number; of a text of the API's body: bytes, which its method counts. */
	uint64_t most;
	uint64_t times;   /* a number is that often what was said, then; 0: as it was said */
	size_t at, count; /* in the message: itself, and how many there are of what is a list */
	/* Of INPUT_ACTIONS: the k-th of other words; NULL: there are no more. */
	const char *(*word)(unsigned k);
	const char *meaning;
	const char *
		pattern; /* ECMA-262, for the API's document: what else it has to be; NULL: that is said elsewhere */
};

/* What has to be as the caller saw it, if he says what he saw. */
enum web_revises {
	REVISES_NOTHING,
	REVISES_COMPUTATION,
	REVISES_ROLES,
	REVISES_MEMBER,
	REVISES_ASSET,
	REVISES_MACHINE,
	REVISES_CVM
};

struct web_act;

struct web_action {
	const char *method;
	const ProtobufCMessageDescriptor *request;
	const struct web_input *inputs; /* without a name: the end */
	bool needs_password;            /* of its form: a session alone is not enough */
	enum web_revises revises;
	/* What it is beyond its method's deed, as that finds out; DEED_ENTER: no more. */
	enum deed then;
	/* Where a form leads; %u: the path's {account}, {id}, {cvm}, {workspace}, {user} or {serial} */
	const char *leads;
	/* How the API answers: as a row that reads; NULL: there is nothing to say. */
	void (*answer)(struct http_request *r, void *data);
	/* Instead of both. */
	void (*reply)(struct web_act *act, const ProtobufCMessage *answer);
	enum web_noun_name tells; /* what either of them has in JSON */
	const char *secret; /* the member of what `reply` says that is told once; NULL: none */
	bool makes; /* `reply` is web_reply_made(): 201 and not 200, which the API's document says, too */
};

/* What a new token takes: how it is told is web_token.h's. */
extern const struct web_input web_input_token[];
/* What taking an invitation takes (web_invitation.c). */
extern const struct web_input web_input_join[], web_input_join_api[];

/* Forms, */
extern const struct web_action web_page_run, web_page_run_new, web_page_stop, web_page_remove,
	web_page_rename, web_page_give, web_page_take, web_page_release, web_page_end,
	web_page_end_others, web_page_revoke, web_page_token, web_page_join, web_page_member_role,
	web_page_member_suspend, web_page_member_remove, web_page_invite, web_page_withdraw,
	web_page_asset, web_page_asset_remove, web_page_workspace, web_page_workspace_rename,
	web_page_workspace_transfer, web_page_workspace_leave, web_page_define, web_page_redefine,
	web_page_undefine, web_page_key_retire, web_page_identity_remove;
/* and the API. */
extern const struct web_action web_api_run, web_api_stop, web_api_remove, web_api_rename,
	web_api_give, web_api_take, web_api_define, web_api_undefine, web_api_release, web_api_end,
	web_api_revoke, web_api_token, web_api_join, web_api_member_role, web_api_member_suspend,
	web_api_member_remove, web_api_invite, web_api_withdraw, web_api_asset,
	web_api_asset_remove, web_api_workspace, web_api_workspace_rename,
	web_api_workspace_transfer, web_api_workspace_leave, web_api_key_retire,
	web_api_identity_remove;
