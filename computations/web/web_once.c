/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_once.h"

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_form.h"
#include "computations/web/web_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

struct web_once {
	struct http_request *r; /* a reference until its handler runs */
	struct web *web;
	const struct web_route *row;
	struct admin_caller caller;
	struct once once;
	enum once_claim claim;
	struct once_made made;
};

bool web_once_is(const struct web_route *row)
{
	const struct web_action *action = row->action;

	return row->type && row->http.method == HTTP_POST &&
	       (row->takes || (action && (action->makes || row->http.serve != web_act_api)));
}

static void once_free(struct web_once *o)
{
	if (o->r)
		http_request_unref(o->r);
	free(o);
}

/* ---- behind its handler ---- */

static void settled(void *data, const struct err *e)
{
	if (e)
		log_warn("what was made by an Idempotency-Key is not kept: %s", e->text);
	once_free(data);
}

static int run_keep(struct store *store, void *data, struct err *e)
{
	struct web_once *o = data;

	return store_once_keep(store, &o->once, &o->made, e);
}

static int run_drop(struct store *store, void *data, struct err *e)
{
	struct web_once *o = data;

	return store_once_drop(store, &o->once, e);
}

/* The answer without its secret, which says that there was one. It is flat: what else it had could hold one, too. */
static int put_open(const struct http_answer *a, const char *secret, struct writer *w,
		    struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	bool had_one = false;

	if (json_parse(a->body, a->len, &root, e) < 0)
		return err_code(e);
	w->bad = root->type != JSON_OBJECT;
	writer_text(w, "{");
	for (size_t i = 0; i < root->count; i++) {
		const struct json *m = &root->items[i];

		if (strcmp(m->key, secret) == 0) {
			had_one = true;
			continue;
		}
		json_put_key(w, m->key);
		if (m->type == JSON_STRING)
			json_quote(w, m->text, strlen(m->text));
		else if (m->type == JSON_NUMBER)
			writer_text(w, m->text);
		else
			w->bad = true;
	}
	if (had_one) {
		json_put_key(w, "withheld");
		writer_printf(w, "\"%s: it was told once, and is not kept\"", secret);
	}
	writer_text(w, "}\n");
	return 0;
}

/* What is too long to keep is withheld, too: that it was made is what counts. */
static void take_made(struct web_once *o, const struct http_answer *a)
{
	const char *secret = o->row->action ? o->row->action->secret : NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(ONCE_MADE_MAX);
	struct err e;

	if (secret && put_open(a, secret, &w, &e) < 0)
		w.bad = true;
	else if (!secret)
		writer_bytes(&w, a->body, a->len);
	if (writer_check(&w, "the answer", &e) < 0)
		snprintf(o->made.made, sizeof(o->made.made), "{\"withheld\":\"%s\"}\n",
			 WEB_ONCE_LONG);
	else
		snprintf(o->made.made, sizeof(o->made.made), "%.*s", (int)w.len,
			 w.len ? (const char *)w.bytes : "");
	for (size_t i = 0; i < ARRAY_LEN(a->more); i++)
		if (a->more[i].name && strcmp(a->more[i].name, "location") == 0 &&
		    strlen(a->more[i].value) < sizeof(o->made.location))
			snprintf(o->made.location, sizeof(o->made.location), "%s",
				 a->more[i].value);
	o->made.status = a->status;
}

/* Refused, nothing was made. A fault of ours, or no answer in time: nobody knows, and the key stays claimed. */
static bool is_refusal(unsigned status)
{
	return (status >= 400 && status < 500) || status == 501 || status == 503;
}

static uint64_t account_of(const struct web_once *o)
{
	return admin_access_account(o->web->service->known, &o->caller);
}

/* Before the answer is out: what its caller sends then comes behind this. */
static void seen(void *data, const struct http_answer *answer)
{
	struct web_once *o = data;
	struct store_queue_op op = { run_keep, settled, o };
	struct err e;

	if (answer && answer->status >= 200 && answer->status < 300) {
		take_made(o, answer);
	} else if (answer && is_refusal(answer->status)) {
		op.run = run_drop;
	} else {
		once_free(o);
		return;
	}
	if (store_queue_add_for(o->web->service->queue, account_of(o), &op, false, &e) < 0)
		settled(o, &e);
}

/* ---- before it ---- */

/* Of all that a creation is made of: a path's or a query's word has no control characters. */
static int digest_of(const struct http_request *r, const char *what, uint8_t out[SHA3_256_LEN],
		     struct err *e)
{
	const char *path = http_request_param(r, "workspace");
	const char *query = http_request_query(r, "workspace");
	uint8_t body[SHA3_256_LEN];
	CLEANUP_WRITER struct writer w = writer_up_to(4 * WEB_URL_MAX);
	size_t len;
	const uint8_t *bytes = http_request_body(r, &len);

	if (digest(DIGEST_SHA3_256, bytes ? (const void *)bytes : "", len, body, e) < 0)
		return err_code(e);
	writer_printf(&w, "%s\n%s\n%s\n", what, path ? path : "", query ? query : "");
	writer_bytes(&w, body, sizeof(body));
	if (writer_check(&w, "what was sent", e) < 0)
		return err_code(e);
	return digest(DIGEST_SHA3_256, w.bytes, w.len, out, e);
}

