/* SPDX-License-Identifier: Apache-2.0 */
/* web_openapi.c — the API's document (OpenAPI 3.1), and the page that shows it: both from the routes. */
#include "computations/web/web_openapi.h"

#include "common/base/json.h"
#include "common/http/target.h"
#include "computations/web/web_action.h"
#include "computations/web/web_certificate.h"
#include "computations/web/web_form.h"
#include "computations/web/web_input.h"
#include "computations/web/web_once.h"
#include "computations/web/web_page.h"
#include "computations/web/web_place.h"
#include "computations/web/web_webhook.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *meaning;
} queries[] = {
	{ "q", "text in a row: its name, description, digest and so on" },
	{ "state", "such as waiting-for-algorithm" },
	{ "sort", "the order; with “-” in front the greatest first; without: the list’s own" },
	{ "before", "the page behind: what “next” has" },
	{ "after",
	  "what comes behind this one: an event's number, a workflow's id, a name, or (of a list with “sort”) what “next” has" },
	{ "month", "such as 2026-11, in UTC; without: this one" },
	{ "workspace", "by name; without: the only one where you may, or default" },
};

/* Of rows that read; those of actions say it themselves. */
static const struct {
	const char *pattern, *name, *meaning;
} paths[] = {
	{ "{id}", "id", "a computation's id" },
	{ "{cvm}", "cvm", "a CVM's id" },
	{ "{workspace}", "workspace", "a workspace's name" },
	{ "{user}", "user", "a user's name" },
	{ "{name}", "name", "a CVM's name there" },
	{ "{asset}", "asset", "an asset's name" },
	{ "{workflow}", "workflow", "a workflow's id" },
	{ "{file}", "file", "a file's name, as “files” has it" },
	{ "{number}", "number", "a webhook's number" },
	{ "{account}", "account", "a billing account's name" },
	{ "{serial}", "serial", "a certificate's serial number" },
};

static const char *meaning_of(const char *query)
{
	for (size_t i = 0; i < ARRAY_LEN(queries); i++)
		if (strcmp(queries[i].name, query) == 0)
			return queries[i].meaning;
	return "";
}

/* ECMA-262. What a path or a query has is UTF-8 without control characters (http/target.h). */
#define NO_CONTROLS "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
#define ONE_SEGMENT "^[^\\u0000-\\u001f\\u007f-\\u009f/\\\\]+$"
/* usage_month_parse(), usage_after_parse() */
#define ONE_MONTH \
	"^((19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-(0[1-9]|1[0-2]))?$"
#define ONE_USAGE "^([0-9]{1,18}\\.[0-2]\\.[^\\u0000-\\u001f\\u007f-\\u009f]*)?$"
#define ONE_USER  "^([a-z0-9][a-z0-9._@+-]{0,62})?$"        /* people_name_check() */
#define ONE_ETAG  "^(\\*|\"[0-9a-f]{16}\\.[0-9a-f]{16}\")$" /* take_if_match() */
#define A_KEY     "^[!-~]{1,64}$"                           /* web_once.c */
/* list_place_read() */
#define ONE_PLACE "^(([0-9a-fA-F]{2}){24,536})?$"
_Static_assert(LIST_TAG_LEN + 8 == 24 && LIST_PLACE_MAX == 536, "as it has it");
_Static_assert(REVISION_LEN == 16 && ONCE_KEY_MAX == 64, "as these have it");

static const char *const types[] = {
	[INPUT_TEXT] = "string",     [INPUT_FLAG] = "boolean",  [INPUT_U32] = "integer",
	[INPUT_U64] = "integer",     [INPUT_DIGEST] = "string", [INPUT_ACTIONS] = "array",
	[INPUT_DOCUMENT] = "string", [INPUT_PEOPLE] = "object",
};

static const struct {
	const char *key, *word;
} verbs[HTTP_METHODS] = { [HTTP_GET] = { "get", "GET" },
			  [HTTP_POST] = { "post", "POST" },
			  [HTTP_PUT] = { "put", "PUT" },
			  [HTTP_DELETE] = { "delete", "DELETE" } };

