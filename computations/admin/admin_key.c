/* SPDX-License-Identifier: Apache-2.0 */
/* admin_key.c — the public keys of users, and where manifests name them: people.PeopleService. */
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_judge.h"
#include "computations/admin/admin_people.h"
#include "computations/store/store_key.h"
#include "computations/store/store_witness.h"

#include <stdlib.h>
#include <string.h>

/* What such a call brings, and its answer. */
struct key_request {
	uint8_t *bytes; /* a key, or a fingerprint */
	uint8_t *signature;
	size_t len, signature_len;
	uint8_t challenge[POSSESSION_CHALLENGE_LEN], service[KEY_FINGERPRINT_LEN];
	size_t challenge_len;
	struct user_key keys[USER_KEYS_MAX];
	size_t count;
	struct store_key_owners *owners;
	uint8_t digest[MANIFEST_HASH_LEN];
	bool changed;
	struct err refusal; /* that is told when the transaction is done: the challenge is used */
	bool is_refused;
};

void people_key_free(struct key_request *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->count; i++)
		user_key_done(&k->keys[i]);
	store_key_owners_free(k->owners);
	free(k->bytes);
	free(k->signature);
	free(k);
}

static bool copy(const ProtobufCBinaryData *from, uint8_t **bytes, size_t *len)
{
	*bytes = malloc(from->len + 1);
	if (*bytes && from->len)
		memcpy(*bytes, from->data, from->len);
	*len = from->len;
	return *bytes;
}

