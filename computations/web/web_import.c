/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_import.c — computations out of a document by the API, and as one: Import and Export of the administrators' methods.
 *
 * Who is a member of the workspace gets his registered key in it, as in a new computation that is made here: that is
 * looked up before Import begins. A document is long, so it is read in the pool.
 */
#include "computations/web/web_import.h"

#include "common/base/json.h"
#include "common/transfer/csv.h"
#include "computations.pb-c.h"
#include "computations/people/user_key.h"
#include "computations/people/workspace_member.h"
#include "computations/transfer/document.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_input.h"
#include "computations_paths.h"

#include <stdlib.h>
#include <string.h>

/* Somebody of whom the document speaks. */
struct person {
	const char *id;      /* there */
	const char *said;    /* whom the caller takes him for; NULL: he did not say */
	char *user;          /* a member here; NULL: none */
	struct user_key key; /* len 0: none */
	Computations__ImportPerson row;
};

struct web_import {
	struct web_act act;
	struct web_message m;
	struct document *document;
	struct person people[WEB_IMPORT_PEOPLE];
	size_t count;
	Computations__ImportPerson *rows[2 * WEB_IMPORT_PEOPLE];
	struct err why; /* it does not begin */
	bool is_denied; /* Import says so itself, to the audit log, too */
};

static void import_free(struct web_import *n)
{
	for (size_t i = 0; i < n->count; i++) {
		free(n->people[i].user);
		user_key_done(&n->people[i].key);
	}
	document_free(n->document);
	web_message_done(&n->m);
	http_request_unref(n->act.r);
	free(n);
}

static Computations__ImportRequest *message_of(const struct web_import *n)
{
	return (Computations__ImportRequest *)n->m.message;
}

/* ---- who they are ---- */

/* What can't be read is said by Import. */
static void read_document(struct web_import *n)
{
	const ProtobufCBinaryData *given = &message_of(n)->document;
	CLEANUP(free) uint8_t *json = NULL;
	size_t len = given->len;
	struct err ignored;

	if (message_of(n)->csv &&
	    csv_to_json(given->data, given->len, DOCUMENT_MAX, &json, &len, &ignored) < 0)
		return;
	if (document_read(json ? json : given->data, len, &n->document, &ignored) < 0)
		n->document = NULL;
}

static const char *said_of(const struct web_import *n, const char *id)
{
	const Computations__ImportRequest *m = message_of(n);

	for (size_t i = 0; i < m->n_people; i++)
		if (strcmp(m->people[i]->id, id) == 0)
			return m->people[i]->user;
	return NULL;
}

/* Once. */
static void add_person(struct web_import *n, const char *id)
{
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->people[i].id, id) == 0)
			return;
	if (*id && n->count < WEB_IMPORT_PEOPLE)
		n->people[n->count++] = (struct person){ .id = id, .said = said_of(n, id) };
}

static void add_people(struct web_import *n)
{
	for (size_t i = 0; n->document && i < n->document->count; i++) {
		const struct document_item *item = &n->document->items[i];

		for (size_t k = 0; k < item->member_count; k++)
			add_person(n, item->members[k].user);
		for (size_t k = 0; k < item->asset_count; k++)
			add_person(n, item->assets[k].owner);
	}
}

/* Of members of this workspace alone: of others the caller hears nothing. */
static int look_up(struct store *store, int64_t workspace, struct person *p, struct err *e)
{
	const char *name = p->said ? p->said : p->id;
	struct user u CLEANUP_USER = { .name = NULL };
	enum membership membership = MEMBERSHIP_NONE;
	bool suspended;
	int failed = user_find(&store->db, name, &u, e);

	if (failed)
		return err_is(failed, ERR_NOT_FOUND) ? 0 : failed;
	if (workspace_member_in(&store->db, workspace, u.number, &membership, &suspended, e) < 0)
		return err_code(e);
	if (membership == MEMBERSHIP_NONE)
		return 0;
	p->user = strdup(name);
	if (!p->user)
		return err_nomem(e);
	failed = user_key_find(&store->db, name, "", &p->key, e);
	return err_is(failed, ERR_NOT_FOUND) ? 0 : failed;
}

