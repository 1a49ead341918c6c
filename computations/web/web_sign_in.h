/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_sign_in.h — how one comes in: the rows' handlers.
 *
 * On loopback a session has a host name of its own (web_door.h), so who signed in gets there by a link; over TLS
 * the page has the certificate's name, and the session's cookie comes at once.
 */
#pragma once

#include "common/base/writer.h"
#include "common/http/request.h"

struct web;

void web_sign_in(struct http_request *r, void *data);
void web_sign_in_try(struct http_request *r, void *data);
/* Its form, with what was wrong (NULL: nothing); and a page whose form may lead to a name of its own. */
void web_sign_in_show(struct web *web, struct http_request *r, const char *name, unsigned status,
		      const struct err *e);
void web_sign_in_reply(struct web *web, struct http_request *r, struct writer *w, unsigned status);
/* A link that lets somebody choose a password (entry.h). */
void web_choose(struct http_request *r, void *data);
void web_choose_try(struct http_request *r, void *data);
/* A link to a name of its own. */
void web_arrive(struct http_request *r, void *data);
void web_give_link(struct http_request *r, void *data);

/* web_me.c: who is in, his sessions and password. */
void web_me(struct http_request *r, void *data);
void web_me_password(struct http_request *r, void *data);
void web_me_password_try(struct http_request *r, void *data);
void web_keys(struct http_request *r, void *data);
void web_keys_json(struct http_request *r, void *data);
void web_me_json(struct http_request *r, void *data);
/* web_device.c: somebody lets a command line in. */
void web_device(struct http_request *r, void *data);
void web_device_see(struct http_request *r, void *data);
void web_device_let_in(struct http_request *r, void *data);
void web_device_refuse(struct http_request *r, void *data);
void web_sign_out(struct http_request *r, void *data);

/* web_invitation.c: by an invitation (invitation.h), for who has an account, and who has none. */
void web_invited(struct http_request *r, void *data);
void web_invited_register(struct http_request *r, void *data);
void web_invited_known(struct http_request *r, void *data);
void web_invited_sign_in(struct http_request *r, void *data);

struct store;
struct web_enter;
/* What else signs in with a password takes name and password of its form so, and looks again before it keeps anything:
 * it may have been changed meanwhile. */
void web_sign_in_take(struct web_enter *en);
int web_sign_in_check(struct store *store, struct web_enter *en, struct err *e) MUST_CHECK;