/* What a reader takes, as far as a schema can say it; put_parameter() closes it. */
static void begin_parameter(struct writer *w, const char *in, const char *name, const char *type,
			    const char *meaning)
{
	writer_text(w, w->bytes[w->len - 1] == '[' ? "{" : ",{");
	web_openapi_text(w, "name", name);
	web_openapi_text(w, "in", in);
	web_openapi_text(w, "description", meaning);
	json_put_key(w, "required");
	writer_text(w, strcmp(in, "path") == 0 ? "true" : "false");
	json_put_key(w, "schema");
	writer_text(w, "{");
	web_openapi_text(w, "type", type);
}

static void put_pattern(struct writer *w, const char *in, const char *name, const char *pattern,
			const char *meaning)
{
	begin_parameter(w, in, name, "string", meaning);
	web_openapi_text(w, "pattern", pattern);
	writer_text(w, "}}");
}

static void put_parameter(struct writer *w, const char *in, const char *name, const char *type,
			  const char *meaning)
{
	begin_parameter(w, in, name, type, meaning);
	if (strcmp(type, "integer") == 0)
		writer_printf(w, ",\"minimum\":1,\"maximum\":%" PRId64, INT64_MAX);
	if (strcmp(type, "string") == 0)
		web_openapi_text(w, "pattern", strcmp(in, "path") == 0 ? ONE_SEGMENT : NO_CONTROLS);
	if (strcmp(type, "string") == 0 && strcmp(in, "path") == 0)
		writer_printf(w, ",\"maxLength\":%d", HTTP_SEGMENT_MAX);
	writer_text(w, "}}");
}

/* Of the query that a list of computations has: what is no state's word is refused. */
static void put_states(struct writer *w, const char *meaning)
{
	begin_parameter(w, "query", "state", "string", meaning);
	json_put_key(w, "enum");
	writer_text(w, "[\"\"");
	for (int i = 0; i < COMPUTATION_STATES; i++) {
		const char *word = web_state_word((enum computation_state)i);

		writer_text(w, ",");
		json_quote(w, word, strlen(word));
	}
	writer_text(w, "]}}");
}

/* The same of its orders. */
static void put_orders(struct writer *w, const struct list_kind *list, const char *meaning)
{
	begin_parameter(w, "query", "sort", "string", meaning);
	json_put_key(w, "enum");
	writer_text(w, "[\"\"");
	for (size_t i = 0; i < list->count; i++) {
		const char *word = list_order_word(list->orders[i].by);

		writer_printf(w, ",\"%s\",\"-%s\"", word, word);
	}
	writer_text(w, "]}}");
}

/* To see something is a part of doing it (action.h). */
static void put_words(struct writer *w, const struct web_input *input)
{
	json_put_key(w, "items");
	writer_text(w, "{\"enum\":[");
	for (unsigned i = 0; web_input_word(input, i); i++)
		writer_printf(w, "%s\"%s\"", i ? "," : "", web_input_word(input, i));
	writer_text(w, "]},\"uniqueItems\":true,\"minItems\":1");
	if (!input->word)
		writer_text(w, ",\"contains\":{\"const\":\"view\"}");
}

static const char *type_of(const struct http_route *route)
{
	return route->serve == web_events || route->serve == web_audit_json ||
			       route->serve == web_deliveries_json ||
			       route->serve == web_issued_json
		       ? "integer"
		       : "string";
}

static const char *const seen[] = {
	[REVISES_COMPUTATION] = "the ETag of the computation, as you saw it",
	[REVISES_ROLES] = "the ETag of its roles, as you saw them",
	[REVISES_ASSET] = "the ETag of the asset, as you saw it",
	[REVISES_MEMBER] = "the ETag of the member, as you saw him",
	[REVISES_MACHINE] = "the ETag of the CVM, as you saw it",
	[REVISES_CVM] = "the ETag of the CVM, as you saw it",
};

static bool is_input(const struct web_action *action, const char *name, enum web_input_place place)
{
	for (const struct web_input *i = action ? action->inputs : NULL; i && i->name; i++)
		if (i->place == place && strcmp(i->name, name) == 0)
			return true;
	return false;
}