/* First those of whom the caller spoke, whether the document has them or not. */
static void put_rows(struct web_import *n)
{
	Computations__ImportRequest *m = message_of(n);
	size_t count = m->n_people;

	for (size_t i = 0; i < count; i++)
		n->rows[i] = m->people[i];
	for (size_t i = 0; i < n->count; i++) {
		struct person *p = &n->people[i];
		Computations__ImportPerson *row = &p->row;

		computations__import_person__init(row);
		row->id = (char *)(uintptr_t)p->id;
		for (size_t k = 0; p->said && k < m->n_people; k++)
			if (strcmp(n->rows[k]->id, p->id) == 0)
				row = n->rows[k];
		row->key = (ProtobufCBinaryData){ p->key.len, p->key.spki };
		if (!p->said && p->key.len && count < ARRAY_LEN(n->rows))
			n->rows[count++] = row;
	}
	m->people = n->rows;
	m->n_people = count;
}

static int prepare(struct store *store, struct web_import *n, struct admin_caller *caller,
		   struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	const char *name = http_request_param(n->act.r, "workspace");

	if (admin_access_workspace(store, caller, DEED_CREATE, name, &w, e) < 0) {
		n->is_denied = true;
		return err_code(e);
	}
	if (web_input_take(n->act.r, n->act.action, NULL, &n->m, e) < 0)
		return err_code(e);
	read_document(n);
	add_people(n);
	for (size_t i = 0; i < n->count; i++)
		if (look_up(store, w.number, &n->people[i], e) < 0)
			return err_code(e);
	put_rows(n);
	return 0;
}

static int run(struct store *store, void *data, struct err *e)
{
	struct web_import *n = data;
	struct admin_caller caller = n->act.given.caller;

	caller.deed = DEED_BE;
	if (web_work_check(store, &caller, "", e) < 0)
		return err_code(e);
	if (prepare(store, n, &caller, &n->why) == 0)
		n->why.code = ERR_OK;
	return 0;
}

/* ---- how it ends ---- */

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

static void put_flag(struct writer *w, const char *key, bool flag)
{
	json_put_key(w, key);
	writer_text(w, flag ? "true" : "false");
}

static void put_texts(struct writer *w, const char *key, char *const *texts, size_t count)
{
	json_put_key(w, key);
	writer_text(w, "[");
	for (size_t i = 0; i < count; i++) {
		writer_text(w, i ? "," : "");
		json_quote(w, texts[i], strlen(texts[i]));
	}
	writer_text(w, "]");
}

/* In the words of 'computation import --json'. */
static void put_one(struct writer *w, const Computations__Imported *c, bool preview)
{
	writer_text(w, "{");
	put_text(w, "name", c->name);
	put_text(w, "id", c->id);
	put_flag(w, "created", c->created && !preview);
	put_flag(w, "possible", c->created);
	put_text(w, "missing", c->missing);
	put_texts(w, "warnings", c->warnings, c->n_warnings);
	put_texts(w, "unknown_users", c->unknown, c->n_unknown);
	json_put_hex(w, "manifest_digest", c->manifest_digest.data, c->manifest_digest.len);
	json_put_key(w, "datasets");
	writer_printf(w, "%u", c->datasets);
	json_put_key(w, "consumers");
	writer_printf(w, "%u}", c->consumers);
}

static void put_person(struct writer *w, const struct person *p)
{
	writer_text(w, "{");
	put_text(w, "id", p->id);
	put_text(w, "user", p->user ? p->user : "");
	put_flag(w, "has_key", p->key.len);
	writer_text(w, "}");
}

static void reply_imported(struct web_act *act, const ProtobufCMessage *answer)
{
	const struct web_import *n = (const struct web_import *)act;
	const Computations__ImportResponse *m = (const Computations__ImportResponse *)answer;
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	writer_text(&w, "{");
	json_put_key(&w, "computations");
	writer_text(&w, "[");
	for (size_t i = 0; i < m->n_computations; i++) {
		writer_text(&w, i ? "," : "");
		put_one(&w, m->computations[i], message_of(n)->preview);
	}
	writer_text(&w, "]");
	json_put_key(&w, "people");
	writer_text(&w, "[");
	for (size_t i = 0; i < n->count; i++) {
		writer_text(&w, i ? "," : "");
		put_person(&w, &n->people[i]);
	}
	writer_text(&w, "]}\n");
	web_reply_json(act->r, &w);
}

static void answered(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	struct web_import *n = data;

	if (e)
		web_act_fail(n->act.r, e, e->code == ERR_INVALID ? "body document" : "");
	else
		n->act.action->reply(&n->act, answer);
	import_free(n);
}

