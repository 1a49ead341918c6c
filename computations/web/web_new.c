/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_new.h"

#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/crypto/digest.h"
#include "computations.pb-c.h"
#include "computations/web/web_access.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations_paths.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <stdlib.h>
#include <string.h>

static void new_free(struct web_new *n)
{
	web_new_places_done(&n->places);
	web_new_names_done(n);
	manifest_free(n->manifest);
	web_form_free(n->form);
	if (n->made)
		explicit_bzero(n->made, n->len); /* the agent's private key may be there */
	free(n->made);
	free(n->place);
	http_request_unref(n->r);
	free(n);
}

/* ---- where ---- */

void web_new_places_done(struct web_new_places *places)
{
	while (places->count > 0)
		free(places->names[--places->count]);
}

static int add_place(struct store *store, struct admin_caller *caller,
		     struct web_new_places *places, const char *name, struct err *e)
{
	int failed = admin_access_check(store, caller, DEED_CREATE, name, e);

	if (failed)
		return err_is(failed, ERR_DENIED) || err_is(failed, ERR_NOT_FOUND) ? 0 : failed;
	places->names[places->count] = strdup(name);
	if (!places->names[places->count])
		return err_nomem(e);
	places->count++;
	return 0;
}

int web_new_places(struct store *store, struct admin_caller *caller, struct web_new_places *places,
		   struct err *e)
{
	CLEANUP(free) struct workspace *rows = calloc(WEB_NEW_PLACES, sizeof(*rows));
	size_t count = 0;
	int failed =
		rows ? workspace_list(&store->db, caller->rights.operates ? 0 : caller->who.person,
				      "", WEB_NEW_PLACES, rows, &count, e)
		     : err_nomem(e);

	for (size_t i = 0; i < count; i++) {
		if (!failed)
			failed = add_place(store, caller, places, rows[i].name, e);
		workspace_done(&rows[i]);
	}
	return failed;
}

/* ---- how it ends ---- */

/* In a form it can be put right. `field` of the API: what the error is about, where that is known. */
static void fail(struct web_new *n, const struct err *e, const char *field)
{
	struct err why;

	if (n->form && (e->code == ERR_INVALID || e->code == ERR_NOT_FOUND ||
			e->code == ERR_EXISTS || e->code == ERR_PRECONDITION ||
			e->code == ERR_DENIED || e->code == ERR_UNIMPLEMENTED)) {
		web_new_again(n, e);
	} else if ((*field && e->code == ERR_NOT_FOUND) || e->code == ERR_UNIMPLEMENTED) {
		/* What the body names, or has and is not offered: the address and the method are right. */
		err_set(&why, ERR_INVALID, "%s", e->text);
		web_act_fail(n->r, &why, "body");
	} else if (e->code == ERR_ABORTED) {
		web_act_fail(n->r, e, n->form ? "form revision" : "header if-match");
	} else {
		web_act_fail(n->r, e, e->code == ERR_INVALID ? "body" : "");
	}
	new_free(n);
}

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

static void reply_json(struct web_new *n, const Computations__Computation *c)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	CLEANUP_WRITER struct writer path = writer_up_to(WEB_URL_MAX * 8);
	struct http_answer answer = { .status = 201, .type = WEB_JSON_TYPE };
	struct err e;

	writer_text(&w, "{");
	put_text(&w, "id", c->id);
	put_text(&w, "name", c->name);
	put_text(&w, "workspace", c->workspace);
	put_text(&w, "state", c->state);
	json_put_hex(&w, "manifest_digest", c->manifest_digest.data, c->manifest_digest.len);
	writer_text(&w, "}\n");
	page_put(&path, "/api/computations/%u", c->id);
	writer_u8(&path, 0);
	if (writer_check(&w, "the answer", &e) < 0 || writer_check(&path, "its address", &e) < 0) {
		http_request_fail(n->r, &e);
		return;
	}
	answer.more[0] = (struct rpc_web_field){ "location", (const char *)path.bytes };
	answer.body = writer_take(&w, &answer.len);
	http_request_answer(n->r, &answer);
}

