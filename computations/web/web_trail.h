/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_trail.h — what is done on the page and is no method of the administrators': how one comes in, and leaves. The audit
 * log has it as it has their calls. For this folder only.
 */
#pragma once

#include "common/rpc/call_local.h"
#include "computations/core/admin_access.h"
#include "computations/store/store_audit.h"
#include "computations/web/web_work.h"

enum web_trail_deed {
	TRAIL_SIGN_IN,         /* with a password */
	TRAIL_SECOND,          /* with a code after it, to be in */
	TRAIL_CHOOSE_PASSWORD, /* with a link */
	TRAIL_CHANGE_PASSWORD,
	TRAIL_CONFIRM,      /* with the password, before what needs it */
	TRAIL_LET_IN,       /* a command line, with the password, or a passkey */
	TRAIL_REFUSE,       /* one that somebody else began */
	TRAIL_BEGIN_FACTOR, /* with the password */
	TRAIL_CONFIRM_FACTOR,
	TRAIL_RENEW_CODES, /* with the password and a code; so is the next */
	TRAIL_REMOVE_FACTOR,
	TRAIL_PASSKEY,       /* to be in, alone or after the password */
	TRAIL_BEGIN_PASSKEY, /* with the password, and a code where there is a factor */
	TRAIL_ADD_PASSKEY,
	TRAIL_RENAME_PASSKEY,
	TRAIL_REMOVE_PASSKEY,
	TRAIL_SIGN_OUT,
	TRAIL_GIVE_LINK,     /* to whoever may open the administrators' socket */
	TRAIL_COME_IN,       /* with such a link, or one that a password was worth */
	TRAIL_REGISTER,      /* with an invitation: a user who is new, and a member */
	TRAIL_JOIN,          /* the same by one who has a password */
	TRAIL_SIGN_IN_WITH,  /* a provider of identities */
	TRAIL_REGISTER_WITH, /* one: a user who is new, by what it says of him */
	TRAIL_LINK,          /* an account there with a user, with the password */
	TRAIL_UNLINK,
	TRAIL_DEEDS,
};

/* Zeroed: not begun. It must stay where it is until it ends. */
struct web_trail {
	struct rpc_call *call;
	struct admin_given given;
	const char *what;
	enum audit_room room; /* of users */
	char who[PEOPLE_NAME_MAX + 8], from[LOGIN_PEER_MAX + 1];
	char workspace[PEOPLE_NAME_MAX + 1]; /* that it is about; "": none */
	char after[64];                      /* what came of it; "": all is said */
};

int web_trail_begin(struct web_trail *t, struct web *web, const struct http_request *r,
		    enum web_trail_deed deed, struct err *e) MUST_CHECK;
/* It was proven who it is, and something is about to change; ERR_UNAVAILABLE: the log can't be written. `by`: a user's
 * name, or "". */
int web_trail_admit(struct web_trail *t, const char *by, struct err *e) MUST_CHECK;
/* Its row in the audit log in the database, in the transaction of the change; the operation is an audited one
 * (store_queue.h). */
int web_trail_add(struct store *store, const struct web_trail *t, const char *by,
		  struct err *e) MUST_CHECK;
/* `e` NULL: well. Fine if it was not begun, or has ended. */
void web_trail_end(struct web_trail *t, const struct err *e);
