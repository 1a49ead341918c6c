/* SPDX-License-Identifier: Apache-2.0 */
/* web_routes.c — what can be asked for, and what the API's document says of it. */
#include "common/base/log.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_asset.h"
#include "computations/web/web_form.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the caller could be somebody; whose token it is, and what he may, is found out in the pool. */
static int may(const struct http_request *r, void *data, struct err *e)
{
	struct admin_caller ignored;

	return web_access_take(data, r, &ignored, e);
}

/* A form of a page of ours, which anybody may send; and one of somebody who signed in. */
static int may_try(const struct http_request *r, void *data, struct err *e)
{
	return web_door_check_change(r, e);
}

static int may_change(const struct http_request *r, void *data, struct err *e)
{
	struct admin_caller ignored;

	if (web_door_check_change(r, e) < 0)
		return err_code(e);
	return web_access_take(data, r, &ignored, e);
}

/* Who may open the administrators' socket may let a browser in. */
static int may_link(const struct http_request *r, void *data, struct err *e)
{
	const struct web *web = data;

	if (web_door_check_origin(r, e) < 0)
		return err_code(e);
	if (!http_request_identity(r).has_uid)
		return err_set(e, ERR_DENIED,
			       "links are given to whoever may open the "
			       "administrators' socket");
	if (!web->door.port)
		return err_set(e, ERR_PRECONDITION,
			       "COMPUTATIONS_WEB is no loopback address, and needs no link");
	return 0;
}

static void give_link(struct http_request *r, void *data)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_URL_MAX + 1);
	struct http_answer answer = { .status = 200, .type = "text/plain; charset=utf-8" };
	struct web *web = data;
	char url[WEB_URL_MAX];
	struct err e;

	if (web_door_link(&web->door, 0, url, &e) < 0) {
		http_request_fail(r, &e);
		return;
	}
	log_info("page: user %u got a link that works once",
		 (unsigned)http_request_identity(r).uid);
	writer_text(&w, url);
	writer_text(&w, "\n");
	answer.body = writer_take(&w, &answer.len);
	http_request_answer(r, &answer);
}

static void asset_css(struct http_request *r, void *data)
{
	http_asset_serve(r, &web_asset_css);
}

static void asset_js(struct http_request *r, void *data)
{
	http_asset_serve(r, &web_asset_js);
}

static void asset_icons(struct http_request *r, void *data)
{
	http_asset_serve(r, &web_asset_icons);
}

static void asset_mark(struct http_request *r, void *data)
{
	http_asset_serve(r, &web_asset_mark);
}

static const char *const list_query[] = { "q", "state", "before", NULL };
static const char *const after_query[] = { "after", NULL };

/* API: with a line about it, and its type. OPEN: to everybody. */
#define GET(path, who, names, handler) \
	{ .method = HTTP_GET, .pattern = path, .may = who, .query = names, .serve = handler }
#define API(path, deed_, query, serve, summary_, type_) \
	{ .http = GET(path, may, query, serve),         \
	  .deed = deed_,                                \
	  .summary = (summary_),                        \
	  .type = (type_) }
#define PAGE(path, deed_, query, serve) { .http = GET(path, may, query, serve), .deed = deed_ }
/* A form, by whom may send it. */
#define FORM(path, who, serve)                                                              \
	{                                                                                   \
		.http = { HTTP_POST, path, who, WEB_FORM_MAX, WEB_FORM_TYPE, NULL, serve }, \
		.deed = DEED_BE,                                                            \
	}
#define OPEN(path, serve) { .http = GET(path, http_anybody, NULL, serve) }

