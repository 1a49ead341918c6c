/* SPDX-License-Identifier: Apache-2.0 */
/* admin_asset.c — the assets of a workspace: people.PeopleService. */
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "computations/admin/admin_people.h"
#include "computations/people/asset.h"

#include <stdlib.h>
#include <string.h>

/* What such a call brings, and has found. */
struct asset_call {
	struct asset_row given; /* its texts are malloc'ed */
	char *computation;
	struct workspace w;
	struct asset_row rows[PEOPLE_PAGE_MAX];
	char *links[ASSET_LINKS_SHOWN];
	size_t link_count;
};

void people_asset_free(struct asset_call *c)
{
	if (!c)
		return;
	asset_row_done(&c->given);
	workspace_done(&c->w);
	for (size_t i = 0; i < PEOPLE_PAGE_MAX; i++)
		asset_row_done(&c->rows[i]);
	for (size_t i = 0; i < c->link_count; i++)
		free(c->links[i]);
	free(c->computation);
	free(c);
}

/* The workspace is the request's id, and `name` what it is about; NULL as from request_new(). */
static struct request *request_of(struct rpc_call *call, const char *workspace, const char *name)
{
	struct request *r = people_request_new(call, workspace, "", name);
	struct err e;

	if (!r)
		return NULL;
	r->people->asset = calloc(1, sizeof(*r->people->asset));
	if (r->people->asset)
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

/* False: the call is finished, and the request gone. */
static bool take_texts(struct request *r, const char *name, const char *mime,
		       const char *description)
{
	struct asset_row *given = &r->people->asset->given;
	struct err e;

	given->name = strdup(name);
	given->mime = strdup(mime);
	given->description = strdup(description);
	if (given->name && given->mime && given->description)
		return true;
	err_nomem(&e);
	request_refuse(r, &e);
	return false;
}

/* ---- answers ---- */

struct times {
	Google__Protobuf__Timestamp created, changed;
};

static void fill(People__Asset *m, struct times *times, struct asset_row *a)
{
	people__asset__init(m);
	m->workspace = a->workspace;
	m->name = a->name;
	m->type = (char *)(uintptr_t)asset_type_name(a->type);
	m->mime_type = a->mime;
	m->description = a->description;
	m->digest = (ProtobufCBinaryData){ sizeof(a->digest), a->digest };
	m->owner = a->owner;
	m->created = people_time(&times->created, a->created);
	m->changed = people_time(&times->changed, a->changed);
}

static void reply_asset(struct request *r)
{
	struct asset_call *c = r->people->asset;
	struct times times;
	People__Asset m;

	fill(&m, &times, &c->rows[0]);
	m.computations = c->links;
	m.n_computations = c->link_count;
	rpc_call_reply(r->call, &m.base);
}

static void reply_list(struct request *r)
{
	struct asset_call *c = r->people->asset;
	People__ListAssetsResponse response = PEOPLE__LIST_ASSETS_RESPONSE__INIT;
	struct times times[PEOPLE_PAGE_MAX];
	People__Asset out[PEOPLE_PAGE_MAX], *rows[PEOPLE_PAGE_MAX];

	for (size_t i = 0; i < r->count; i++) {
		fill(&out[i], &times[i], &c->rows[i]);
		rows[i] = &out[i];
	}
	response.assets = rows;
	response.n_assets = r->count;
	if (r->place)
		response.next = r->place;
	else if (r->count == PEOPLE_PAGE_MAX && !r->is_sorted)
		response.next = c->rows[r->count - 1].name;
	rpc_call_reply(r->call, &response.base);
}

/* ---- in the pool ---- */

/* Names are a workspace's: who names none has it in his row of the audit log all the same. */
static int find_workspace(struct store *store, struct request *r, enum deed deed, struct err *e)
{
	const struct workspace *w = &r->people->asset->w;

	if (admin_access_workspace(store, &r->caller, deed, r->id, &r->people->asset->w, e) < 0)
		return err_code(e);
	if (r->audit && !*r->audit->object)
		snprintf(r->audit->object, sizeof(r->audit->object), "workspace %s", w->name);
	return 0;
}

/* The asset of that name, and its links that this caller may see, for the answer. */
static int show(struct store *store, struct request *r, const char *name, struct err *e)
{
	struct asset_call *c = r->people->asset;
	const int64_t person = r->caller.rights.operates ? 0 : r->caller.who.person;

	if (asset_find(&store->db, c->w.number, name, &c->rows[0], e) < 0)
		return err_code(e);
	r->count = 1;
	return asset_links(&store->db, c->rows[0].number, person, c->links, &c->link_count, e);
}

enum { DESCRIPTION_TOLD = 8 /* bytes of its digest */ };

/* How it begins, and which one it is: two long ones may begin alike. */
static void tell_description(const char *text, char told[LOG_QUOTE_MAX + 64])
{
	char hex[2 * DESCRIPTION_TOLD + 1] = "?";
	uint8_t sum[SHA3_256_LEN];
	struct err ignored;

	snprintf(told, LOG_QUOTE_MAX + 64, "no description");
	if (!*text)
		return;
	if (digest(DIGEST_SHA3_256, text, strlen(text), sum, &ignored) == 0)
		hex_encode(sum, DESCRIPTION_TOLD, hex);
	snprintf(told, LOG_QUOTE_MAX + 64, "description %s (%s)", log_quote(text).text, hex);
}

static void tell(struct request *r, const struct asset_row *a, bool is_before)
{
	char hex[2 * MANIFEST_HASH_LEN + 1], description[LOG_QUOTE_MAX + 64];

	hex_encode(a->digest, sizeof(a->digest), hex);
	tell_description(a->description, description);
	(is_before ? request_was : request_is)(r, "%s: %s %s, %s, %s", a->name,
					       asset_type_name(a->type), hex, a->mime, description);
}

static int run_register(struct store *store, struct request *r, struct err *e)
{
	struct asset_call *c = r->people->asset;

	if (find_workspace(store, r, DEED_ASSET_ADD, e) < 0 ||
	    asset_add(&store->db, c->w.number, r->caller.who.person, &c->given, store_now(), e) < 0)
		return err_code(e);
	tell(r, &c->given, false);
	return show(store, r, c->given.name, e);
}

static int run_list(struct store *store, struct request *r, struct err *e)
{
	struct asset_call *c = r->people->asset;

	const struct list_search search = request_search(r, r->people->name);

	if (find_workspace(store, r, DEED_ASSETS, e) < 0)
		return err_code(e);
	if (r->is_sorted)
		return asset_search(&store->db, c->w.number, r->caller.who.person, &search,
				    PEOPLE_PAGE_MAX, c->rows, &r->count, &r->place, e);
	return asset_list(&store->db, c->w.number, r->people->name, PEOPLE_PAGE_MAX, c->rows,
			  &r->count, e);
}

static int run_show(struct store *store, struct request *r, struct err *e)
{
	if (find_workspace(store, r, DEED_ASSETS, e) < 0)
		return err_code(e);
	return show(store, r, r->people->name, e);
}

/* The asset that is to be changed, by who may. */
static int find_own(struct store *store, struct request *r, struct asset_row *a, struct err *e)
{
	struct asset_call *c = r->people->asset;

	if (find_workspace(store, r, DEED_ASSETS, e) < 0 ||
	    asset_find(&store->db, c->w.number, r->people->name, a, e) < 0)
		return err_code(e);
	return admin_access_asset(store, &r->caller, &c->w, a->person, e);
}

/* Lent: what is given, else what is there. */
static struct asset_row changed(const struct asset_row *now, const struct request *r)
{
	const struct asset_row *given = &r->people->asset->given;
	struct asset_row then = *now;

