/* SPDX-License-Identifier: Apache-2.0 */
/* web_routes.c — what can be asked for, and what the API's document says of it. */
#include "common/base/log.h"
#include "computations/web_asset.h"
#include "computations/web_words.h"
#include "computations/web_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int may(const struct http_request *r, void *data, struct err *e)
{
	struct web *web = data;

	return web_door_check(&web->door, r, e);
}

/* Who may open the administrators' socket may let a browser in. */
static int may_link(const struct http_request *r, void *data, struct err *e)
{
	const struct web *web = data;

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

	if (web_door_link(&web->door, url, &e) < 0) {
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

static void enter(struct http_request *r, void *data)
{
	const char *host = http_request_header(r, "host", 0);
	char cookie[WEB_URL_MAX];
	struct web *web = data;
	struct err e;

	if (web_door_enter(&web->door, host ? host : "", http_request_param(r, "secret"), cookie,
			   &e) < 0) {
		log_info("page: %s came with a link that does not work", http_request_peer(r));
		http_request_fail(r, &e);
		return;
	}
	log_info("page: %s came with a link, and is in", http_request_peer(r));
	http_request_answer(r, &(struct http_answer){
				       .status = 303,
				       .more = { { "location", "/" }, { "set-cookie", cookie } } });
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
static const char *const events_query[] = { "after", NULL };

#define GET(path, who, query, serve) { HTTP_GET, path, who, 0, NULL, query, serve }

const struct http_route web_routes[] = {
	GET("/api/computations", may, list_query, web_list_json),
	GET("/api/computations/{id}", may, NULL, web_one_json),
	GET("/api/computations/{id}/manifest", may, NULL, web_manifest),
	GET("/api/computations/{id}/events", may, events_query, web_events),
	GET("/api/openapi.json", may, NULL, web_openapi),
	GET("/api", may, NULL, web_reference),
	GET("/", may, list_query, web_list),
	GET("/c/{id}", may, NULL, web_one),
	GET("/c/{id}/manifest.json", may, NULL, web_manifest),
	GET("/c/{id}/events.sse", may, events_query, web_events),
	{ HTTP_POST, "/link", may_link, 0, NULL, NULL, give_link },
	/* Nothing of these is about a computation, and the page that says how to get in looks as all do. */
	GET("/in/{secret}", http_anybody, NULL, enter),
	GET("/page.css", http_anybody, NULL, asset_css),
	GET("/page.js", http_anybody, NULL, asset_js),
	GET("/icons.svg", http_anybody, NULL, asset_icons),
	GET("/mark.svg", http_anybody, NULL, asset_mark),
};
const size_t web_routes_count = ARRAY_LEN(web_routes);

const struct web_described web_descriptions[ARRAY_LEN(web_routes)] = {
	{ "Computations, newest first. The next page is behind `next`.", "application/json" },
	{ "One computation: its state, its participants' keys, its assets.", "application/json" },
	{ "The manifest, byte for byte what its digest is of.", "application/json" },
	{ "Log lines and events as they come, from behind `after` or Last-Event-ID.",
	  "text/event-stream" },
	{ "This document.", "application/json" },
};
