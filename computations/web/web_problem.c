/* SPDX-License-Identifier: Apache-2.0 */
/* web_problem.c — the page of what was refused, or is not there, and the way back from it. */
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <string.h>

/* A form that was refused is at the page of its own address, if that is one. */
static bool is_page_too(const struct http_route *route)
{
	for (size_t i = 0; i < web_routes_count; i++)
		if (web_routes[i].http.method == HTTP_GET &&
		    strcmp(web_routes[i].http.pattern, route->pattern) == 0)
			return true;
	return false;
}

static void put_address(const struct http_request *r, const char *pattern, struct writer *w)
{
	char name[32];

	while (*pattern) {
		const char *end = *pattern == '{' ? strchr(pattern, '}') : NULL;
		size_t len = end ? (size_t)(end - pattern - 1) : 0;

		if (!end || len >= sizeof(name)) {
			writer_u8(w, (uint8_t)*pattern++);
			continue;
		}
		memcpy(name, pattern + 1, len);
		name[len] = '\0';
		page_put(w, "%u", http_request_param(r, name));
		pattern = end + 1;
	}
}

static void put_way_back(const struct http_request *r, const struct http_problem *p,
			 struct writer *w)
{
	const struct http_route *route = p->status == 404 ? NULL : http_request_route(r);
	const char *of = route ? http_request_param(r, "id") : NULL;
	/* A computation that is another by now is looked at first. */
	bool changed = of && (p->status == 409 || p->status == 412);

	page_put(w, "<p><a class=\"btn\" href=\"");
	if (route && route->method == HTTP_POST && is_page_too(route) && !changed)
		put_address(r, route->pattern, w);
	else if (of)
		page_put(w, "/c/%u", of);
	else if (route && (of = http_request_param(r, "workspace")))
		page_put(w, "/w/%u/members", of);
	else
		route = NULL;
	page_put(w, "%s\">%s</a></p>\n", route ? "" : "/",
		 route ? "Back to it" : "All computations");
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
		put_way_back(r, p, &w);
	}
	page_put(&w, "</section>\n");
	page_end(&w);
	answer->body = writer_take(&w, &answer->len);
	answer->type = WEB_HTML_TYPE;
	answer->csp = WEB_CSP;
	return answer->body != NULL;
}
