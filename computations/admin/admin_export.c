/* SPDX-License-Identifier: Apache-2.0 */
/* admin_export.c — Export: computations as a document that Import takes. */
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/transfer/csv.h"
#include "computations/admin/admin_transfer.h"
#include "computations/people/role.h"
#include "computations/transfer/note.h"

#include <string.h>
#include <uuid/uuid.h>

enum { UUID_TEXT = 37 };

/* One computation as an item, and what its texts are lent of. */
struct exported {
	struct document_item item;
	struct computation computation;
	Cvms__ComputationRunReq *manifest;
	char *canonical;
	struct role_list *roles;
	struct note_list *notes;
	struct document_asset assets[DOCUMENT_ASSETS_MAX];
	char ids[DOCUMENT_ASSETS_MAX][UUID_TEXT]; /* of those without a note */
	char *keys[DOCUMENT_ASSETS_MAX];
	struct document_role role_rows[DOCUMENT_ROLES_MAX];
	struct document_member members[ROLE_MEMBERS_MAX];
};

static void exported_free(struct exported *x)
{
	computation_done(&x->computation);
	manifest_free(x->manifest);
	free(x->canonical);
	role_list_free(x->roles);
	note_list_free(x->notes);
	for (size_t i = 0; i < DOCUMENT_ASSETS_MAX; i++)
		free(x->keys[i]);
	free(x);
}
DEFINE_CLEANUP(struct exported *, exported_free)

_Static_assert(DOCUMENT_ROLES_MAX >= ACTION_ROLES + ROLE_OWN_MAX, "each role has a place");
_Static_assert((int)DOCUMENT_MEMBERS_MAX >= (int)ROLE_MEMBERS_MAX, "each member has a place");

static void put_roles(struct exported *x)
{
	struct document_item *item = &x->item;

	for (size_t i = 0; i < ACTION_ROLES; i++)
		x->role_rows[item->role_count++] =
			(struct document_role){ action_roles[i].name, action_roles[i].actions };
	for (size_t i = 0; i < x->roles->own_count; i++)
		x->role_rows[item->role_count++] =
			(struct document_role){ x->roles->own[i].name, x->roles->own[i].actions };
	for (size_t i = 0; i < x->roles->member_count; i++)
		x->members[item->member_count++] =
			(struct document_member){ x->roles->members[i].role,
						  x->roles->members[i].user };
	item->roles = x->role_rows;
	item->members = x->members;
}

/* The same for the same asset each time: version 8, of what it is. */
static int make_id(const char *computation, int place, char id[UUID_TEXT], struct err *e)
{
	CLEANUP(free) char *text = NULL;
	uint8_t hash[SHA3_256_LEN];

	if (text_format(&text, e, "%s/%d", computation, place) < 0 ||
	    digest(DIGEST_SHA3_256, text, strlen(text), hash, e) < 0)
		return err_code(e);
	hash[6] = (uint8_t)(0x80 | (hash[6] & 0x0f));
	hash[8] = (uint8_t)(0x80 | (hash[8] & 0x3f));
	uuid_unparse_lower(hash, id);
	return 0;
}

static const struct note *note_of(const struct note_list *notes, int place)
{
	for (size_t i = 0; i < notes->count; i++)
		if (notes->rows[i].place == place)
			return &notes->rows[i];
	return NULL;
}

static int put_asset(struct exported *x, int place, const ProtobufCBinaryData *hash,
		     const ProtobufCBinaryData *key, const char *name, struct err *e)
{
	struct document_asset *a = &x->assets[x->item.asset_count++];
	const struct note *note = note_of(x->notes, place);

	*a = (struct document_asset){
		x->ids[place], name, "", "", "", "", .is_algorithm = place == 0
	};
	if (hash->len != sizeof(a->hash))
		return err_set(e, ERR_DATA_LOSS, "manifest: a hash of %zu bytes", hash->len);
	memcpy(a->hash, hash->data, sizeof(a->hash));
	x->keys[place] = document_key_text(key);
	if (!x->keys[place])
		return err_nomem(e);
	a->key = x->keys[place];
	if (note) {
		a->owner = note->owner;
		a->description = note->description;
		a->mime = note->mime;
		a->created = note->created;
		if (!place)
			a->name = note->name; /* a manifest has none of its algorithm */
		if (*note->id)
			a->id = note->id;
	}
	return *a->id ? 0 : make_id(x->item.id, place, x->ids[place], e);
}

static int put_assets(struct exported *x, struct err *e)
{
	const Cvms__ComputationRunReq *m = x->manifest;

	x->item.assets = x->assets;
	if (put_asset(x, 0, &m->algorithm->hash, &m->algorithm->userkey, "", e) < 0)
		return err_code(e);
	for (size_t i = 0; i < m->n_datasets; i++)
		if (put_asset(x, (int)i + 1, &m->datasets[i]->hash, &m->datasets[i]->userkey,
			      m->datasets[i]->filename, e) < 0)
			return err_code(e);
	return 0;
}

