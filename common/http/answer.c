/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c — answers: the fields that all of them have, problems, and what is not sent twice. */
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/http/field.h"
#include "common/http/http_stream.h"
#include "common/http/request_state.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PROBLEM_MAX = 8192, FIELDS_OWN = 14 };
_Static_assert(FIELDS_OWN + 2 <= RPC_WEB_FIELDS_MAX, "all fields fit");

/* The fields of one answer, with the texts that they are made of. */
struct fields {
	struct rpc_web_field list[RPC_WEB_FIELDS_MAX];
	size_t count;
	char status[4], length[24], date[HTTP_DATE_MAX], retry_after[12];
};

static void add(struct fields *f, const char *name, const char *value)
{
	if (value)
		f->list[f->count++] = (struct rpc_web_field){ name, value };
}

/* Names of days and months are English whatever the locale. */
void http_date(int64_t seconds, char text[HTTP_DATE_MAX])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const time_t at = (time_t)seconds;
	struct tm tm;

	text[0] = 0;
	if (!gmtime_r(&at, &tm))
		return;
	snprintf(text, HTTP_DATE_MAX, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
		 days + (ptrdiff_t)3 * tm.tm_wday, tm.tm_mday % 100,
		 months + (ptrdiff_t)3 * tm.tm_mon, (tm.tm_year + 1900) % 10000, tm.tm_hour % 100,
		 tm.tm_min % 100, tm.tm_sec % 100);
}

static void put_date(struct fields *f)
{
	http_date(time(NULL), f->date);
	add(f, "date", *f->date ? f->date : NULL);
}

/* Nothing of an answer may be run, framed, guessed or told to others, unless it says so. */
static void put_security(struct fields *f, const struct http_request *r,
			 const struct http_answer *a)
{
	add(f, "content-security-policy",
	    a->csp ? a->csp : "default-src 'none'; frame-ancestors 'none'");
	add(f, "x-content-type-options", "nosniff");
	add(f, "referrer-policy", "no-referrer");
	add(f, "cross-origin-resource-policy", "same-origin");
	add(f, "cross-origin-opener-policy", "same-origin");
	if (r->is_tls)
		add(f, "strict-transport-security", "max-age=31536000");
}

static bool is_unchanged(const struct http_request *r, const struct http_answer *a)
{
	const char *known = http_request_header(r, "if-none-match", 0);
	bool matches = false;
	struct err e;

	if (a->status != 200 || !a->etag || !known || r->method > HTTP_HEAD)
		return false;
	/* What can't be read asks for nothing: the whole answer is right. */
	return http_field_matches(known, a->etag, &matches, &e) == 0 && matches;
}

/* All but what says how long it is. */
static void put_fields(struct fields *f, const struct http_request *r, const struct http_answer *a)
{
	add(f, "etag", a->etag);
	add(f, "cache-control", a->cache ? a->cache : "no-store");
	/* RFC 9110, section 15.5.2: how to be let in; a browser's session needs no words. */
	if (a->status == 401)
		add(f, "www-authenticate", "Bearer");
	if (r->retry_after) {
		snprintf(f->retry_after, sizeof(f->retry_after), "%u", r->retry_after);
		add(f, "retry-after", f->retry_after);
	}
	put_security(f, r, a);
	for (size_t i = 0; i < sizeof(a->more) / sizeof(a->more[0]); i++)
		if (a->more[i].name)
			add(f, a->more[i].name, a->more[i].value);
}

void http_request_answer(struct http_request *r, const struct http_answer *a)
{
	bool unchanged = is_unchanged(r, a);
	bool has_body =
		a->type && !unchanged && (r->method != HTTP_HEAD || r->carrier->wants_head_body);
	struct fields f = { .count = 0 };

	http_request_tell(r, a);
	if (r->is_answered) {
		free(a->body);
		return;
	}
	r->is_answered = true;
	snprintf(f.status, sizeof(f.status), "%03u", unchanged ? 304 : a->status % 1000);
	put_date(&f);
	if (!unchanged)
		add(&f, "content-type", a->type);
	if (!unchanged && a->status != 204) {
		snprintf(f.length, sizeof(f.length), "%zu", a->len);
		add(&f, "content-length", f.length);
	}
	put_fields(&f, r, a);
	if (!has_body)
		free(a->body);
	r->carrier->answer(r, &(struct rpc_web_reply){ f.status, f.list, f.count,
						       has_body ? a->body : NULL,
						       has_body ? a->len : 0 });
}

