/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_act.h — an action (web_action.h) on its way: read from a form or from JSON, made a call of the administrators' methods,
 * answered. For this folder only.
 */
#pragma once

#include "common/rpc/call_local.h"
#include "computations/web/web_action.h"
#include "computations/web/web_form.h"

struct web_act {
	struct http_request *r; /* a reference */
	struct web *web;
	const struct web_action *action;
	struct admin_given given;
	bool is_form;
};

/* The handlers of rows that have an action. */
void web_act_form(struct http_request *r, void *data);
void web_act_api(struct http_request *r, void *data);
/* A form's, once its caller has shown the password, too. */
void web_act_confirmed(struct web *web, struct http_request *r, const struct web_action *action,
		       const struct admin_caller *caller, struct web_form *form);

/* In a state that does not allow it (409), or another one than the caller saw (412). `field`: what is wrong, or "". */
void web_act_fail(struct http_request *r, const struct err *e, const char *field);

/* Who asks, for the audit log; answered() and its data are still to be said. */
struct rpc_local web_local(const struct http_request *r);
/* Which revision its caller saw, from the form or (NULL) from If-Match; "" where any will do. */
int web_act_seen(const struct http_request *r, const struct web_form *form,
		 enum web_revises revises, char revision[REVISION_LEN + 1],
		 struct err *e) MUST_CHECK;
/* A form of a page of this very session. */
int web_check_form(const struct web *web, const struct http_request *r, const struct web_form *form,
		   struct err *e) MUST_CHECK;
