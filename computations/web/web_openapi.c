/* SPDX-License-Identifier: Apache-2.0 */
/* web_openapi.c — the API's document (OpenAPI 3.1), and the page that shows it: both from the routes. */
#include "common/base/json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <string.h>

static const struct {
	const char *name, *meaning;
} queries[] = {
	{ "q", "text in name, id or description, or a manifest's digest" },
	{ "state", "such as waiting-for-algorithm" },
	{ "before", "the page behind (older than) this id" },
	{ "after", "what comes behind this one: an event's number, a CVM's id, a user's name" },
};

static const char *meaning_of(const char *query)
{
	for (size_t i = 0; i < ARRAY_LEN(queries); i++)
		if (strcmp(queries[i].name, query) == 0)
			return queries[i].meaning;
	return "";
}

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

static void put_parameter(struct writer *w, const char *in, const char *name, const char *type,
			  const char *meaning)
{
	writer_text(w, w->bytes[w->len - 1] == '[' ? "{" : ",{");
	put_text(w, "name", name);
	put_text(w, "in", in);
	put_text(w, "description", meaning);
	json_put_key(w, "required");
	writer_text(w, strcmp(in, "path") == 0 ? "true" : "false");
	json_put_key(w, "schema");
	writer_text(w, "{");
	put_text(w, "type", type);
	writer_text(w, "}}");
}

static void put_operation(struct writer *w, const struct web_route *about)
{
	const struct http_route *route = &about->http;

	writer_text(w, "{");
	json_put_key(w, "get");
	writer_text(w, "{");
	put_text(w, "summary", about->summary);
	json_put_key(w, "parameters");
	writer_text(w, "[");
	if (strstr(route->pattern, "{id}"))
		put_parameter(w, "path", "id", "string", "a computation's id");
	if (strstr(route->pattern, "{cvm}"))
		put_parameter(w, "path", "cvm", "string", "a CVM's id");
	for (const char *const *name = route->query; name && *name; name++)
		put_parameter(w, "query", *name, route->serve == web_events ? "integer" : "string",
			      meaning_of(*name));
	writer_text(w, "]");
	json_put_key(w, "responses");
	writer_text(w, "{");
	json_put_key(w, "200");
	writer_text(w, "{");
	put_text(w, "description", "What was asked for");
	json_put_key(w, "content");
	writer_text(w, "{");
	json_put_key(w, about->type);
	writer_text(w, "{}}}");
	json_put_key(w, "default");
	writer_text(w, "{");
	put_text(w, "description", "Why not, and what to do (RFC 9457)");
	json_put_key(w, "content");
	writer_text(w, "{");
	json_put_key(w, "application/problem+json");
	writer_text(w, "{}}}}}}");
}

static void reply_document(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	writer_text(&w, "{");
	put_text(&w, "openapi", "3.1.0");
	json_put_key(&w, "info");
	writer_text(&w, "{");
	put_text(&w, "title", "Cocos computation service");
	put_text(&w, "version", COCOS_VERSION);
	put_text(&w, "description", WEB_API);
	writer_text(&w, "}");
	json_put_key(&w, "paths");
	writer_text(&w, "{");
	for (size_t i = 0; i < web_routes_count; i++) {
		if (!web_routes[i].type)
			continue;
		json_put_key(&w, web_routes[i].http.pattern);
		put_operation(&w, &web_routes[i]);
	}
	writer_text(&w, "}}\n");
	web_reply_json(work->r, &w);
}

void web_openapi(struct http_request *r, void *data)
{
	web_work_start(data, r, NULL, reply_document);
}

static void reply_reference(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	page_begin(&w, &work->caller, "API", "/api");
	page_put(&w,
		 "<div class=\"head\"><h1>API</h1><p>%t</p></div>\n<p><a class=\"btn\" "
		 "href=\"/api/openapi.json\">OpenAPI 3.1</a></p>\n",
		 WEB_API);
	for (size_t i = 0; i < web_routes_count; i++) {
		const struct http_route *route = &web_routes[i].http;

		if (!web_routes[i].type)
			continue;
		page_put(
			&w,
			"<section class=\"panel\" aria-label=\"%a\"><h2 class=\"mono\">GET %t</h2><p>%t</p>",
			route->pattern, route->pattern, web_routes[i].summary);
		for (const char *const *name = route->query; name && *name; name++)
			page_put(&w, "<p class=\"small\"><code>?%t=</code> %t</p>", *name,
				 meaning_of(*name));
		page_put(&w, "<p class=\"small dim\">%t</p></section>\n", web_routes[i].type);
	}
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_reference(struct http_request *r, void *data)
{
	web_work_start(data, r, NULL, reply_reference);
}

bool web_show_problem(const struct http_request *r, const struct http_problem *p, void *data,
		      struct http_answer *answer)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const char *title = http_status_title(p->status);
	const struct web *web = data;

	page_begin(&w, NULL, title, "");
	page_put(
		&w,
		"<section class=\"panel empty\" aria-labelledby=\"h-not\"><h1 id=\"h-not\">%t</h1>\n",
		title);
	if (p->status == 401 && !http_request_is_tls(r)) {
		page_put(&w, "<p><a class=\"btn\" href=\"/sign-in\">Sign in</a></p>\n<p>%t</p>\n",
			 WEB_NO_LINK);
		page_command(&w, "link", "curl -sX POST --unix-socket", web->socket,
			     " http://localhost/link");
	} else if (p->status == 401 && web->service->sign_in) {
		page_put(
			&w,
			"<p><bdi>%t</bdi></p>\n<p><a class=\"btn\" href=\"/sign-in\">Sign in</a></p>\n",
			p->detail ? p->detail : "");
	} else {
		page_put(&w, "<p><bdi>%t</bdi></p>\n", p->detail ? p->detail : "");
		if (p->remedy)
			page_put(&w, "<p><bdi>%t</bdi></p>\n", p->remedy);
		page_put(&w, "<p><a class=\"btn\" href=\"/\">All computations</a></p>\n");
	}
	page_put(&w, "</section>\n");
	page_end(&w);
	answer->body = writer_take(&w, &answer->len);
	answer->type = WEB_HTML_TYPE;
	answer->csp = WEB_CSP;
	return answer->body != NULL;
}
