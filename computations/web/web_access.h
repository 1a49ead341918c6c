/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_access.h — who asks for a page or calls the API, and what that is: as admin_access.h, from which the rest
 * comes, for requests of HTTP.
 *
 * With a token (Authorization: Bearer) or a session's cookie (web_sign_in.c) it is its user. Without, whoever the door lets in (web_door.h)
 * administers the service, but for COMPUTATIONS_ADMIN_SIGN_IN, which takes nobody's certificate for that.
 */
#pragma once

#include "computations/core/admin_access.h"
#include "computations/web/web_work.h"

/* What a session's forms carry: made of its secret, which no page has; or of a client's certificate and a secret of
 * this process. */
int web_access_csrf(const struct web *web, const struct http_request *r,
		    char csrf[WEB_CSRF_LEN + 1], struct err *e) MUST_CHECK;
/* The name of a session's cookie. */
const char *web_access_cookie(const struct http_request *r);

/* Before the may() of each row that web_route_is_counted(), and with it: how many requests a user makes (call_rate.h). */
int web_access_may(struct http_request *r, void *data, struct err *e) MUST_CHECK;

struct store_queue_op;
/* store_queue_add_for() of whom nobody has to be known for: whoever else comes from there has the same turns. */
int web_access_queue(struct web *web, const struct http_request *r, const struct store_queue_op *op,
		     bool audits, struct err *e) MUST_CHECK;

/* On the loop. ERR_UNAUTHENTICATED, ERR_DENIED: nobody who could be let in. */
int web_access_take(struct web *web, const struct http_request *r, struct admin_caller *caller,
		    struct err *e) MUST_CHECK;
