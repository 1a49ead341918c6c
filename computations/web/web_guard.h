/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_guard.h — who may ask for a route at all, for the table of routes (web_routes.c): each looks at a request's head on
 * the loop, before a body is read, and refuses with ERR_UNAUTHENTICATED, ERR_DENIED or ERR_PRECONDITION. `data` is the struct web.
 */
#pragma once

#include "common/base/err.h"
#include "common/http/request.h"

/* Whether the caller could be somebody; whose token it is, and what he may, is found out in the pool. */
int web_guard_read(struct http_request *r, void *data, struct err *e) MUST_CHECK;

/* A form of a page of ours, which anybody may send; and one of somebody who signed in. */
int web_guard_try(struct http_request *r, void *data, struct err *e) MUST_CHECK;
int web_guard_change(struct http_request *r, void *data, struct err *e) MUST_CHECK;

/* The API: a browser says where it is asked for, and has to ask from our page; a program need not. */
int web_guard_act(struct http_request *r, void *data, struct err *e) MUST_CHECK;

/* Who may open the administrators' socket may let a browser in. */
int web_guard_link(struct http_request *r, void *data, struct err *e) MUST_CHECK;