static void ran(void *data, const struct err *e)
{
	struct web_import *n = data;
	struct rpc_server *server = n->act.web->service->admins;
	struct rpc_local local = web_local(n->act.r);
	Computations__ImportRequest none = COMPUTATIONS__IMPORT_REQUEST__INIT;

	n->act.given.is_proven = !n->act.given.caller.has_token && !n->act.given.caller.has_login;
	local.given = &n->act.given;
	local.answered = answered;
	local.data = n;
	none.workspace = (char *)(uintptr_t)http_request_param(n->act.r, "workspace");
	if (!e && n->why.code == ERR_OK) {
		rpc_local_call(server, PROTO_COMPUTATIONS_IMPORT, n->m.message, &local);
	} else if (!e && n->is_denied) {
		rpc_local_call(server, PROTO_COMPUTATIONS_IMPORT, &none.base, &local);
	} else {
		web_act_fail(n->act.r, e ? e : &n->why, e ? "" : n->m.field);
		import_free(n);
	}
}

void web_import_api(struct http_request *r, void *data)
{
	struct web *web = data;
	struct web_import *n = calloc(1, sizeof(*n));
	const struct store_queue_op op = { run, ran, n };
	struct service *service = web->service;
	struct err e;

	err_nomem(&e);
	if (n) {
		n->act = (struct web_act){ .r = http_request_ref(r),
					   .web = web,
					   .action = web_row_of(web, r)->action,
					   .given.via = "api" };
		struct admin_caller *caller = &n->act.given.caller;

		if (web_access_take(web, r, caller, &e) == 0 &&
		    store_queue_add_for(service->queue,
					admin_access_account(service->known, caller), &op, false,
					&e) == 0)
			return;
		import_free(n);
	}
	http_request_fail(r, &e);
}

static const struct web_input import[] = {
	PATH("workspace", Computations__ImportRequest, workspace, "a workspace's name"),
	{ .name = "document",
	  .kind = INPUT_DOCUMENT,
	  .is_needed = true,
	  .at = offsetof(Computations__ImportRequest, document),
	  .meaning = "its text, without contents of assets and private keys" },
	BODY("csv", INPUT_FLAG, Computations__ImportRequest, csv, "it is CSV, and not JSON"),
	BODY("preview", INPUT_FLAG, Computations__ImportRequest, preview,
	     "say what would be created and what is missing, and create nothing"),
	BODY("new_ids", INPUT_FLAG, Computations__ImportRequest, new_ids,
	     "instead of its own: manifests get other digests"),
	{ .name = "people",
	  .kind = INPUT_PEOPLE,
	  .most = WEB_IMPORT_PEOPLE,
	  .at = offsetof(Computations__ImportRequest, people),
	  .count = offsetof(Computations__ImportRequest, n_people),
	  .meaning = "who is which user here, by what the document calls them" },
	END,
};

ACTION(web_api_import) = { OF_COMPUTATIONS(IMPORT, import_request), .inputs = import,
			   .reply = reply_imported, .tells = NOUN_IMPORT };

/* ---- export ---- */

struct export
{
	struct http_request *r; /* a reference */
	struct admin_given given;
};

static void export_free(struct export *x)
{
	http_request_unref(x->r);
	free(x);
}

static void exported(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	const Computations__ExportResponse *m = (const Computations__ExportResponse *)answer;
	struct http_answer reply = { .status = 200, .type = WEB_JSON_TYPE };
	struct export *x = data;
	struct err none;

	if (!e) {
		reply.len = m->document.len;
		reply.body = malloc(reply.len + 1);
	}
	if (!reply.body) {
		http_request_fail(x->r, e ? e : (err_nomem(&none), &none));
		export_free(x);
		return;
	}
	memcpy(reply.body, m->document.data, reply.len);
	reply.more[0] = (struct rpc_web_field){ "content-disposition",
						"attachment; filename=\"computation.json\"" };
	http_request_answer(x->r, &reply);
	export_free(x);
}

void web_export(struct http_request *r, void *data)
{
	struct web *web = data;
	struct export *x = calloc(1, sizeof(*x));
	Computations__ExportRequest m = COMPUTATIONS__EXPORT_REQUEST__INIT;
	char *id = (char *)(uintptr_t)http_request_param(r, "id");
	struct rpc_local local = web_local(r);
	struct err e;

	err_nomem(&e);
	if (!x || web_access_take(web, r, &x->given.caller, &e) < 0) {
		http_request_fail(r, &e);
		free(x);
		return;
	}
	x->r = http_request_ref(r);
	x->given.via = "api";
	x->given.is_proven = !x->given.caller.has_token && !x->given.caller.has_login;
	local.given = &x->given;
	local.answered = exported;
	local.data = x;
	m.ids = &id;
	m.n_ids = 1;
	rpc_local_call(web->service->admins, PROTO_COMPUTATIONS_EXPORT, &m.base, &local);
}