/* Of an answer that goes on: how long it would be nobody knows, so nothing says it. */
static void answer_head(struct http_request *r, const struct rpc_web_reply *head)
{
	if (!r->carrier->wants_head_body)
		r->carrier->answer(r, head);
	else if (r->carrier->begin(r, head))
		r->carrier->end(r, false);
}

bool http_stream_begin(struct http_request *r, const struct http_answer *a,
		       const struct http_stream_user *user, void *data)
{
	struct fields f = { .count = 0 };

	if (r->is_answered)
		return false;
	r->is_answered = true;
	snprintf(f.status, sizeof(f.status), "%03u", a->status % 1000);
	put_date(&f);
	add(&f, "content-type", a->type);
	put_fields(&f, r, a);
	if (r->method == HTTP_HEAD) {
		answer_head(r, &(struct rpc_web_reply){ f.status, f.list, f.count, NULL, 0 });
		return false;
	}
	r->stream = user;
	r->stream_data = data;
	http_request_ref(r);
	if (r->carrier->begin(r, &(struct rpc_web_reply){ f.status, f.list, f.count, NULL, 0 }))
		return true;
	r->stream = NULL;
	http_request_unref(r);
	return false;
}

const char *http_status_title(unsigned status)
{
	static const struct {
		unsigned status;
		const char *title;
	} titles[] = {
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

static void put_member(struct writer *w, const char *key, const char *text)
{
	if (!text)
		return;
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

static void put_problem(struct http_answer *answer, const struct http_problem *p)
{
	CLEANUP_WRITER struct writer w = writer_up_to(PROBLEM_MAX);

	writer_text(&w, "{");
	put_member(&w, "type", "about:blank");
	put_member(&w, "title", http_status_title(p->status));
	json_put_key(&w, "status");
	writer_printf(&w, "%u", p->status);
	put_member(&w, "detail", p->detail);
	put_member(&w, "field", p->field);
	put_member(&w, "remedy", p->remedy);
	writer_text(&w, "}\n");
	answer->body = writer_take(&w, &answer->len); /* without memory: the status alone */
	answer->type = answer->body ? "application/problem+json" : NULL;
}

/* A browser says so; whoever says nothing is a program. */
static bool is_shown(const struct http_request *r)
{
	static const char *const types[] = { "application/problem+json", "text/html" };
	const char *accept = http_request_header(r, "accept", 0);
	size_t chosen = 0;
	struct err ignored;

	return r->routes->show && accept &&
	       http_field_accept(accept, types, ARRAY_LEN(types), &chosen, &ignored) == 0 &&
	       chosen == 1;
}

void http_request_put_off(struct http_request *r, unsigned seconds)
{
	r->retry_after = seconds;
}

void http_request_refuse(struct http_request *r, const struct http_problem *p)
{
	struct http_answer answer = { .status = p->status };

	if (r->is_answered) {
		http_request_tell(r, &answer);
		return;
	}
	if (!is_shown(r) || !r->routes->show(r, p, r->routes->data, &answer))
		put_problem(&answer, p);
	if (p->allow)
		answer.more[0] = (struct rpc_web_field){ "allow", p->allow };
	http_request_answer(r, &answer);
}

void http_request_fail(struct http_request *r, const struct err *e)
{
	/* A state that does not allow it is a conflict: 412 is what a caller's own If-Match leads to (RFC 9110, section 15.5.13). */
	static const unsigned statuses[] = {
		[ERR_CANCELLED] = 503,       [ERR_INVALID] = 400,       [ERR_DEADLINE] = 504,
		[ERR_NOT_FOUND] = 404,       [ERR_EXISTS] = 409,        [ERR_DENIED] = 403,
		[ERR_EXHAUSTED] = 429,       [ERR_PRECONDITION] = 409,  [ERR_ABORTED] = 409,
		[ERR_OUT_OF_RANGE] = 400,    [ERR_UNIMPLEMENTED] = 501, [ERR_UNAVAILABLE] = 503,
		[ERR_UNAUTHENTICATED] = 401,
	};
	unsigned status = (size_t)e->code < ARRAY_LEN(statuses) ? statuses[e->code] : 0;

	if (!status)
		log_error("a request of %s failed: %s", r->peer, e->text);
	http_request_refuse(
		r, &(struct http_problem){ status ? status : 500,
					   status ? e->text : "it is our fault, and logged", NULL,
					   NULL, NULL });
}