static void put_parameters(struct writer *w, const struct web_route *about)
{
	const struct http_route *route = &about->http;

	json_put_key(w, "parameters");
	writer_text(w, "[");
	for (const struct web_input *i = about->action ? about->action->inputs : NULL; i && i->name;
	     i++)
		if (i->place == INPUT_PATH && i->pattern)
			put_pattern(w, "path", i->name, i->pattern, i->meaning);
		else if (i->place != INPUT_BODY)
			put_parameter(w, i->place == INPUT_PATH ? "path" : "query", i->name,
				      types[i->kind], i->meaning);
	for (size_t i = 0; !about->action && i < ARRAY_LEN(paths); i++)
		if (strstr(route->pattern, paths[i].pattern))
			put_parameter(w, "path", paths[i].name, "string", paths[i].meaning);
	for (const char *const *name = route->query; name && *name; name++)
		if (!is_input(about->action, *name, INPUT_QUERY) && strcmp(*name, "state") == 0)
			put_states(w, meaning_of(*name));
		else if (strcmp(*name, "sort") == 0)
			put_orders(w, about->list, meaning_of(*name));
		else if (about->list && (!strcmp(*name, "before") || !strcmp(*name, "after")))
			put_pattern(w, "query", *name, ONE_PLACE, meaning_of(*name));
		else if (route->serve == web_users_json)
			put_pattern(w, "query", *name, ONE_USER, meaning_of(*name));
		else if (strcmp(*name, "month") == 0)
			put_pattern(w, "query", *name, ONE_MONTH, meaning_of(*name));
		else if (route->serve == web_usage_json)
			put_pattern(w, "query", *name, ONE_USAGE, meaning_of(*name));
		else if (!is_input(about->action, *name, INPUT_QUERY))
			put_parameter(w, "query", *name, type_of(route), meaning_of(*name));
	if (about->action && about->action->revises != REVISES_NOTHING)
		put_pattern(w, "header", "If-Match", ONE_ETAG, seen[about->action->revises]);
	if (web_once_is(about))
		put_pattern(w, "header", "Idempotency-Key", A_KEY, WEB_ONCE_KEY);
	writer_text(w, "]");
}

/* One schema with the reader (web_input.c). */
static void put_body(struct writer *w, const struct web_action *action, uint64_t body_max)
{
	const char *between = "";

	json_put_key(w, "requestBody");
	writer_printf(
		w, "{\"required\":true,\"description\":\"an object of at most %" PRIu64 " bytes\"",
		body_max);
	writer_text(w, ",\"content\":{\"" WEB_JSON_TYPE
		       "\":{\"schema\":{\"type\":\"object\",\"additionalProperties\":false");
	json_put_key(w, "properties");
	writer_text(w, "{");
	for (const struct web_input *i = action->inputs; i->name; i++) {
		if (i->place != INPUT_BODY)
			continue;
		json_put_key(w, i->name);
		writer_text(w, "{");
		web_openapi_text(w, "type", types[i->kind]);
		web_openapi_text(w, "description", i->meaning);
		if (i->kind == INPUT_ACTIONS)
			put_words(w, i);
		if (i->kind == INPUT_TEXT || i->kind == INPUT_DIGEST)
			web_openapi_text(w, "pattern", i->pattern ? i->pattern : NO_CONTROLS);
		if ((i->kind == INPUT_TEXT || i->kind == INPUT_DOCUMENT) && i->is_needed)
			writer_text(w, ",\"minLength\":1");
		if (i->kind == INPUT_PEOPLE)
			writer_printf(w,
				      ",\"maxProperties\":%llu,\"additionalProperties\":{\"type\":"
				      "\"string\",\"minLength\":1}",
				      (unsigned long long)i->most);
		else if (i->most)
			writer_printf(w,
				      i->kind == INPUT_TEXT ? ",\"maxLength\":%llu"
							    : ",\"minimum\":1,\"maximum\":%llu",
				      (unsigned long long)i->most);
		writer_text(w, "}");
	}
	writer_text(w, "}");
	json_put_key(w, "required");
	writer_text(w, "[");
	for (const struct web_input *i = action->inputs; i->name; i++)
		if (i->place == INPUT_BODY && i->is_needed) {
			writer_text(w, between);
			json_quote(w, i->name, strlen(i->name));
			between = ",";
		}
	writer_text(w, "]}}}}");
}