	if (*given->name)
		then.name = given->name;
	if (*given->mime)
		then.mime = given->mime;
	if (*given->description || r->people->flag)
		then.description = given->description;
	return then;
}

static int run_update(struct store *store, struct request *r, struct err *e)
{
	struct asset_row now CLEANUP_ASSET_ROW = { .name = NULL };
	struct asset_call *c = r->people->asset;
	struct asset_row then;

	if (find_own(store, r, &now, e) < 0)
		return err_code(e);
	then = changed(&now, r);
	tell(r, &now, true);
	tell(r, &then, false);
	if (asset_change(&store->db, c->w.number, &now, &then, store_now(), e) < 0)
		return err_code(e);
	return show(store, r, then.name, e);
}

static int run_remove(struct store *store, struct request *r, struct err *e)
{
	struct asset_row a CLEANUP_ASSET_ROW = { .name = NULL };

	if (find_own(store, r, &a, e) < 0)
		return err_code(e);
	tell(r, &a, true);
	return asset_remove(&store->db, &a, e);
}

/* Of the same workspace, and one that the caller sees. */
static int read_manifest(struct store *store, struct request *r, Cvms__ComputationRunReq **manifest,
			 struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	struct asset_call *call = r->people->asset;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (admin_access_check(store, &r->caller, DEED_SEE, call->computation, e) < 0 ||
	    store_computation(store, call->computation, &c, e) < 0 ||
	    store_manifest(store, call->computation, &bytes, &len, e) < 0)
		return err_code(e);
	if (strcmp(c.workspace, call->w.name) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "computation %s is in workspace %s, and the asset in %s", c.id,
			       c.workspace, call->w.name);
	return manifest_decode(bytes, len, manifest, e);
}

static int run_link(struct store *store, struct request *r, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	struct asset_row a CLEANUP_ASSET_ROW = { .name = NULL };
	struct asset_call *c = r->people->asset;

	if (find_workspace(store, r, DEED_ASSET_ADD, e) < 0 ||
	    asset_find(&store->db, c->w.number, r->people->name, &a, e) < 0 ||
	    read_manifest(store, r, &manifest, e) < 0 ||
	    asset_link(&store->db, &a, manifest, e) < 0)
		return err_code(e);
	return show(store, r, a.name, e);
}

/* ---- methods ---- */

static int read_given(const People__RegisterAssetRequest *m, struct asset_row *given, struct err *e)
{
	if (asset_type_find(m->type, &given->type, e) < 0)
		return err_code(e);
	if (m->digest.len != sizeof(given->digest))
		return err_set(e, ERR_INVALID, "digest of %zu bytes: SHA3-256 has %zu",
			       m->digest.len, sizeof(given->digest));
	memcpy(given->digest, m->digest.data, m->digest.len);
	return 0;
}

void people_register_asset(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__RegisterAssetRequest *m = (const People__RegisterAssetRequest *)message;
	struct request *r = request_of(call, m->workspace, m->name);
	struct err e;

	if (!r ||
	    !take_texts(r, m->name, *m->mime_type ? m->mime_type : ASSET_MIME_ANY, m->description))
		return;
	if (read_given(m, &r->people->asset->given, &e) < 0)
		request_refuse(r, &e);
	else
		people_start(r, run_register, reply_asset);
}

void people_list_assets(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__ListAssetsRequest *m = (const People__ListAssetsRequest *)message;
	struct request *r = request_of(call, m->workspace, m->after);
	struct err e;

	if (!r)
		return;
	if (request_look(r, &asset_orders, m->sort, m->search, &e) < 0)
		request_refuse(r, &e);
	else
		people_start(r, run_list, reply_list);
}

static struct request *request_of_asset(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__AssetRequest *m = (const People__AssetRequest *)message;

	return request_of(call, m->workspace, m->name);
}

void people_show_asset(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of_asset(call, message);

	if (r)
		people_start(r, run_show, reply_asset);
}

void people_update_asset(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__UpdateAssetRequest *m = (const People__UpdateAssetRequest *)message;
	struct request *r = request_of(call, m->workspace, m->name);
	struct err e;

	if (!r || !take_texts(r, m->to, m->mime_type, m->description))
		return;
	r->people->flag = m->no_description;
	if (m->no_description && *m->description) {
		err_set(&e, ERR_INVALID, "a description, and none: say which");
		request_refuse(r, &e);
	} else {
		people_start(r, run_update, reply_asset);
	}
}

void people_remove_asset(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of_asset(call, message);

	if (r)
		people_start(r, run_remove, people_reply_empty);
}

void people_link_asset(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__LinkAssetRequest *m = (const People__LinkAssetRequest *)message;
	struct request *r = request_of(call, m->workspace, m->name);
	struct err e;

	if (!r)
		return;
	r->people->asset->computation = strdup(m->computation_id);
	if (r->people->asset->computation) {
		people_start(r, run_link, reply_asset);
		return;
	}
	err_nomem(&e);
	request_refuse(r, &e);
}