/* Its own moments count once it has run here. */
static int put_config(struct exported *x, struct err *e)
{
	const Cvms__AgentConfig *c = x->manifest->agent_config;

	cvms__agent_config__init(&x->item.config);
	if (!c)
		return 0;
	x->item.config = *c;
	if (strstr(c->cert_file, "PRIVATE KEY") || strstr(c->server_ca_file, "PRIVATE KEY") ||
	    strstr(c->client_ca_file, "PRIVATE KEY"))
		return err_set(e, ERR_PRECONDITION,
			       "computation %s: a private key stands among its certificates",
			       log_quote(x->item.id).text);
	return 0;
}

/* Its keys were, before it was kept, and all others wait for this transaction. */
static const struct manifest_keys were_judged = { manifest_key_kept, NULL };

static int load(struct store *store, const char *id, struct exported *x, struct err *e)
{
	const struct computation *c = &x->computation;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (store_computation(store, id, &x->computation, e) < 0 ||
	    store_manifest(store, id, &bytes, &len, e) < 0 ||
	    manifest_decode(bytes, len, &x->manifest, e) < 0 ||
	    manifest_check_by(x->manifest, &were_judged, e) < 0 ||
	    manifest_canonical(x->manifest, &x->canonical, &len, e) < 0 ||
	    role_list(&store->db, id, &x->roles, e) < 0 ||
	    note_list(&store->db, id, &x->notes, e) < 0)
		return err_code(e);
	x->item.id = c->id;
	/* What it is called here is no part of it, and an import refuses what its manifest does not say. */
	x->item.name = x->manifest->name;
	x->item.description = x->manifest->description;
	x->item.manifest = x->canonical;
	x->item.created = c->created;
	x->item.started = c->sent ? c->sent : x->notes->started;
	x->item.ended = c->sent ? c->ended : x->notes->ended;
	put_roles(x);
	return put_assets(x, e) < 0 ? err_code(e) : put_config(x, e);
}

static int export_one(struct store *store, struct request *r, size_t i, struct err *e)
{
	CLEANUP(exported_free) struct exported *x = calloc(1, sizeof(*x));
	struct transfer_request *t = r->transfer;

	if (!x)
		return err_nomem(e);
	if (admin_access_check(store, &r->caller, DEED_SEE, t->ids[i], e) < 0 ||
	    load(store, t->ids[i], x, e) < 0)
		return err_code(e);
	if (t->csv)
		document_csv_item(&t->out, &x->item);
	else
		document_json_item(&t->out, &x->item, i == 0);
	return 0;
}

/* Nobody finds out when he needs it that it can't be read. */
static int check(const struct transfer_request *t, struct err *e)
{
	CLEANUP(document_free) struct document *d = NULL;
	CLEANUP(free) uint8_t *json = NULL;
	size_t len = t->out.len;

	if (t->csv && csv_to_json(t->out.bytes, len, DOCUMENT_MAX, &json, &len, e) < 0)
		return err_wrap(e, "export fewer at a time");
	if (document_read(t->csv ? json : t->out.bytes, len, &d, e) < 0)
		return err_wrap(e, "export fewer at a time");
	return 0;
}

static int run_export(struct store *store, struct request *r, struct err *e)
{
	struct transfer_request *t = r->transfer;

	t->out = writer_up_to(DOCUMENT_MAX);
	if (t->csv)
		document_csv_begin(&t->out);
	else
		document_json_begin(&t->out);
	/* What is too long is so at once: the rest would be loaded for nothing, while all others wait. */
	for (size_t i = 0; i < t->id_count && !t->out.bad; i++)
		if (export_one(store, r, i, e) < 0)
			return err_code(e);
	if (!t->csv)
		document_json_end(&t->out);
	if (writer_check(&t->out, "the document: export fewer at a time", e) < 0)
		return err_code(e);
	return check(t, e);
}

static void reply_export(struct request *r)
{
	Computations__ExportResponse response = COMPUTATIONS__EXPORT_RESPONSE__INIT;

	response.document.data = r->transfer->out.bytes;
	response.document.len = r->transfer->out.len;
	rpc_call_reply(r->call, &response.base);
}

static int take_request(struct transfer_request *t, const Computations__ExportRequest *message,
			struct err *e)
{
	if (!message->n_ids || message->n_ids > DOCUMENT_ITEMS_MAX)
		return err_set(e, ERR_INVALID, "ids: %zu, not 1 to %d", message->n_ids,
			       DOCUMENT_ITEMS_MAX);
	t->csv = message->csv;
	for (size_t i = 0; i < message->n_ids; i++) {
		for (size_t k = 0; k < i; k++)
			if (strcmp(t->ids[k], message->ids[i]) == 0)
				return err_set(e, ERR_INVALID, "ids: %s comes twice",
					       log_quote(message->ids[i]).text);
		t->ids[t->id_count] = strdup(message->ids[i]);
		if (!t->ids[t->id_count++])
			return err_nomem(e);
	}
	return 0;
}

void admin_export(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = admin_transfer_new(call);
	struct err e;

	if (!r)
		return;
	r->run = run_export;
	r->reply = reply_export;
	if (take_request(r->transfer, (const Computations__ExportRequest *)message, &e) < 0)
		request_refuse(r, &e);
	else
		request_start(r);
}
