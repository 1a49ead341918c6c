/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_import.c — Import: computations out of a document that admin_import_read.c has judged, each in a savepoint of its
 * own, so that one that can't be leaves the others. A preview goes the same way, and back.
 */
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_judge.h"
#include "computations/admin/admin_transfer.h"
#include "computations/people/role.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_create.h"
#include "computations/store/store_name.h"
#include "computations/transfer/note.h"

#include <string.h>

/* ---- people ---- */

static const char *user_of(void *data, const char *id)
{
	const struct transfer_person *p = transfer_person(data, id);

	return p && *p->user ? p->user : id;
}

/* ---- what is said of one ---- */

static void add_text(char ***list, size_t *count, const char *text)
{
	char **longer = realloc(*list, (*count + 1) * sizeof(**list));
	char *copy = strdup(text);

	if (longer)
		*list = longer;
	if (longer && copy)
		longer[(*count)++] = copy;
	else
		free(copy); /* the report lacks a line; nothing depends on it */
}

static void warn(Computations__Imported *out, const char *text)
{
	add_text(&out->warnings, &out->n_warnings, text);
}

static void add_unknown(Computations__Imported *out, const char *id)
{
	for (size_t i = 0; i < out->n_unknown; i++)
		if (strcmp(out->unknown[i], id) == 0)
			return;
	add_text(&out->unknown, &out->n_unknown, id);
}

/* In place of what stood there. */
static void set_text(char **text, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return;
	if (*text != protobuf_c_empty_string)
		free(*text);
	*text = copy;
}

/* ---- roles ---- */

static int take_role(struct store *store, const char *id, const struct document_role *role,
		     struct err *e)
{
	const struct action_role *fixed = action_role_find(role->name);

	if (!fixed && !role->actions)
		return err_set(e, ERR_INVALID, "role %s: no actions", log_quote(role->name).text);
	if (!fixed)
		return role_define(&store->db, id, role->name, role->actions, e);
	if (role->actions && role->actions != fixed->actions)
		return err_set(e, ERR_INVALID,
			       "role %s: it has other actions in each computation; give these "
			       "another name",
			       role->name);
	return 0;
}

/* Who is not in the workspace is left out, and said, in the words of who is no user: an import must not tell who else
 * the service knows. */
static int take_member(struct store *store, struct transfer_request *t, const char *id,
		       const struct document_member *m, Computations__Imported *out, struct err *e)
{
	const char *name = user_of(t, m->user);
	struct user u CLEANUP_USER = { .name = NULL };
	enum membership membership = MEMBERSHIP_NONE;
	bool suspended;
	int failed = user_find(&store->db, name, &u, e);

	if (failed && !err_is(failed, ERR_NOT_FOUND))
		return failed;
	if (!failed &&
	    workspace_member_in(&store->db, t->workspace, u.number, &membership, &suspended, e) < 0)
		return err_code(e);
	if (membership != MEMBERSHIP_NONE)
		return role_give(&store->db, id, m->role, name, e);
	add_unknown(out, m->user);
	return 0;
}

