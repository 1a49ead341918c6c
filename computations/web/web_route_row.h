/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_route_row.h — how the rows of web_routes.c are written: of pages, forms, and what programs ask. For this folder only.
 */
#pragma once

#include "common/http/form.h"
#include "computations/web/web_act.h"
#include "computations/web/web_form.h"
#include "computations/web/web_guard.h"
#include "computations/web/web_passkey.h"
#include "computations/web/web_work.h"

/* API: with a line about it, and its type. OPEN: to everybody. */
#define GET(path, who, names, handler) \
	{ .method = HTTP_GET, .pattern = path, .may = who, .query = names, .serve = handler }
#define API(path, deed_, query, serve, summary_, ...)      \
	{ .http = GET(path, web_guard_read, query, serve), \
	  .deed = deed_,                                   \
	  .summary = (summary_),                           \
	  __VA_ARGS__ }
/* Its last: JSON, and what of; or what is of no noun. */
#define TELLS(noun) .type = WEB_JSON_TYPE, .tells = NOUN_##noun
#define BARE(type_) .type = (type_)
#define PAGE(path, deed_, query, serve) \
	{ .http = GET(path, web_guard_read, query, serve), .deed = deed_ }
/* The same of a list in an order. */
#define API_LIST(path, deed_, query, serve, list_, noun, summary_) \
	{ .http = GET(path, web_guard_read, query, serve),         \
	  .deed = deed_,                                           \
	  .summary = (summary_),                                   \
	  TELLS(noun),                                             \
	  .list = &(list_) }
#define PAGE_LIST(path, deed_, query, serve, list_) \
	{ .http = GET(path, web_guard_read, query, serve), .deed = deed_, .list = &(list_) }
/* A form, by whom may send it. */
#define FORM(path, who, serve)                                                              \
	{                                                                                   \
		.http = { HTTP_POST, path, who, WEB_FORM_MAX, WEB_FORM_TYPE, NULL, serve }, \
		.deed = DEED_BE,                                                            \
	}
/* One with fields of several lines. */
#define LONG_FORM(path, who, serve)                                                          \
	{                                                                                    \
		.http = { HTTP_POST, path, who, HTTP_FORM_MAX, WEB_FORM_TYPE, NULL, serve }, \
		.deed = DEED_BE,                                                             \
	}
/* A form that is a call of the administrators' methods, which say who may; and the same for programs. */
#define CHANGE(path, action_)                                                                   \
	{                                                                                       \
		.http = { HTTP_POST, path, web_guard_change, WEB_FORM_MAX, WEB_FORM_TYPE, NULL, \
			  web_act_form },                                                       \
		.deed = DEED_BE,                                                                \
		.action = &(action_),                                                           \
	}
#define SEND(method_, path, action_, size, query, deed_, summary_)                                 \
	{                                                                                          \
		.http = { method_, path, web_guard_act, size, WEB_JSON_TYPE, query, web_act_api }, \
		.deed = deed_,                                                                     \
		.action = &(action_),                                                              \
		.summary = (summary_),                                                             \
		.type = WEB_JSON_TYPE,                                                             \
	}
/* Makes something of a document, which its handler reads. */
#define MAKE(path, size, query, serve, takes_, noun, summary_)                           \
	{ .http = { HTTP_POST, path, web_guard_act, size, WEB_JSON_TYPE, query, serve }, \
	  .deed = DEED_BE,                                                               \
	  .takes = (takes_),                                                             \
	  .summary = (summary_),                                                         \
	  TELLS(noun) }
/* Puts one in place of another. */
#define PUTS(path, size, serve, takes_, action_, summary_)                             \
	{ .http = { HTTP_PUT, path, web_guard_act, size, WEB_JSON_TYPE, NULL, serve }, \
	  .deed = DEED_SEE,                                                            \
	  .takes = (takes_),                                                           \
	  .action = &(action_),                                                        \
	  .summary = (summary_),                                                       \
	  .type = WEB_JSON_TYPE }
/* The same of a call whose message its handler makes. */
#define MAKES(path, size, serve, action_, summary_)                                     \
	{ .http = { HTTP_POST, path, web_guard_act, size, WEB_JSON_TYPE, NULL, serve }, \
	  .deed = DEED_BE,                                                              \
	  .action = &(action_),                                                         \
	  .summary = (summary_),                                                        \
	  .type = WEB_JSON_TYPE }
#define OPEN(path, serve)             OPEN_WITH(path, NULL, serve)
#define OPEN_WITH(path, names, serve) { .http = GET(path, http_anybody, names, serve) }
/* What a passkey says, which is more than other forms hold. */
#define BRING(path, serve)                                                                      \
	{                                                                                       \
		.http = { HTTP_POST, path, web_guard_try, WEB_BROUGHT_MAX, WEB_FORM_TYPE, NULL, \
			  serve },                                                              \
		.deed = DEED_BE,                                                                \
	}
