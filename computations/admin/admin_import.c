/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_import.c — Import: computations out of a document that admin_import_read.c has judged, a few in each turn at the
 * database, so that others' calls go between, however many the document has. A preview goes the same way, and back.
 *
 * What a turn has created stays, with its rows in the audit log, whatever becomes of the turns behind it: then the answer
 * says of each computation whether it is there.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_judge.h"
#include "computations/admin/admin_transfer.h"
#include "computations/store/store_create.h"

#include <stdlib.h>
#include <string.h>

/* ---- a turn ---- */

/* About statements: a turn has at most so many, but for a first computation with more; and begins none when it has taken so long,
 * as it may where the database is slow. */
enum { EACH = 16, TURN = 256, TURN_MS = 100 };

static size_t weight_of(const struct document_item *item)
{
	return EACH + item->asset_count + item->role_count + item->member_count;
}

static Computations__Imported *add_report(Computations__ImportResponse *response,
					  const struct document_item *item)
{
	Computations__Imported *out = malloc(sizeof(*out));

	if (!out)
		return NULL;
	computations__imported__init(out);
	response->computations[response->n_computations++] = out;
	transfer_set_text(&out->name, item->name);
	if (*item->id)
		transfer_set_text(&out->id, item->id);
	return out;
}

/* Somebody besides who imports it. */
static bool names_some(const struct document_item *item)
{
	bool some = item->member_count;

	for (size_t i = 0; i < item->role_count; i++)
		some = some || !action_role_find(item->roles[i].name);
	return some;
}

static int begin(struct transfer_request *t, struct err *e)
{
	const struct document *d = t->document;
	Computations__ImportResponse *response = calloc(1, sizeof(*response));

	if (!response)
		return err_nomem(e);
	computations__import_response__init(response);
	t->response = response;
	response->computations = calloc(d->count, sizeof(Computations__Imported *));
	if (!response->computations)
		return err_nomem(e);
	for (size_t i = 0; i < d->count; i++) {
		if (!add_report(response, &d->items[i]))
			return err_nomem(e);
		t->names_some = t->names_some ||
				(t->items[i].why.code == ERR_OK && names_some(&d->items[i]));
	}
	return 0;
}

/* `spent`: what the turn has cost before, in milliseconds. */
static int take_some(struct store *store, struct request *r, int64_t spent, struct err *e)
{
	struct transfer_request *t = r->transfer;
	const struct document *d = t->document;
	const int64_t until = clock_ms(CLOCK_MONOTONIC) + (spent > TURN_MS ? spent : TURN_MS);
	size_t weight = 0;

	if (!t->response && begin(t, e) < 0)
		return err_code(e);
	do {
		weight += weight_of(&d->items[t->taken]);
		if (transfer_take(store, r, t->taken, e) < 0)
			return err_code(e);
		t->taken++;
	} while (t->taken < d->count && weight + weight_of(&d->items[t->taken]) <= TURN &&
		 clock_ms(CLOCK_MONOTONIC) < until);
	r->is_half = t->taken < d->count;
	return 0;
}

/* What a preview would have created in its turns before takes places, ids and names, as it does in an import. */
static int stand_in(struct store *store, struct request *r, struct err *e)
{
	struct transfer_request *t = r->transfer;
	const int64_t creator = r->caller.rights.operates ? 0 : r->caller.who.person;

	for (size_t i = 0; i < t->taken; i++)
		if (t->response->computations[i]->created &&
		    store_create_stand_in(&store->db, t->workspace, t->items[i].manifest->id,
					  t->items[i].called, creator, e) < 0)
			return err_code(e);
	return 0;
}

static int look_ahead(struct store *store, struct request *r, struct err *e)
{
	const int64_t began = clock_ms(CLOCK_MONOTONIC);

	/* At least as long as the turn before it was repeated, or on a slow database it would be repeated for each. */
	if (db_script(&store->db, "SAVEPOINT preview", e) < 0 || stand_in(store, r, e) < 0 ||
	    take_some(store, r, clock_ms(CLOCK_MONOTONIC) - began, e) < 0)
		return err_code(e);
	return db_script(&store->db, "ROLLBACK TO preview; RELEASE preview", e);
}