/* Who may not see that place any more is told no more of what he made there. Where neither path nor query named one, the
 * answer has it, and none where it is of no workspace. */
static int check_place(struct store *store, struct web_once *o, struct err *e)
{
	CLEANUP(json_free) struct json *made = NULL;
	const char *place = http_request_param(o->r, "workspace");
	const struct json *told;
	struct err ignored;

	if (!place)
		place = http_request_query(o->r, "workspace");
	if ((!place || !*place) &&
	    json_parse(o->made.made, strlen(o->made.made), &made, &ignored) == 0) {
		told = json_get(made, "workspace");
		place = told && told->type == JSON_STRING ? told->text : NULL;
	}
	if (place && admin_access_check(store, &o->caller, DEED_LOOK, place, e) < 0)
		return err_code(e);
	return admin_access_check(store, &o->caller, o->caller.deed, place ? place : "", e);
}

static int run_claim(struct store *store, void *data, struct err *e)
{
	struct web_once *o = data;

	if (admin_access_know(store, &o->caller, e) < 0 ||
	    digest_of(o->r, o->once.what, o->once.digest, e) < 0)
		return err_code(e);
	o->once.person = o->caller.who.person;
	if (store_once_claim(store, &o->once, store_now(), &o->claim, &o->made, e) < 0)
		return err_code(e);
	return o->claim == ONCE_AGAIN ? check_place(store, o, e) : 0;
}

static void answer_again(struct web_once *o)
{
	struct http_answer a = { .status = o->made.status, .type = o->row->type };
	struct err e;

	a.len = strlen(o->made.made);
	a.body = (uint8_t *)strdup(o->made.made);
	if (!a.body) {
		http_request_fail(o->r, (err_nomem(&e), &e));
		return;
	}
	a.more[0] = (struct rpc_web_field){ "idempotent-replayed", "true" };
	if (*o->made.location)
		a.more[1] = (struct rpc_web_field){ "location", o->made.location };
	http_request_answer(o->r, &a);
}

#define HEADER "header idempotency-key"

static void claimed(void *data, const struct err *e)
{
	static const struct http_problem problems[] = {
		[ONCE_BUSY] = { 409, WEB_ONCE_BUSY, HEADER, WEB_ONCE_BUSY_DO, NULL },
		[ONCE_OTHER] = { 422, WEB_ONCE_OTHER, HEADER, WEB_ONCE_OTHER_DO, NULL },
	};
	struct web_once *o = data;
	struct http_request *r = o->r;

	if (e) {
		http_request_fail(r, e);
	} else if (o->claim == ONCE_AGAIN) {
		answer_again(o);
	} else if (o->claim != ONCE_FIRST) {
		http_request_refuse(r, &problems[o->claim]);
	} else {
		o->r = NULL; /* it has this one now */
		http_request_watch(r, seen, o);
		o->row->http.serve(r, o->web);
		http_request_unref(r);
		return;
	}
	once_free(o);
}

static int take_key(const struct http_request *r, char key[ONCE_KEY_MAX + 1], struct err *e)
{
	const char *text = http_request_header(r, "idempotency-key", 0);
	size_t len = strlen(text);

	if (!len || len > ONCE_KEY_MAX || http_request_header(r, "idempotency-key", 1))
		return err_set(e, ERR_INVALID,
			       "idempotency-key: one, of 1 to %d characters without spaces",
			       ONCE_KEY_MAX);
	for (const char *c = text; *c; c++)
		if (*c < 0x21 || *c > 0x7e)
			return err_set(e, ERR_INVALID,
				       "idempotency-key: ASCII that is seen, without spaces");
	memcpy(key, text, len + 1);
	return 0;
}

static void once_serve(struct http_request *r, void *data)
{
	struct web *web = data;
	const struct web_route *row = web_row_of(web, r);
	struct web_once *o;
	struct err e;

	if (!http_request_header(r, "idempotency-key", 0)) {
		row->http.serve(r, web);
		return;
	}
	o = calloc(1, sizeof(*o));
	if (!o) {
		http_request_fail(r, (err_nomem(&e), &e));
		return;
	}
	o->r = http_request_ref(r);
	o->web = web;
	o->row = row;
	snprintf(o->once.what, sizeof(o->once.what), "POST %s", row->http.pattern);
	if (take_key(r, o->once.key, &e) < 0) {
		web_act_fail(r, &e, HEADER);
	} else if (web_access_take(web, r, &o->caller, &e) < 0 ||
		   store_queue_add_for(web->service->queue, account_of(o),
				       &(struct store_queue_op){ run_claim, claimed, o }, false,
				       &e) < 0) {
		http_request_fail(r, &e);
	} else {
		return;
	}
	once_free(o);
}

struct http_route web_once_row(const struct web_route *row)
{
	struct http_route route = row->http;

	if (web_once_is(row))
		route.serve = once_serve;
	return route;
}
