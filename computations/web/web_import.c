/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_import.c — computations out of a document by the API: Import of the administrators' methods.
 *
 * Who is a member of the workspace gets his registered key in it, as in a new computation that is made here: that is
 * looked up before Import begins. A document is long, so whom it names is read in the line of judge_line.h, once its caller may, and the
 * database is asked for them alone.
 */
#include "computations/web/web_import.h"

#include "common/base/json.h"
#include "common/transfer/csv.h"
#include "computations.pb-c.h"
#include "computations/core/judge_line.h"
#include "computations/people/user_key.h"
#include "computations/people/workspace_member.h"
#include "computations/transfer/document.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_input.h"
#include "computations_paths.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Somebody of whom the document speaks. */
struct person {
	char *id;                         /* there */
	Computations__ImportPerson *said; /* whom the caller takes him for; NULL: he did not say */
	char *user;                       /* a member here; NULL: none */
	struct user_key key;              /* len 0: none */
	Computations__ImportPerson row;
};

struct web_import {
	struct web_act act;
	struct web_message m;
	struct document *document; /* while it is read */
	struct person people[WEB_IMPORT_PEOPLE];
	size_t count;
	void *by_id; /* tsearch(3): of these */
	Computations__ImportPerson
		*said[WEB_IMPORT_PEOPLE]; /* the message's, in the order of ids */
	Computations__ImportPerson *rows[2 * WEB_IMPORT_PEOPLE];
	int64_t person;           /* who calls */
	struct judge_place *line; /* where it is read */
	size_t step;              /* there, the next one */
	struct err why;           /* it does not begin */
	bool is_denied;           /* Import says so itself, to the audit log, too */
};

/* What the tree points to is in the array. */
static void keep(void *person)
{
	(void)person;
}