/* One for each computation of the turn, besides that of the call. */
static int add_rows(struct store *store, struct request *r, struct err *e)
{
	const struct transfer_request *t = r->transfer;
	struct admin_audit one;

	if (!r->audit)
		return 0;
	one = *r->audit;
	snprintf(one.about, sizeof(one.about), "{\"document\":\"%s\"}", t->digest);
	for (size_t i = t->settled; i < t->taken; i++) {
		if (!t->response->computations[i]->created)
			continue;
		snprintf(one.object, sizeof(one.object), "computation %s",
			 t->response->computations[i]->id);
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
	if (r->transfer->preview)
		return look_ahead(store, r, e);
	return take_some(store, r, 0, e) < 0 ? err_code(e) : add_rows(store, r, e);
}

/* ---- the call ---- */

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

/* The rest of the document has no turn: what is there stays, and the caller is told of each. */
static void cut_short(struct request *r, const struct err *e)
{
	const struct transfer_request *t = r->transfer;

	log_warn("an import ended behind %zu of %zu computations: %s", t->settled,
		 t->document->count, e->text);
	for (size_t i = t->settled; i < t->document->count; i++) {
		CLEANUP(free) char *why = NULL;
		struct err ignored;

		t->response->computations[i]->created = false;
		if (text_format(&why, &ignored, "the import ended before it: %s", e->text) == 0)
			transfer_set_text(&t->response->computations[i]->missing, why);
	}
}

/* On the loop: what the turn has created is on disk. */
static void go_on(struct request *r)
{
	struct transfer_request *t = r->transfer;

	for (; t->settled < t->taken; t->settled++)
		r->is_done = r->is_done ||
			     (!t->preview && t->response->computations[t->settled]->created);
	if (r->is_half) {
		request_start(r);
		return;
	}
	reply_import(r);
	request_free(r);
}

static int take_key(struct transfer_person *p, const ProtobufCBinaryData *key)
{
	p->key = document_key_text(key);
	p->spki.data = malloc(key->len);
	if (!p->key || !p->spki.data)
		return -1;
	memcpy(p->spki.data, key->data, key->len);
	p->spki.len = key->len;
	return 0;
}

static int take_person(struct transfer_request *t, const Computations__ImportPerson *given,
		       struct err *e)
{
	struct transfer_person *p = &t->people[t->person_count];

	/* This is the loop, and all wait while a thousand keys are read: that is for who judges them. */
	if (!*given->id || strlen(given->id) > DOCUMENT_WORD_MAX || transfer_person(t, given->id))
		return err_set(e, ERR_INVALID, "people: %s comes twice, or is none",
			       log_quote(given->id).text);
	if (*given->user && people_name_check("user", given->user, e) < 0)
		return err_code(e);
	if (given->key.len > SPKI_MAX)
		return err_set(e, ERR_INVALID, "key of %s: it has %zu bytes, and may have %d",
			       log_quote(given->id).text, given->key.len, SPKI_MAX);
	t->person_count++; /* freed from here on */
	p->id = strdup(given->id);
	p->user = strdup(given->user);
	if (!p->id || transfer_person_add(t, p, e) < 0)
		return err_nomem(e);
	if (!p->user || (given->key.len && take_key(p, &given->key) < 0))
		return err_nomem(e);
	return 0;
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
		.next = go_on,
		.reply = reply_import,
	};
	struct request *r = admin_transfer_new(call);
	struct err e;

	if (!r)
		return;
	r->cut = cut_short;
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
	transfer_people_free(t);
	for (size_t i = 0; i < t->id_count; i++)
		free(t->ids[i]);
	if (t->response)
		computations__import_response__free_unpacked(t->response, NULL);
	writer_done(&t->out);
	free(t->bytes);
	free(t);
}