static void lead(struct web_new *n)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_URL_MAX * 8);
	struct http_answer answer = { .status = 303 };
	struct err e;

	page_put(&w, "/c/%u", n->manifest->id);
	writer_u8(&w, 0);
	if (writer_check(&w, "where this leads", &e) < 0) {
		http_request_fail(n->r, &e);
		return;
	}
	answer.more[0] = (struct rpc_web_field){ "location", (const char *)w.bytes };
	http_request_answer(n->r, &answer);
}

/* It is there, but not everybody who is named in it sees it. */
static void reply_partly(struct web_new *n, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct web_new_grant *g = &n->grants[n->given_count];

	page_begin(&w, &n->seen, n->id ? "Saved" : "Created", "");
	page_put(&w,
		 "<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">%s, "
		 "but not every role was given</h1>\n<p>Role %t of <bdi>%t</bdi>, and those behind "
		 "it: <bdi>%t</bdi></p>\n<p><a class=\"btn main\" href=\"/c/%u/roles\">Roles</a>"
		 "</p>\n</section>\n",
		 n->id ? "Saved" : "Created", g->role, g->user, e->text, n->manifest->id);
	page_end(&w);
	web_reply_html(n->r, &w, 200);
}

/* ---- calls ---- */

static struct rpc_local local_of(struct web_new *n,
				 void (*answered)(void *data, const ProtobufCMessage *answer,
						  const struct err *e))
{
	struct rpc_local local = web_local(n->r);

	n->given.is_proven = !n->given.caller.has_token && !n->given.caller.has_login;
	local.given = &n->given;
	local.answered = answered;
	local.data = n;
	return local;
}

static void give_next(struct web_new *n);

static void answered_give(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	struct web_new *n = data;

	(void)answer;
	if (!e) {
		n->given_count++;
		give_next(n);
		return;
	}
	reply_partly(n, e);
	new_free(n);
}

static void give_next(struct web_new *n)
{
	const struct rpc_local local = local_of(n, answered_give);
	People__MemberRequest m = PEOPLE__MEMBER_REQUEST__INIT;
	struct web_new_grant *g = &n->grants[n->given_count];

	if (n->given_count == n->grant_count) {
		lead(n);
		new_free(n);
		return;
	}
	m.computation_id = n->manifest->id;
	m.role = (char *)(uintptr_t)g->role;
	m.user = g->user;
	rpc_local_call(n->web->service->admins, PROTO_PEOPLE_GIVE_ROLE, &m.base, &local);
}

static void created(struct web_new *n, const Computations__Computation *c)
{
	if (n->form) {
		give_next(n);
		return;
	}
	reply_json(n, c);
	new_free(n);
}

/* That id is taken: by this very manifest in this place, if the same was sent before. */
static void answered_show(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	struct web_new *n = data;
	const Computations__Computation *c = (const Computations__Computation *)answer;
	struct manifest_digests own;
	struct err ignored;

	if (!e && n->place && strcmp(c->workspace, n->place) == 0 &&
	    manifest_digest(n->manifest, &own, &ignored) == 0 &&
	    c->manifest_digest.len == sizeof(own.sha3_256) &&
	    memcmp(c->manifest_digest.data, own.sha3_256, sizeof(own.sha3_256)) == 0)
		created(n, c);
	else
		fail(n, &n->why, "");
}

static void answered_create(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	struct web_new *n = data;
	Computations__ComputationRequest m = COMPUTATIONS__COMPUTATION_REQUEST__INIT;

	n->given.still = NULL; /* that was of this call */
	if (!e) {
		created(n, (const Computations__Computation *)answer);
	} else if (e->code == ERR_EXISTS && n->form) {
		const struct rpc_local local = local_of(n, answered_show);

		n->why = *e;
		m.id = n->manifest->id;
		rpc_local_call(n->web->service->admins, PROTO_COMPUTATIONS_SHOW, &m.base, &local);
	} else {
		fail(n, e, "");
	}
}

static void answered_refuse(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	struct web_new *n = data;

	(void)answer;
	http_request_fail(n->r, e);
	new_free(n);
}

/* Seen by the audit log. */
static void refuse(struct web_new *n, const struct err *why)
{
	const struct rpc_local local = local_of(n, answered_refuse);

	rpc_local_refuse(n->web->service->admins,
			 n->id ? PROTO_COMPUTATIONS_UPDATE : PROTO_COMPUTATIONS_CREATE, why,
			 &local);
}

