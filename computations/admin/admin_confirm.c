/* SPDX-License-Identifier: Apache-2.0 */
/* admin_confirm.c — who has compared the digest of a manifest: people.PeopleService. */
#include "common/base/encode.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_people.h"
#include "computations/store/store_confirm.h"
#include "computations/store/store_witness.h"

#include <stdlib.h>
#include <string.h>

/* What such a call brings, and its answer. */
struct confirm_request {
	uint8_t key[KEY_FINGERPRINT_LEN], digest[MANIFEST_HASH_LEN];
	uint64_t revision;
	uint8_t signature[SIGNATURE_MAX];
	size_t signature_len;
	struct store_confirmations *list;
};

void people_confirm_free(struct confirm_request *c)
{
	if (c)
		store_confirmations_free(c->list);
	free(c);
}

/* NULL as from people_request_new(). */
static struct request *confirm_request_new(struct rpc_call *call, const char *computation)
{
	struct request *r = people_request_new(call, computation, "", "");
	struct err e;

	if (!r)
		return NULL;
	r->people->confirm = calloc(1, sizeof(*r->people->confirm));
	if (r->people->confirm)
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

static void message_confirmation(People__Confirmation *m, Google__Protobuf__Timestamp *time,
				 struct store_confirmation *c)
{
	people__confirmation__init(m);
	m->user = c->user;
	m->key = (ProtobufCBinaryData){ sizeof(c->key), c->key };
	m->manifest_digest = (ProtobufCBinaryData){ sizeof(c->digest), c->digest };
	m->revision = (uint64_t)c->revision;
	m->signature = (ProtobufCBinaryData){ c->signature_len, c->signature };
	m->confirmed = people_time(time, c->made);
	m->stale = c->stale;
	m->retired = c->retired;
}

/* ---- a new one ---- */

static int take(const ProtobufCBinaryData *from, uint8_t *bytes, size_t len, const char *what,
		struct err *e)
{
	if (from->len != len)
		return err_set(e, ERR_INVALID, "%s of %zu bytes: it has %zu", what, from->len, len);
	memcpy(bytes, from->data, len);
	return 0;
}

static int read_request(const People__ConfirmRequest *m, struct confirm_request *c, struct err *e)
{
	if (take(&m->key, c->key, sizeof(c->key), "key", e) < 0 ||
	    take(&m->manifest_digest, c->digest, sizeof(c->digest), "manifest_digest", e) < 0)
		return err_code(e);
	if (m->signature.len > sizeof(c->signature))
		return err_set(e, ERR_INVALID, "signature of %zu bytes: at most %zu",
			       m->signature.len, sizeof(c->signature));
	c->revision = m->revision;
	c->signature_len = m->signature.len;
	if (c->signature_len)
		memcpy(c->signature, m->signature.data, c->signature_len);
	return 0;
}

static struct store_confirmation *own_row(struct request *r)
{
	struct store_confirmations *list = r->people->confirm->list;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->rows[i].user, r->caller.who.name) == 0)
			return &list->rows[i];
	return NULL;
}

static int run_confirm(struct store *store, struct request *r, struct err *e)
{
	const struct token_owner *who = &r->caller.who;
	struct confirm_request *c = r->people->confirm;
	struct confirmation said = { .user = who->name,
				     .computation = r->id,
				     .revision = c->revision };
	char key[2 * KEY_FINGERPRINT_LEN + 1], digest[2 * MANIFEST_HASH_LEN + 1];

	if (!who->person)
		return err_set(e, ERR_DENIED,
			       "a confirmation is a user's: without a token you are none "
			       "(COMPUTATIONS_GRPC_TOKEN_FILE)");
	memcpy(said.key, c->key, sizeof(said.key));
	memcpy(said.digest, c->digest, sizeof(said.digest));
	if (store_witness_name(store, said.service, e) < 0 ||
	    store_confirm(store, who->person, &said, c->signature, c->signature_len, store_now(),
			  e) < 0)
		return err_code(e);
	hex_encode(c->key, sizeof(c->key), key);
	hex_encode(c->digest, sizeof(c->digest), digest);
	request_is(r, "key %s, manifest %s", key, digest);
	return store_confirmations(store, r->id, &c->list, e);
}

static void reply_confirm(struct request *r)
{
	struct store_confirmation *own = own_row(r);
	Google__Protobuf__Timestamp time;
	People__Confirmation m;
	struct err e;

	if (!own) { /* it has just been written */
		err_set(&e, ERR_INTERNAL, "the confirmation is not there");
		rpc_call_finish(r->call, &e);
		return;
	}
	message_confirmation(&m, &time, own);
	rpc_call_reply(r->call, &m.base);
}

void people_confirm(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__ConfirmRequest *m = (const People__ConfirmRequest *)message;
	struct request *r = confirm_request_new(call, m->computation_id);
	struct err e;

	if (!r)
		return;
	if (read_request(m, r->people->confirm, &e) < 0)
		request_refuse(r, &e);
	else
		people_start(r, run_confirm, reply_confirm);
}

/* ---- those that there are ---- */

static int run_list(struct store *store, struct request *r, struct err *e)
{
	return store_confirmations(store, r->id, &r->people->confirm->list, e);
}

static void reply_list(struct request *r)
{
	struct store_confirmations *list = r->people->confirm->list;
	People__Confirmations response = PEOPLE__CONFIRMATIONS__INIT;
	Google__Protobuf__Timestamp times[STORE_CONFIRMATIONS_MAX];
	People__Confirmation out[STORE_CONFIRMATIONS_MAX], *rows[STORE_CONFIRMATIONS_MAX];

	for (size_t i = 0; i < list->count; i++) {
		message_confirmation(&out[i], &times[i], &list->rows[i]);
		rows[i] = &out[i];
	}
	response.manifest_digest = (ProtobufCBinaryData){ sizeof(list->digest), list->digest };
	response.revision = (uint64_t)list->revision;
	response.confirmations = rows;
	response.n_confirmations = list->count;
	rpc_call_reply(r->call, &response.base);
}

void people_list_confirmations(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		confirm_request_new(call, ((const People__RolesRequest *)message)->computation_id);

	if (r)
		people_start(r, run_list, reply_list);
}