static void import_free(struct web_import *n)
{
	tdestroy(n->by_id, keep);
	for (size_t i = 0; i < n->count; i++) {
		free(n->people[i].id);
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

/* ---- in the line: of whom the document speaks ---- */

static int by_id(const void *one, const void *other)
{
	const Computations__ImportPerson *const *a = one, *const *b = other;

	return strcmp((*a)->id, (*b)->id);
}

static int read_input(struct web_import *n, struct err *e)
{
	const Computations__ImportRequest *m;

	if (web_input_take(n->act.r, n->act.action, NULL, &n->m, e) < 0)
		return err_code(e);
	m = message_of(n);
	for (size_t i = 0; i < m->n_people; i++)
		n->said[i] = m->people[i];
	qsort(n->said, m->n_people, sizeof(n->said[0]), by_id);
	return 0;
}

/* What can't be read is said by Import. */
static int read_document(struct web_import *n, struct err *e)
{
	const ProtobufCBinaryData *given = &message_of(n)->document;
	CLEANUP(free) uint8_t *json = NULL;
	size_t len = given->len;
	struct err ignored;

	(void)e;
	if (message_of(n)->csv &&
	    csv_to_json(given->data, given->len, DOCUMENT_MAX, &json, &len, &ignored) < 0)
		return 0;
	if (document_read(json ? json : given->data, len, &n->document, &ignored) < 0)
		n->document = NULL;
	return 0;
}

static Computations__ImportPerson *said_of(const struct web_import *n, const char *id)
{
	const Computations__ImportPerson key = { .id = (char *)(uintptr_t)id }, *asked = &key;
	Computations__ImportPerson *const *found =
		bsearch(&asked, n->said, message_of(n)->n_people, sizeof(n->said[0]), by_id);

	return found ? *found : NULL;
}

static int compare(const void *one, const void *other)
{
	const struct person *a = one, *b = other;

	return strcmp(a->id, b->id);
}

/* Once. */
static int add_person(struct web_import *n, const char *id, struct err *e)
{
	const struct person asked = { .id = (char *)(uintptr_t)id };
	struct person *p = &n->people[n->count];

	if (!*id || n->count == WEB_IMPORT_PEOPLE || tfind(&asked, &n->by_id, compare))
		return 0;
	*p = (struct person){ .id = strdup(id), .said = said_of(n, id) };
	if (!p->id)
		return err_nomem(e);
	n->count++;
	return tsearch(p, &n->by_id, compare) ? 0 : err_nomem(e);
}

static int add_people(struct web_import *n, struct err *e)
{
	for (size_t i = 0; n->document && i < n->document->count; i++) {
		const struct document_item *item = &n->document->items[i];

		for (size_t k = 0; k < item->member_count; k++)
			if (add_person(n, item->members[k].user, e) < 0)
				return err_code(e);
		for (size_t k = 0; k < item->asset_count; k++)
			if (add_person(n, item->assets[k].owner, e) < 0)
				return err_code(e);
	}
	document_free(TAKE_PTR(n->document));
	return 0;
}

static int (*const steps[])(struct web_import *n, struct err *e) = { read_input, read_document,
								     add_people };

static bool take_step(void *data)
{
	struct web_import *n = data;

	if (steps[n->step++](n, &n->why) < 0)
		return false;
	n->why.code = ERR_OK;
	return n->step < ARRAY_LEN(steps);
}

/* ---- in the database: who they are ---- */

/* Of members of this workspace alone: of others the caller hears nothing. */
static int look_up(struct store *store, int64_t workspace, struct person *p, struct err *e)
{
	const char *name = p->said ? p->said->user : p->id;
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
		Computations__ImportPerson *row = p->said ? p->said : &p->row;

		computations__import_person__init(&p->row);
		p->row.id = p->id;
		row->key = (ProtobufCBinaryData){ p->key.len, p->key.spki };
		if (!p->said && p->key.len && count < ARRAY_LEN(n->rows))
			n->rows[count++] = row;
	}
	m->people = n->rows;
	m->n_people = count;
}

/* Whether its caller may, asked anew each time. */
static int check(struct store *store, struct web_import *n, struct admin_caller *caller,
		 struct workspace *w, struct err *e)
{
	*caller = n->act.given.caller;
	caller->deed = DEED_BE;
	if (web_work_check(store, caller, "", e) < 0)
		return err_code(e);
	n->person = caller->who.person;
	n->is_denied =
		admin_access_workspace(store, caller, DEED_CREATE,
				       http_request_param(n->act.r, "workspace"), w, &n->why) < 0;
	if (!n->is_denied)
		n->why.code = ERR_OK;
	return 0;
}

static int run_may(struct store *store, void *data, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct admin_caller caller;

	return check(store, data, &caller, &w, e);
}

static int run_people(struct store *store, void *data, struct err *e)
{
	struct web_import *n = data;
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct admin_caller caller;

	if (check(store, n, &caller, &w, e) < 0)
		return err_code(e);
	for (size_t i = 0; !n->is_denied && i < n->count; i++)
		if (look_up(store, w.number, &n->people[i], e) < 0)
			return err_code(e);
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

/* ---- the way there ---- */

static void fail(struct web_import *n, const struct err *e)
{
	web_act_fail(n->act.r, e, e == &n->why ? n->m.field : "");
	import_free(n);
}

static void call(struct web_import *n, const ProtobufCMessage *message)
{
	struct rpc_local local = web_local(n->act.r);

	n->act.given.is_proven = !n->act.given.caller.has_token && !n->act.given.caller.has_login;
	local.given = &n->act.given;
	local.answered = answered;
	local.data = n;
	rpc_local_call(n->act.web->service->admins, PROTO_COMPUTATIONS_IMPORT, message, &local);
}

/* True: he may not, which Import tells him. */
static bool is_over(struct web_import *n, const struct err *e)
{
	Computations__ImportRequest none = COMPUTATIONS__IMPORT_REQUEST__INIT;

	none.workspace = (char *)(uintptr_t)http_request_param(n->act.r, "workspace");
	if (e)
		fail(n, e);
	else if (n->is_denied)
		call(n, &none.base);
	return e || n->is_denied;
}

static void know_people(void *data, const struct err *e)
{
	struct web_import *n = data;

	if (is_over(n, e))
		return;
	put_rows(n);
	call(n, n->m.message);
}

static int begin(struct web_import *n, int (*run)(struct store *store, void *data, struct err *e),
		 void (*done)(void *data, const struct err *e), struct err *e)
{
	const struct store_queue_op op = { run, done, n };
	struct service *service = n->act.web->service;
	const uint64_t account = admin_access_account(service->known, &n->act.given.caller);

	return store_queue_add_for(service->queue, account, &op, false, e);
}

static void have_read(void *data, const struct err *e)
{
	struct web_import *n = data;
	struct err why;

	judge_line_leave(TAKE_PTR(n->line));
	if (e || n->why.code != ERR_OK)
		fail(n, e ? e : &n->why);
	else if (begin(n, run_people, know_people, &why) < 0)
		fail(n, &why);
}

static void he_may(void *data, const struct err *e)
{
	struct web_import *n = data;
	struct judge_job job = {
		.caller = { .person = n->person, .source = http_request_source(n->act.r) },
		.step = take_step,
		.done = have_read,
		.data = n,
	};
	struct err why;

	if (is_over(n, e))
		return;
	(void)http_request_body(n->act.r, &job.bytes);
	if (judge_line_add(n->act.web->service->judges, &job, &n->line, &why) < 0)
		fail(n, &why);
}

void web_import_api(struct http_request *r, void *data)
{
	struct web *web = data;
	struct web_import *n = calloc(1, sizeof(*n));
	struct err e;

	err_nomem(&e);
	if (n) {
		n->act = (struct web_act){ .r = http_request_ref(r),
					   .web = web,
					   .action = web_row_of(web, r)->action,
					   .given.via = "api" };
		if (web_access_take(web, r, &n->act.given.caller, &e) == 0 &&
		    begin(n, run_may, he_may, &e) == 0)
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