static void answered_update(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	struct web_new *n = data;

	(void)answer;
	n->given.still = NULL;
	if (e) {
		fail(n, e, "");
	} else if (n->form) {
		*n->given.revision = '\0'; /* what was seen is of the manifest, not of roles */
		give_next(n);
	} else {
		web_one_json(n->r, n->web);
		new_free(n);
	}
}

static void update(struct web_new *n)
{
	const struct rpc_local local = local_of(n, answered_update);
	Computations__UpdateRequest m = COMPUTATIONS__UPDATE_REQUEST__INIT;

	m.manifest = n->manifest;
	rpc_local_call(n->web->service->admins, PROTO_COMPUTATIONS_UPDATE, &m.base, &local);
}

void web_new_judged(struct web_new *n, const struct err *e)
{
	const struct rpc_local local = local_of(n, answered_create);
	Computations__CreateRequest m = COMPUTATIONS__CREATE_REQUEST__INIT;

	if (e && n->id) { /* he does not see it */
		refuse(n, e);
		return;
	}
	if (e || n->why.code != ERR_OK) {
		fail(n, e ? e : &n->why, e ? "" : "body");
		return;
	}
	n->given.seen = n;
	n->given.still = web_new_still;
	if (n->id) {
		update(n);
		return;
	}
	m.manifest = n->manifest;
	m.workspace = (char *)(uintptr_t)n->workspace;
	rpc_local_call(n->web->service->admins, PROTO_COMPUTATIONS_CREATE, &m.base, &local);
}

/* ---- how it begins ---- */

static struct web_new *new_of(struct web *web, struct http_request *r, const char *via)
{
	struct web_new *n = calloc(1, sizeof(*n));
	struct err e;

	if (n) {
		n->r = http_request_ref(r);
		n->web = web;
		n->given.via = via;
		n->workspace = "";
		if (web_access_take(web, r, &n->given.caller, &e) == 0)
			return n;
		new_free(n);
	} else {
		err_nomem(&e);
	}
	http_request_fail(r, &e);
	return NULL;
}

static void try_form(struct web *web, struct http_request *r, const char *id)
{
	static const struct web_form_names names = { web_new_needed, web_new_others, web_files };
	struct web_new *n = new_of(web, r, "page");
	struct err e;

	if (!n)
		return;
	n->id = id;
	if (web_form_read_names(r, &names, &n->form, &e) < 0 ||
	    (id && web_act_seen(r, n->form, REVISES_COMPUTATION, n->given.revision, &e) < 0)) {
		http_request_fail(r, &e);
	} else if (web_check_form(n->web, r, n->form, &e) < 0) {
		refuse(n, &e);
		return;
	} else {
		if (web_new_read(n, &n->why) == 0)
			n->why.code = ERR_OK;
		web_new_start(n);
		return;
	}
	new_free(n);
}

void web_new_try(struct http_request *r, void *data)
{
	try_form(data, r, NULL);
}

void web_edit_try(struct http_request *r, void *data)
{
	try_form(data, r, http_request_param(r, "id"));
}

static void take_body(struct web *web, struct http_request *r, const char *id)
{
	struct web_new *n = new_of(web, r, "api");
	const char *workspace = http_request_query(r, "workspace");
	struct err e;

	if (!n)
		return;
	n->id = id;
	n->workspace = workspace ? workspace : "";
	n->text = http_request_body(r, &n->len);
	if (id && web_act_seen(r, NULL, REVISES_COMPUTATION, n->given.revision, &e) < 0) {
		web_act_fail(r, &e, "header if-match");
	} else if (!n->len) {
		err_set(&e, ERR_INVALID, "a manifest is missing");
		web_act_fail(r, &e, "body");
	} else {
		web_new_start(n);
		return;
	}
	new_free(n);
}

void web_new_api(struct http_request *r, void *data)
{
	take_body(data, r, NULL);
}

void web_edit_api(struct http_request *r, void *data)
{
	take_body(data, r, http_request_param(r, "id"));
}

static const struct web_input of_edit[] = {
	PATH("id", Computations__ComputationRequest, id, "a computation's id"),
	END,
};

ACTION(web_edit_action) = { .inputs = of_edit,
			    .revises = REVISES_COMPUTATION,
			    .then = DEED_UPDATE,
			    .answer = web_one_json,
			    .tells = NOUN_COMPUTATION };
