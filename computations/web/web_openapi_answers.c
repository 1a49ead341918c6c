/* SPDX-License-Identifier: Apache-2.0 */
/* web_openapi_answers.c — of each operation of the API's document: for whom it is, and what can be answered. */
#include "common/base/json.h"
#include "computations/web/web_action.h"
#include "computations/web/web_form.h"
#include "computations/web/web_import.h"
#include "computations/web/web_machine.h"
#include "computations/web/web_once.h"
#include "computations/web/web_openapi.h"
#include "computations/web/web_place.h"
#include "people_paths.h"

#include <stdio.h>
#include <string.h>

/* What a method finds out for itself is said by its row (`then`). */
static enum deed deed_of(const struct web_route *about)
{
	const struct web_action *action = about->action;

	if (action && action->then != DEED_ENTER)
		return action->then;
	if (action && action->method)
		return admin_access_deed(action->method);
	return about->takes ? DEED_CREATE : about->deed;
}

/* Their methods take no token that is for some actions alone. */
static bool is_whole(const struct web_route *about)
{
	static const char *const methods[] = {
		PROTO_PEOPLE_ADD_TOKEN,       PROTO_PEOPLE_REVOKE_TOKEN,
		PROTO_PEOPLE_END_SESSION,     PROTO_PEOPLE_RETIRE_KEY,
		PROTO_PEOPLE_TAKE_INVITATION, PROTO_PEOPLE_INVITE,
		PROTO_PEOPLE_REMOVE_IDENTITY,
	};
	const char *method = about->action ? about->action->method : NULL;

	for (size_t i = 0; method && i < ARRAY_LEN(methods); i++)
		if (strcmp(method, methods[i]) == 0)
			return true;
	return false;
}

void web_openapi_who(const struct web_route *about, char text[DECIDE_WHO_MAX])
{
	size_t len;

	decide_who(deed_of(about), text);
	len = strlen(text);
	if (is_whole(about))
		snprintf(text + len - 1, DECIDE_WHO_MAX - (len - 1), "%s",
			 ", with a session, or a token for all actions.");
}

/* ---- refusals ---- */

static bool always(const struct web_route *about)
{
	return true;
}

static bool names_something(const struct web_route *about)
{
	const char *const *query = about->http.query;

	return strchr(about->http.pattern, '{') || about->http.body_max ||
	       about->http.serve == web_users_json || /* whom its “after” names may be gone */
	       (query && strcmp(*query, "workspace") == 0);
}

static bool changes(const struct web_route *about)
{
	return about->http.method != HTTP_GET;
}

/* A manager's word, of a CVM that may be gone. */
static bool is_asked_for(const struct web_route *about)
{
	return about->http.serve == web_machine_policy || about->http.serve == web_console_events;
}

/* Told as its manager tells it (machine_policy.c). */
static bool is_told_on(const struct web_route *about)
{
	return about->http.serve == web_machine_policy;
}

/* There is no export of a computation that has a private key among its certificates. */
static bool has_states(const struct web_route *about)
{
	return changes(about) || is_asked_for(about) || about->http.serve == web_export;
}

static bool is_revised(const struct web_route *about)
{
	return about->action && about->action->revises != REVISES_NOTHING;
}

static bool has_body(const struct web_route *about)
{
	return about->http.body_max;
}

/* Answers with an ETag (web_reply_revision()), which only who reads is answered about. */
static bool has_tag(const struct web_route *about)
{
	static void (*const serves[])(struct http_request *, void *) = {
		web_one_json, web_roles_json,  web_asset_json,
		web_cvm_json, web_member_json, web_machine_json,
	};

	for (size_t i = 0; i < ARRAY_LEN(serves); i++)
		if (about->http.serve == serves[i])
			return true;
	return false;
}

static bool is_in_pieces(const struct web_route *about)
{
	return about->http.serve == web_usage_csv || about->http.serve == web_usage_html;
}

/* All that can be answered but what was asked for; a test reads the sources for others. */
static const struct {
	const char *status, *meaning;
	bool (*may)(const struct web_route *about);
} refusals[] = {
	{ "304", "It is as the caller saw it (If-None-Match).", has_tag },
	{ "400", "It is asked wrongly: “field” says where.", always },
	{ "401", "No good token or session.", always },
	{ "403", "No role allows it, the token is not for it, or a page of another site asks.",
	  always },
	{ "404", "It is not there, or not for this caller to see.", names_something },
	{ "408", "The request did not come whole in time.", always },
	{ "409", "Not in its state, or it is there already.", has_states },
	{ "412", "It is not as the caller saw it (If-Match).", is_revised },
	{ "413", "The body is too long, or there should be none.", always },
	{ "414", "The path or query is too long.", always },
	{ "415", "The body is of another type.", has_body },
	{ "421", "A page on loopback is asked for by another host’s name.", always },
	{ "422", "Something else was asked with this Idempotency-Key.", web_once_is },
	{ "429",
	  "There are as many as there may be, or you ask too often: Retry-After says when to go on.",
	  always },
	{ "431", "The header fields are too large.", always },
	{ "500", "It is the service’s fault, and logged.", always },
	{ "501", "Its manager does not offer that.", is_told_on },
	{ "503",
	  "The service is busy or ends, its database or a manager does not answer, or not with what was asked for: ask again.",
	  always },
	{ "504", "Its manager does not answer in time.", is_told_on },
	{ "505", "It is sent in pieces, whose end HTTP/1.0 does not show.", is_in_pieces },
};

#define SHARED "#/components/responses/"

static void put_reference(struct writer *w, const char *key, const char *name)
{
	json_put_key(w, key);
	writer_printf(w, "{\"$ref\":\"" SHARED "%s\"}", name);
}

/* What is no refusal has no body. */
static void put_refusal(struct writer *w, const char *name, const char *meaning)
{
	json_put_key(w, name);
	writer_text(w, "{");
	web_openapi_text(w, "description", meaning);
	if (*name < '4') {
		writer_text(w, "}");
		return;
	}
	json_put_key(w, "content");
	writer_text(w, "{\"application/problem+json\":{\"schema\":{\"$ref\":\"" WEB_OPENAPI_PROBLEM
		       "\"}}}}");
}

void web_openapi_put_refusals(struct writer *w)
{
	json_put_key(w, "responses");
	writer_text(w, "{");
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		put_refusal(w, refusals[i].status, refusals[i].meaning);
	put_refusal(w, "default", "Why not, and what to do (RFC 9457).");
	writer_text(w, "}");
}

/* ---- all of them ---- */

static const char *status_of(const struct web_route *about, bool has_content)
{
	const struct web_action *action = about->action;

	if (!has_content)
		return "204";
	return (about->takes && !action) || (action && action->makes) ? "201" : "200";
}

void web_openapi_put_answers(struct writer *w, const struct web_route *about)
{
	const struct web_action *action = about->action;
	bool has_content = !action || action->answer || action->reply;

	json_put_key(w, "responses");
	writer_text(w, "{");
	json_put_key(w, status_of(about, has_content));
	writer_text(w, "{");
	web_openapi_text(w, "description", has_content ? "What was asked for" : "It is done");
	if (has_content) {
		json_put_key(w, "content");
		writer_text(w, "{");
		json_put_key(w, about->type);
		writer_text(w, "{");
		if (strcmp(about->type, WEB_JSON_TYPE) == 0)
			web_openapi_put_told(w, about);
		writer_text(w, "}}");
	}
	writer_text(w, "}");
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (refusals[i].may(about))
			put_reference(w, refusals[i].status, refusals[i].status);
	put_reference(w, "default", "default");
	writer_text(w, "}");
}