/* NULL as from people_request_new(). */
static struct request *key_request_new(struct rpc_call *call, const char *computation,
				       const char *user, const ProtobufCBinaryData *bytes)
{
	static const ProtobufCBinaryData none;
	struct request *r = people_request_new(call, computation, user, "");
	struct err e;

	if (!r)
		return NULL;
	r->people->key = calloc(1, sizeof(*r->people->key));
	if (r->people->key &&
	    copy(bytes ? bytes : &none, &r->people->key->bytes, &r->people->key->len))
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

/* ---- answers ---- */

static void message_key(People__UserKey *m, Google__Protobuf__Timestamp times[2],
			struct user_key *k)
{
	people__user_key__init(m);
	m->user = k->user;
	m->key = (ProtobufCBinaryData){ k->len, k->spki };
	m->fingerprint = (ProtobufCBinaryData){ sizeof(k->fingerprint), k->fingerprint };
	m->kind = k->words;
	m->computation_id = k->computation;
	m->created = people_time(&times[0], k->created);
	m->retired = people_time(&times[1], k->retired);
}

struct hex {
	char text[2 * KEY_FINGERPRINT_LEN + 1];
};

static struct hex hex_of(const uint8_t bytes[KEY_FINGERPRINT_LEN])
{
	struct hex hex;

	hex_encode(bytes, KEY_FINGERPRINT_LEN, hex.text);
	return hex;
}

/* ---- a new one ---- */

/* Nobody registers a key for somebody else: whoever has it is the one who calls. A key lasts longer than a token, so the
 * token has to be for everything. */
static int claim_of(struct store *store, struct request *r, struct user_key_claim *claim,
		    struct err *e)
{
	const struct token_owner *who = &r->caller.who;

	if (!who->person)
		return err_set(e, ERR_DENIED,
			       "a key is a user's: without a token you are none "
			       "(COMPUTATIONS_GRPC_TOKEN_FILE)");
	if (who->scope != ACTIONS_ALL)
		return err_set(e, ERR_DENIED,
			       "this token is not for all actions: it registers no key");
	*claim = (struct user_key_claim){ .person = who->person,
					  .computation = r->id,
					  .spki = r->people->key->bytes,
					  .len = r->people->key->len };
	if (*r->id && admin_access_check(store, &r->caller, DEED_KEY, r->id, e) < 0)
		return err_code(e);
	return user_key_claim_check(&store->db, claim, e);
}

static int run_challenge(struct store *store, struct request *r, struct err *e)
{
	struct key_request *k = r->people->key;
	int64_t now = store_now();
	struct user_key_claim claim;

	if (claim_of(store, r, &claim, e) < 0 || store_witness_name(store, k->service, e) < 0)
		return err_code(e);
	r->people->expires = now + (int64_t)USER_CHALLENGE_MINUTES * 60000;
	return user_key_challenge(&store->db, &claim, now, k->challenge, e);
}

static void reply_challenge(struct request *r)
{
	struct key_request *k = r->people->key;
	People__KeyChallenge m = PEOPLE__KEY_CHALLENGE__INIT;
	Google__Protobuf__Timestamp time;

	m.user = r->caller.who.name;
	m.service = (ProtobufCBinaryData){ sizeof(k->service), k->service };
	m.challenge = (ProtobufCBinaryData){ sizeof(k->challenge), k->challenge };
	m.expires = people_time(&time, r->people->expires);
	rpc_call_reply(r->call, &m.base);
}

void people_challenge_key(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__ChallengeKeyRequest *m = (const People__ChallengeKeyRequest *)message;
	struct request *r = key_request_new(call, m->computation_id, "", &m->key);

	if (r)
		people_start(r, run_challenge, reply_challenge);
}

static int check_signature(struct store *store, const struct request *r,
			   const struct user_key_claim *claim, struct err *e)
{
	const struct key_request *k = r->people->key;
	struct possession p = { .user = r->caller.who.name, .computation = r->id };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	memcpy(p.key, claim->fingerprint, sizeof(p.key));
	memcpy(p.challenge, k->challenge, sizeof(p.challenge));
	if (store_witness_name(store, p.service, e) < 0 ||
	    possession_message(&p, &bytes, &len, e) < 0 ||
	    key_parse_spki(claim->spki, claim->len, &key, e) < 0)
		return err_code(e);
	if (key_verify(key, bytes, len, k->signature, k->signature_len, e) == 0)
		return 0;
	return err_set(e, ERR_DENIED,
		       "the signature is not this key's over this challenge, for this service and "
		       "user: nothing was registered");
}

/* The one that was used for that before; "": none. */
static int tell_before(struct store *store, struct request *r, struct err *e)
{
	struct user_key before CLEANUP_USER_KEY = { .user = NULL };
	struct err none;
	int failed = user_key_find(&store->db, r->caller.who.name, r->id, &before, &none);

	if (err_is(failed, ERR_NOT_FOUND))
		return 0;
	if (failed) {
		*e = none;
		return err_code(e);
	}
	request_was(r, "key %s", hex_of(before.fingerprint).text);
	return 0;
}

static void tell_after(struct request *r, const struct key_request *k)
{
	const struct hex key = hex_of(k->keys[0].fingerprint);

	if (k->changed)
		request_is(r, "key %s, manifest %s", key.text, hex_of(k->digest).text);
	else
		request_is(r, "key %s", key.text);
}

static int take_key(struct store *store, struct request *r, const struct user_key_claim *claim,
		    struct err *e)
{
	struct key_request *k = r->people->key;

	if (user_key_claim_alone(&store->db, claim, e) < 0 || tell_before(store, r, e) < 0 ||
	    user_key_add(&store->db, claim, store_now(), e) < 0 ||
	    (*r->id && store_key_replace(store, claim, &k->changed, k->digest, e) < 0) ||
	    user_key_find(&store->db, r->caller.who.name, r->id, &k->keys[0], e) < 0)
		return err_code(e);
	k->count = 1;
	tell_after(r, k);
	return 0;
}

/* A challenge is used by a signature that does not hold, too: so that is no failure, which would undo it. The refusal is
 * noted by itself, as others are. */
static int run_register(struct store *store, struct request *r, struct err *e)
{
	struct key_request *k = r->people->key;
	struct user_key_claim claim;

	if (claim_of(store, r, &claim, e) < 0 ||
	    user_key_take_challenge(&store->db, &claim, store_now(), k->challenge, k->challenge_len,
				    e) < 0)
		return err_code(e);
	k->is_refused = check_signature(store, r, &claim, &k->refusal) < 0;
	if (!k->is_refused)
		return take_key(store, r, &claim, e);
	free(TAKE_PTR(r->audit));
	return 0;
}

static void reply_register(struct request *r)
{
	struct key_request *k = r->people->key;
	Google__Protobuf__Timestamp times[2];
	People__UserKey m;

	if (k->is_refused) {
		rpc_call_finish(r->call, &k->refusal);
		return;
	}
	message_key(&m, times, &k->keys[0]);
	/* "key" is the caller's certificate's there. */
	rpc_call_note(r->call, "user_key", hex_of(k->keys[0].fingerprint).text);
	if (k->changed) {
		m.manifest_digest = (ProtobufCBinaryData){ sizeof(k->digest), k->digest };
		rpc_call_note(r->call, "manifest", hex_of(k->digest).text);
		log_info("computation %s: its manifest names another key of user %s",
			 log_quote(r->id).text, m.user);
	}
	rpc_call_reply(r->call, &m.base);
}

/* Whether the key's numbers are sound, before the database is asked for more than whether he may. */
static int judge_key(struct request *r, struct err *e)
{
	const struct key_request *k = r->people->key;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	return key_from_spki(k->bytes, k->len, &key, e) < 0 ? err_wrap(e, "key") : 0;
}

void people_register_key(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__RegisterKeyRequest *m = (const People__RegisterKeyRequest *)message;
	struct request *r = key_request_new(call, m->computation_id, "", &m->key);
	struct judge_way way = { .step = judge_key, .run = run_register, .reply = reply_register };
	struct key_request *k;
	struct err e;

	if (!r)
		return;
	k = r->people->key;
	k->challenge_len = m->challenge.len;
	if (k->challenge_len == sizeof(k->challenge))
		memcpy(k->challenge, m->challenge.data, sizeof(k->challenge));
	if (copy(&m->signature, &k->signature, &k->signature_len)) {
		way.bytes = k->len + k->signature_len;
		request_judge(r, &way);
		return;
	}
	err_nomem(&e);
	request_refuse(r, &e);
}

/* ---- those that there are ---- */

static int run_list(struct store *store, struct request *r, struct err *e)
{
	int64_t person;

	if (people_find_person(store, r, &person, e) < 0)
		return err_code(e);
	return user_key_list(&store->db, person, r->sort, r->people->key->keys,
			     &r->people->key->count, e);
}

static void reply_list(struct request *r)
{
	People__ListKeysResponse response = PEOPLE__LIST_KEYS_RESPONSE__INIT;
	struct key_request *k = r->people->key;
	Google__Protobuf__Timestamp times[USER_KEYS_MAX][2];
	People__UserKey keys[USER_KEYS_MAX], *rows[USER_KEYS_MAX];

	for (size_t i = 0; i < k->count; i++) {
		message_key(&keys[i], times[i], &k->keys[i]);
		rows[i] = &keys[i];
	}
	response.keys = rows;
	response.n_keys = k->count;
	rpc_call_reply(r->call, &response.base);
}

void people_list_keys(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__ListKeysRequest *m = (const People__ListKeysRequest *)message;
	struct request *r = key_request_new(call, "", m->name, NULL);
	struct err e;

	if (!r)
		return;
	if (list_sort_of(&user_key_orders, m->sort, &r->sort, &e) < 0)
		request_refuse(r, &e);
	else
		people_start(r, run_list, reply_list);
}

static int run_retire(struct store *store, struct request *r, struct err *e)
{
	const struct key_request *k = r->people->key;
	int64_t person;

	if (people_find_person(store, r, &person, e) < 0)
		return err_code(e);
	if (k->len != KEY_FINGERPRINT_LEN)
		return err_set(e, ERR_INVALID, "a fingerprint of %zu bytes: it has %d", k->len,
			       KEY_FINGERPRINT_LEN);
	request_was(r, "key %s", hex_of(k->bytes).text);
	request_is(r, "retired");
	return user_key_retire(&store->db, person, k->bytes, store_now(), e);
}

static void reply_retire(struct request *r)
{
	rpc_call_note(r->call, "user_key", hex_of(r->people->key->bytes).text);
	people_reply_empty(r);
}

void people_retire_key(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__RetireKeyRequest *m = (const People__RetireKeyRequest *)message;
	struct request *r = key_request_new(call, "", m->user, &m->fingerprint);

	if (r)
		people_start(r, run_retire, reply_retire);
}

/* ---- for manifests ---- */

static int run_find(struct store *store, struct request *r, struct err *e)
{
	struct key_request *k = r->people->key;
	int failed;

	if (*r->id && admin_access_check(store, &r->caller, DEED_SEE, r->id, e) < 0)
		return err_code(e);
	failed = admin_access_name(store, &r->caller, r->people->user, e);
	if (err_is(failed, ERR_NOT_FOUND))
		return user_key_none(r->people->user, e);
	if (failed || user_key_find(&store->db, r->people->user, r->id, &k->keys[0], e) < 0)
		return err_code(e);
	k->count = 1;
	return 0;
}

static void reply_find(struct request *r)
{
	Google__Protobuf__Timestamp times[2];
	People__UserKey m;

	message_key(&m, times, &r->people->key->keys[0]);
	rpc_call_reply(r->call, &m.base);
}

void people_find_key(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__FindKeyRequest *m = (const People__FindKeyRequest *)message;
	struct request *r = key_request_new(call, m->computation_id, m->name, NULL);

	if (r)
		people_start(r, run_find, reply_find);
}

static int run_owners(struct store *store, struct request *r, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (store_manifest(store, r->id, &bytes, &len, e) < 0 ||
	    manifest_decode(bytes, len, &manifest, e) < 0)
		return err_code(e);
	return store_key_owners(store, manifest, &r->people->key->owners, e);
}

static void reply_owners(struct request *r)
{
	struct store_key_owners *owners = r->people->key->owners;
	People__KeyOwners response = PEOPLE__KEY_OWNERS__INIT;
	People__KeyOwner out[STORE_KEY_OWNERS_MAX], *rows[STORE_KEY_OWNERS_MAX];

	for (size_t i = 0; i < owners->count; i++) {
		people__key_owner__init(&out[i]);
		out[i].fingerprint =
			(ProtobufCBinaryData){ KEY_FINGERPRINT_LEN, owners->rows[i].fingerprint };
		out[i].user = owners->rows[i].user;
		out[i].retired = owners->rows[i].retired;
		rows[i] = &out[i];
	}
	response.owners = rows;
	response.n_owners = owners->count;
	rpc_call_reply(r->call, &response.base);
}

void people_list_key_owners(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = key_request_new(
		call, ((const People__RolesRequest *)message)->computation_id, "", NULL);

	if (r)
		people_start(r, run_owners, reply_owners);
}