/* Whoever creates a computation owns it, and says who else has a role: if his token is for that. */
static int take_roles(struct store *store, struct request *r, const char *id,
		      const struct document_item *item, Computations__Imported *out, struct err *e)
{
	const int64_t person = r->caller.who.person;
	bool names_some = item->member_count;

	for (size_t i = 0; i < item->role_count; i++)
		names_some = names_some || !action_role_find(item->roles[i].name);
	if (admin_own(store, &r->caller, id, e) < 0)
		return err_code(e);
	if (person && names_some && admin_access_check(store, &r->caller, DEED_MEMBERS, id, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < item->role_count; i++)
		if (take_role(store, id, &item->roles[i], e) < 0)
			return err_code(e);
	for (size_t i = 0; i < item->member_count; i++)
		if (take_member(store, r->transfer, id, &item->members[i], out, e) < 0)
			return err_code(e);
	return 0;
}

/* ---- one ---- */

static int keep_time(struct store *store, const char *id, const struct document_item *item,
		     Computations__Imported *out, struct err *e)
{
	if (item->started || item->ended)
		warn(out, "start_time and end_time are of where it ran: here it has not run");
	if (!item->created)
		return 0;
	if (item->created > store_now()) {
		warn(out, "created_at is in the future: it counts as created now");
		return 0;
	}
	return db_run(&store->db, e, "UPDATE computations SET created = ? WHERE id = ?", "it",
		      item->created, id);
}

static void note_item(const struct document_item *item, size_t left_out,
		      Computations__Imported *out)
{
	for (size_t i = 0; i < item->notice_count; i++)
		warn(out, item->notices[i]);
	if (left_out)
		warn(out, "no public key of an owner is known: he is no result consumer");
}

static void fill(struct transfer_request *t, const Cvms__ComputationRunReq *m,
		 const struct document_item *item, Computations__Imported *out)
{
	struct manifest_digests digests;
	struct err ignored;

	out->created = true;
	out->datasets = (uint32_t)m->n_datasets;
	out->consumers = (uint32_t)m->n_result_consumers;
	if (t->preview && (t->new_ids || !*item->id)) {
		set_text(&out->id, ""); /* it gets another one when it is created */
		return;
	}
	set_text(&out->id, m->id);
	if (manifest_digest(m, &digests, &ignored) < 0)
		return;
	out->manifest_digest.data = malloc(sizeof(digests.sha3_256));
	if (!out->manifest_digest.data)
		return;
	out->manifest_digest.len = sizeof(digests.sha3_256);
	memcpy(out->manifest_digest.data, digests.sha3_256, sizeof(digests.sha3_256));
}

/* The document's id is somebody's already. */
static int offer_another_id(struct err *e)
{
	struct err why = *e;

	return why.code == ERR_EXISTS
		       ? err_set(e, why.code,
				 "%s; --new-ids gives it another one, and so another digest",
				 why.text)
		       : err_code(e);
}

/* One whose name is taken gets another one to be called by, as if it was renamed: its digest is what owners have compared. */
static int keep(struct store *store, const struct transfer_request *t,
		const Cvms__ComputationRunReq *m, Computations__Imported *out, struct err *e)
{
	CLEANUP(free) char *name = NULL;
	CLEANUP(free) char *text = NULL;

	if (store_name_free(&store->db, t->workspace, m->name, &name, e) < 0)
		return err_code(e);
	if (store_create_called(store, t->workspace, m, name, e) < 0)
		return offer_another_id(e);
	if (strcmp(name, m->name) == 0)
		return 0;
	if (text_format(&text, e,
			"another computation of the workspace has its name: it is called %s here, "
			"until it is renamed; its manifest stays as it is",
			name) < 0)
		return err_code(e);
	warn(out, text);
	return 0;
}

static int create(struct store *store, struct request *r, size_t i, Computations__Imported *out,
		  struct err *e)
{
	struct transfer_request *t = r->transfer;
	const struct document_item *item = &t->document->items[i];
	const struct transfer_item *judged = &t->items[i];
	const Cvms__ComputationRunReq *m = judged->manifest;

	if (judged->why.code != ERR_OK) {
		*e = judged->why;
		return err_code(e);
	}
	if (keep(store, t, m, out, e) < 0 || take_roles(store, r, m->id, item, out, e) < 0 ||
	    note_keep(&store->db, m, item, user_of, t, e) < 0 ||
	    keep_time(store, m->id, item, out, e) < 0)
		return err_code(e);
	note_item(item, judged->left_out, out);
	fill(t, m, item, out);
	return 0;
}

static int take_item(struct store *store, struct request *r, size_t i, Computations__Imported *out,
		     struct err *e)
{
	struct err why;

	if (db_script(&store->db, "SAVEPOINT item", e) < 0)
		return err_code(e);
	if (create(store, r, i, out, &why) < 0) {
		if (!transfer_is_refusal(why.code)) {
			*e = why;
			return err_code(e);
		}
		set_text(&out->missing, why.text);
		if (db_script(&store->db, "ROLLBACK TO item", e) < 0)
			return err_code(e);
	}
	return db_script(&store->db, "RELEASE item", e);
}

static Computations__Imported *add_report(Computations__ImportResponse *response,
					  const struct document_item *item)
{
	Computations__Imported *out = malloc(sizeof(*out));

	if (!out)
		return NULL;
	computations__imported__init(out);
	response->computations[response->n_computations++] = out;
	set_text(&out->name, item->name);
	if (*item->id)
		set_text(&out->id, item->id);
	return out;
}

static int take_all(struct store *store, struct request *r, struct err *e)
{
	const struct document *d = r->transfer->document;
	Computations__ImportResponse *response = calloc(1, sizeof(*response));

	if (!response)
		return err_nomem(e);
	computations__import_response__init(response);
	r->transfer->response = response;
	response->computations = calloc(d->count, sizeof(Computations__Imported *));
	if (!response->computations)
		return err_nomem(e);
	for (size_t i = 0; i < d->count; i++) {
		Computations__Imported *out = add_report(response, &d->items[i]);

		if (!out)
			return err_nomem(e);
		if (take_item(store, r, i, out, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* ---- the call ---- */

/* One for each computation, besides that of the call. */
static int add_rows(struct store *store, struct request *r, struct err *e)
{
	const Computations__ImportResponse *response = r->transfer->response;
	struct admin_audit one;

	if (!r->audit)
		return 0;
	one = *r->audit;
	snprintf(one.about, sizeof(one.about), "{\"document\":\"%s\"}", r->transfer->digest);
	for (size_t i = 0; i < response->n_computations; i++) {
		if (!response->computations[i]->created)
			continue;
		snprintf(one.object, sizeof(one.object), "computation %s",
			 response->computations[i]->id);
		if (admin_audit_add(store, &one, &r->caller, e) < 0)
			return err_code(e);
	}
	return 0;
}

static int run_import(struct store *store, struct request *r, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	if (admin_access_workspace(store, &r->caller, DEED_CREATE, r->workspace, &w, e) < 0)
		return err_code(e);
	r->transfer->workspace = w.number;
	if (r->audit)
		snprintf(r->audit->object, sizeof(r->audit->object), "document %s",
			 r->transfer->digest);
	if (!r->transfer->preview)
		return take_all(store, r, e) < 0 ? err_code(e) : add_rows(store, r, e);
	if (db_script(&store->db, "SAVEPOINT preview", e) < 0 || take_all(store, r, e) < 0)
		return err_code(e);
	return db_script(&store->db, "ROLLBACK TO preview; RELEASE preview", e);
}

/* An audit entry has no room for every id: it has the document's digest, by which whoever has it proves what it was,
 * and an id where there is one. */
static void note_import(const struct request *r, const char *id, size_t created)
{
	char number[24];

	snprintf(number, sizeof(number), "%zu", created);
	rpc_call_note(r->call, "document", r->transfer->digest);
	rpc_call_note(r->call, "created", number);
	if (created == 1)
		rpc_call_note(r->call, "id", id);
}

static void reply_import(struct request *r)
{
	const Computations__ImportResponse *response = r->transfer->response;
	const char *id = "";
	size_t created = 0;

	for (size_t i = 0; i < response->n_computations && !r->transfer->preview; i++)
		if (response->computations[i]->created) {
			id = response->computations[i]->id;
			created++;
			log_info("computation %s imported", log_quote(id).text);
		}
	note_import(r, id, created);
	rpc_call_reply(r->call, &response->base);
}

static int take_person(struct transfer_request *t, const Computations__ImportPerson *given,
		       struct err *e)
{
	struct transfer_person *p = &t->people[t->person_count];
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	/* This is the loop: whether the numbers in a key are sound takes up to half a second, and is found out with the
	 * manifest that has it. */
	if (!*given->id || transfer_person(t, given->id))
		return err_set(e, ERR_INVALID, "people: %s comes twice, or is none",
			       log_quote(given->id).text);
	if (*given->user && people_name_check("user", given->user, e) < 0)
		return err_code(e);
	if (given->key.len && key_parse_spki(given->key.data, given->key.len, &key, e) < 0)
		return err_wrap(e, "key of %s", log_quote(given->id).text);
	t->person_count++; /* freed from here on */
	p->id = strdup(given->id);
	p->user = strdup(given->user);
	p->key = given->key.len ? document_key_text(&given->key) : NULL;
	return p->id && p->user && (p->key || !given->key.len) ? 0 : err_nomem(e);
}

static int take_request(struct transfer_request *t, const Computations__ImportRequest *message,
			struct err *e)
{
	if (message->n_people > TRANSFER_PEOPLE_MAX)
		return err_set(e, ERR_INVALID, "people: %zu, more than %d", message->n_people,
			       TRANSFER_PEOPLE_MAX);
	t->csv = message->csv;
	t->preview = message->preview;
	t->new_ids = message->new_ids;
	t->len = message->document.len;
	t->bytes = malloc(t->len + 1);
	if (!t->bytes)
		return err_nomem(e);
	if (t->len)
		memcpy(t->bytes, message->document.data, t->len);
	for (size_t i = 0; i < message->n_people; i++)
		if (take_person(t, message->people[i], e) < 0)
			return err_code(e);
	return 0;
}

void admin_import(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__ImportRequest *request = (const Computations__ImportRequest *)message;
	const struct judge_way way = {
		.bytes = protobuf_c_message_get_packed_size(message),
		.step = transfer_judge,
		.run = run_import,
		.reply = reply_import,
	};
	struct request *r = admin_transfer_new(call);
	struct err e;

	if (!r)
		return;
	if (request_in_workspace(r, request->workspace, &e) < 0 ||
	    take_request(r->transfer, request, &e) < 0)
		request_refuse(r, &e);
	else
		request_judge(r, &way);
}

struct request *admin_transfer_new(struct rpc_call *call)
{
	struct request *r = request_new(call, "");
	struct err e;

	if (!r)
		return NULL;
	r->transfer = calloc(1, sizeof(*r->transfer));
	if (r->transfer)
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

void admin_transfer_free(struct transfer_request *t)
{
	if (!t)
		return;
	transfer_items_free(t);
	for (size_t i = 0; i < t->person_count; i++) {
		free(t->people[i].id);
		free(t->people[i].user);
		free(t->people[i].key);
	}
	for (size_t i = 0; i < t->id_count; i++)
		free(t->ids[i]);
	if (t->response)
		computations__import_response__free_unpacked(t->response, NULL);
	writer_done(&t->out);
	free(t->bytes);
	free(t);
}