static void put_document(struct writer *w, const char *meaning, uint64_t body_max)
{
	char text[256];

	snprintf(text, sizeof(text), "%s; at most %" PRIu64 " bytes", meaning, body_max);
	json_put_key(w, "requestBody");
	writer_text(w, "{\"required\":true");
	web_openapi_text(w, "description", text);
	json_put_key(w, "content");
	writer_text(w, "{\"" WEB_JSON_TYPE "\":{\"schema\":");
	web_openapi_put_manifest(w);
	writer_text(w, "}}}");
}

static void put_operation(struct writer *w, const struct web_route *about)
{
	char who[DECIDE_WHO_MAX];

	json_put_key(w, verbs[about->http.method].key);
	writer_text(w, "{");
	web_openapi_text(w, "summary", about->summary);
	web_openapi_who(about, who);
	web_openapi_text(w, "description", who);
	put_parameters(w, about);
	if (about->action && about->http.body_max && !about->takes)
		put_body(w, about->action, about->http.body_max);
	if (about->takes)
		put_document(w, about->takes, about->http.body_max);
	web_openapi_put_answers(w, about);
	writer_text(w, "}");
}

/* All methods of that path, at its first row. */
static void put_path(struct writer *w, size_t first)
{
	const char *pattern = web_routes[first].http.pattern;

	for (size_t i = 0; i < first; i++)
		if (web_routes[i].type && strcmp(web_routes[i].http.pattern, pattern) == 0)
			return;
	json_put_key(w, pattern);
	writer_text(w, "{");
	for (size_t i = first; i < web_routes_count; i++)
		if (web_routes[i].type && strcmp(web_routes[i].http.pattern, pattern) == 0)
			put_operation(w, &web_routes[i]);
	writer_text(w, "}");
}

static void reply_document(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	writer_text(&w, "{");
	web_openapi_text(&w, "openapi", "3.1.0");
	json_put_key(&w, "info");
	writer_text(&w, "{");
	web_openapi_text(&w, "title", "Cocos computation service");
	web_openapi_text(&w, "version", COCOS_VERSION);
	web_openapi_text(&w, "description", WEB_API);
	writer_text(&w, "}");
	web_openapi_put_shared(work, &w);
	json_put_key(&w, "paths");
	writer_text(&w, "{");
	for (size_t i = 0; i < web_routes_count; i++) {
		if (!web_routes[i].type)
			continue;
		put_path(&w, i);
	}
	writer_text(&w, "}}\n");
	web_reply_json(work->r, &w);
}

void web_openapi(struct http_request *r, void *data)
{
	web_work_start(data, r, NULL, reply_document);
}

static void put_members(struct writer *w, const struct web_action *action)
{
	static const char *const in[] = { "in the body", "in the path", "in the query" };

	for (const struct web_input *i = action ? action->inputs : NULL; i && i->name; i++)
		page_put(w, "<p class=\"small\"><code>%s</code> %s: %t</p>", i->name, in[i->place],
			 i->meaning);
	if (action && action->revises != REVISES_NOTHING)
		page_put(w,
			 "<p class=\"small\"><code>If-Match</code> the ETag of what you saw</p>");
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
		char who[DECIDE_WHO_MAX];

		if (!web_routes[i].type)
			continue;
		web_openapi_who(&web_routes[i], who);
		page_put(
			&w,
			"<section class=\"panel\" aria-label=\"%s %a\"><h2 class=\"mono\">%s %t</h2><p>%t</p>"
			"<p class=\"small\">%t</p>",
			verbs[route->method].word, route->pattern, verbs[route->method].word,
			route->pattern, web_routes[i].summary, who);
		put_members(&w, web_routes[i].action);
		if (web_routes[i].takes)
			page_put(&w, "<p class=\"small\">The body is %t.</p>", web_routes[i].takes);
		for (const char *const *name = route->query; !web_routes[i].action && name && *name;
		     name++)
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