const struct web_route web_routes[] = {
	API("/api/computations", DEED_BE, list_query, web_list_json,
	    "Computations, newest first. The next page is behind “next”.", "application/json"),
	API("/api/computations/{id}", DEED_SEE, NULL, web_one_json,
	    "One computation: its state, its participants' keys, its assets.", "application/json"),
	API("/api/computations/{id}/manifest", DEED_SEE, NULL, web_manifest,
	    "The manifest, byte for byte what its digest is of.", "application/json"),
	API("/api/computations/{id}/events", DEED_SEE, after_query, web_events,
	    "Log lines and events as they come, from behind “after” or Last-Event-ID.",
	    "text/event-stream"),
	API("/api/computations/{id}/roles", DEED_SEE, NULL, web_roles_json,
	    "Its roles: what they allow, and who has them.", "application/json"),
	API("/api/cvms", DEED_OPERATE, after_query, web_cvms_json,
	    "CVMs whose agents have connected, oldest first. The next page is behind “next”.",
	    "application/json"),
	API("/api/cvms/{cvm}", DEED_OPERATE, NULL, web_cvm_json, "One CVM.", "application/json"),
	API("/api/users", DEED_OPERATE, after_query, web_users_json,
	    "Users, oldest first. The next page is behind “next”.", "application/json"),
	API("/api/openapi.json", DEED_BE, NULL, web_openapi, "This document.", "application/json"),
	PAGE("/api", DEED_BE, NULL, web_reference),
	PAGE("/", DEED_BE, list_query, web_list), /* those that he may see */
	PAGE("/c/{id}", DEED_SEE, NULL, web_one),
	PAGE("/c/{id}/manifest", DEED_SEE, NULL, web_manifest_page),
	PAGE("/c/{id}/roles", DEED_SEE, NULL, web_roles),
	PAGE("/cvms", DEED_OPERATE, after_query, web_cvms),
	PAGE("/cvms/{cvm}", DEED_OPERATE, NULL, web_cvm),
	PAGE("/users", DEED_OPERATE, after_query, web_users),
	PAGE("/audit", DEED_OPERATE, NULL, web_audit),
	PAGE("/audit.jsonl", DEED_OPERATE, NULL, web_audit_file),
	PAGE("/c/{id}/manifest.json", DEED_SEE, NULL, web_manifest),
	PAGE("/c/{id}/events.sse", DEED_SEE, after_query, web_events),
	PAGE("/me", DEED_BE, NULL, web_me),
	PAGE("/me/password", DEED_BE, NULL, web_me_password),
	FORM("/me/change", may_change, web_me_password_try),
	FORM("/me/sessions/{number}", may_change, web_me_end),
	FORM("/me/others", may_change, web_me_end_others),
	FORM("/me/tokens/{name}", may_change, web_me_revoke),
	PAGE(WEB_DEVICE_PATH, DEED_BE, NULL, web_device),
	FORM(WEB_DEVICE_PATH, may_change, web_device_see),
	FORM(WEB_DEVICE_PATH "/let-in", may_change, web_device_let_in),
	FORM(WEB_DEVICE_PATH "/refuse/{code}", may_change, web_device_refuse),
	FORM("/sign-out", may_change, web_sign_out),
	{ .http = { HTTP_POST, "/link", may_link, 0, NULL, NULL, give_link },
	  .deed = DEED_OPERATE },
	/* Nothing of these is about a computation, and the page that says how to get in looks as all do. */
	OPEN("/in/{secret}", web_arrive),
	OPEN("/sign-in", web_sign_in),
	FORM("/sign-in", may_try, web_sign_in_try),
	OPEN("/password/{secret}", web_choose),
	FORM("/password/{secret}", may_try, web_choose_try),
	OPEN("/page.css", asset_css),
	OPEN("/page.js", asset_js),
	OPEN("/icons.svg", asset_icons),
	OPEN("/mark.svg", asset_mark),
};
const size_t web_routes_count = ARRAY_LEN(web_routes);
static_assert(ARRAY_LEN(web_routes) <= WEB_ROUTES_MAX, "they are copied");

enum deed web_deed_of(const struct web *web, const struct http_request *r)
{
	return web_routes[http_request_route(r) - web->rows].deed;
}
