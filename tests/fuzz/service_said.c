/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/service_said.h"

#include "cli/client/people_client.h"
#include "cli/client/workflow_client.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/manifest/manifest.h"
#include "tests/fuzz/answers.h"
#include "tests/fuzz/service_answering.h"
#include "tests/fuzz/service_kept.h"
#include "tests/fuzz/service_log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Cvms__ComputationRunReq *manifests[SVA_MANIFESTS - 1];

static uint8_t next(void)
{
	return reader_u8(service_answering.in);
}

static ProtobufCBinaryData bytes_of(const void *bytes, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)bytes };
}

/* All signers but the last one have a part in it. */
static void make_manifest(unsigned which, const char *id, const char *name)
{
	CLEANUP(free) char *text = NULL;
	struct manifest_digests digests;
	char *keys[SVA_SIGNERS];
	struct err e;

	for (size_t i = 0; i < SVA_SIGNERS; i++) {
		const struct answering_key *of = &service_answering.signers[i];

		keys[i] = base64_encode(of->spki, of->len);
		assert(keys[i]);
	}
	assert(text_format(
		       &text, &e,
		       "{\"id\":\"%s\",\"name\":\"%s\","
		       "\"algorithm\":{\"hash\":\"%064d\",\"user_key\":\"%s\"},"
		       "\"datasets\":[{\"hash\":\"%064d\",\"filename\":\"d\",\"user_key\":\"%s\"}]}",
		       id, name, 1, keys[0], 2, keys[1]) == 0);
	assert(manifest_from_json(text, strlen(text), &manifests[which], &e) == 0);
	assert(manifest_digest(manifests[which], &digests, &e) == 0);
	memcpy(service_answering.digests[which], digests.sha3_256, MANIFEST_HASH_LEN);
	for (size_t i = 0; i < SVA_SIGNERS; i++)
		free(keys[i]);
}

void service_said_open(void)
{
	make_manifest(0, "c", "one");
	make_manifest(1, "c", "two");
	make_manifest(SVA_MANIFEST_ANOTHERS, "d", "one");
}

/* ---- the log ---- */

struct log_answer {
	unsigned history, key;
	uint64_t size;
	int leaf;
	enum sva_head wrong;
};

static void say_head(const struct log_answer *a, Computations__WitnessResponse *m)
{
	static const uint8_t junk[] = { 0x30, 0x03, 1, 1, 1 };
	static uint8_t head[WITNESS_SIGNED_MAX];
	const struct service_log_head *of = &service_log.heads[a->history][a->size];
	const unsigned shown = a->wrong == SVA_HEAD_KEY_OTHER ? !a->key : a->key;

	memcpy(head, of->bytes[a->key], of->len[a->key]);
	if (a->wrong == SVA_HEAD_FLIPPED)
		head[of->len[a->key] - 1] ^= 1;
	m->signed_head = bytes_of(head, a->wrong == SVA_HEAD_NONE ? 0 : of->len[a->key]);
	m->key = a->wrong == SVA_HEAD_KEY_JUNK
			 ? bytes_of(junk, sizeof(junk))
			 : bytes_of(service_log.spki[shown], service_log.spki_len[shown]);
}

static void say_proof(const struct log_answer *a, Computations__WitnessResponse *m)
{
	static uint8_t bytes[WITNESS_PROOF_MAX];
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_PROOF_MAX);
	const uint64_t size = a->size - (a->wrong == SVA_PROOF_OLDER && a->size > 0);
	const struct service_log_head *of = &service_log.heads[a->history][size];
	struct witness_proof proof;
	struct err e;

	if (a->leaf < 0 || (uint64_t)a->leaf >= size || a->wrong == SVA_PROOF_NONE)
		return;
	proof.leaf = service_log.leaves[a->history][a->leaf];
	proof.index = (uint64_t)a->leaf ^ (a->wrong == SVA_PROOF_INDEX);
	proof.signed_head = (struct span){ of->bytes[a->key], of->len[a->key] };
	service_log_inclusion(a->history, (uint64_t)a->leaf, size, &proof.path);
	assert(witness_proof_write(&proof, &w, &e) == 0);
	memcpy(bytes, w.bytes, w.len);
	if (a->wrong == SVA_PROOF_FLIPPED)
		bytes[4] ^= 1;
	m->proof = bytes_of(bytes, w.len);
}

static void say_path(const struct log_answer *a, uint64_t from, Computations__WitnessResponse *m)
{
	static struct merkle_path path;
	static ProtobufCBinaryData hashes[MERKLE_PATH_MAX + 1];

	service_log_path(a->history, from, a->size, &path);
	if (a->wrong == SVA_PATH_FLIPPED)
		path.hashes[0][0] ^= 1;
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++)
		hashes[i] = bytes_of(path.hashes[i % MERKLE_PATH_MAX], SHA256_LEN);
	hashes[0].len -= a->wrong == SVA_PATH_SHORT;
	m->consistency = hashes;
	m->n_consistency = a->wrong == SVA_PATH_NONE   ? 0
			   : a->wrong == SVA_PATH_MANY ? ARRAY_LEN(hashes)
						       : path.count;
}

static ProtobufCMessage *say_log(const Computations__WitnessRequest *request)
{
	Computations__WitnessResponse m = COMPUTATIONS__WITNESS_RESPONSE__INIT;
	const uint8_t of = next();
	struct log_answer a = { .history = (of % SVA_OF_KEY) % SVA_HISTORIES,
				.key = of & SVA_OF_KEY ? 1 : 0 };

	a.size = next() % (SVA_LEAVES + 1);
	a.leaf = (int)(next() % (SVA_LEAVES + 1)) - 1;
	a.wrong = next() % SVA_HEADS;
	if (a.leaf < 0)
		a.leaf = service_log_find(a.history, a.size, request->id, request->run);
	say_head(&a, &m);
	if (*request->id)
		say_proof(&a, &m);
	say_path(&a, request->size, &m);
	service_answering.is_fine =
		a.wrong == SVA_HEAD_RIGHT && service_kept.has_place && !service_kept.is_broken &&
		service_kept_goes_on((int)a.key, &service_log.heads[a.history][a.size].head) &&
		(service_answering.wanted == SVA_WANTS_ANY ||
		 (unsigned)service_answering.wanted == SVA_WANTS_LOGS + a.key);
	return answer_copy(&m.base);
}

/* ---- confirmations ---- */

static const char *user_of(uint8_t which)
{
	static char longest[POSSESSION_TEXT_MAX + 2];
	static const char *const users[SVA_USERS] = { "anna", "bert", "\x1b[2J", "", longest };

	memset(longest, 'l', sizeof(longest) - 1);
	return users[which % SVA_USERS];
}

/* What is signed, which is not always what is shown. */
static void sign(struct answering_made *made, enum sva_confirmation wrong, unsigned signer)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct confirmation *of = &made->of;
	size_t len;
	struct err e;

	if (wrong == SVA_CONF_USER_OTHER)
		of->user = strcmp(of->user, "bert") == 0 ? "anna" : "bert";
	if (wrong == SVA_CONF_COMPUTATION_OTHER)
		of->computation = strcmp(of->computation, "d") == 0 ? "c" : "d";
	of->service[0] ^= wrong == SVA_CONF_SERVICE_OTHER;
	of->digest[0] ^= wrong == SVA_CONF_DIGEST_OTHER || wrong == SVA_CONF_DIGEST_STALE;
	of->revision += wrong == SVA_CONF_REVISION_OTHER || wrong == SVA_CONF_REVISION_STALE;
	if (wrong == SVA_CONF_SIGNER_OTHER)
		signer = (signer + 1) % SVA_SIGNERS;
	if (wrong != SVA_CONF_UNSIGNED && confirmation_message(of, &bytes, &len, &e) == 0)
		assert(key_sign(service_answering.signers[signer].key, false, bytes, len,
				made->signature, &made->signature_len, &e) == 0);
}

static void say_confirmation(const People__RolesRequest *request, const People__Confirmations *list,
			     unsigned whose, People__Confirmation *c)
{
	struct answering_made *made = &service_answering.made[service_answering.made_count++];
	const uint8_t user = next();
	const unsigned signer = next() % SVA_SIGNERS;
	const enum sva_confirmation wrong = next() % SVA_CONFS;
	const struct answering_key *key = &service_answering.signers[signer];
	struct err e;

	*made = (struct answering_made){ .of = { .user = user_of(user),
						 .computation = request->computation_id,
						 .revision = list->revision } };
	assert(key_fingerprint(service_log.spki[0], service_log.spki_len[0], made->of.service,
			       &e) == 0);
	memcpy(made->of.key, key->fingerprint, sizeof(made->of.key));
	memcpy(made->of.digest, service_answering.digests[whose], MANIFEST_HASH_LEN);
	sign(made, wrong, signer);
	people__confirmation__init(c);
	c->user = (char *)(uintptr_t)user_of(user);
	c->key = bytes_of(key->fingerprint, KEY_FINGERPRINT_LEN - (wrong == SVA_CONF_KEY_SHORT));
	c->manifest_digest =
		wrong == SVA_CONF_DIGEST_STALE
			? bytes_of(made->of.digest, MANIFEST_HASH_LEN)
			: bytes_of(service_answering.digests[whose],
				   MANIFEST_HASH_LEN - (wrong == SVA_CONF_DIGEST_SHORT));
	c->revision = list->revision + (wrong == SVA_CONF_REVISION_STALE);
	c->signature = bytes_of(made->signature, made->signature_len);
	c->retired = wrong == SVA_CONF_RETIRED;
	/* The record is of what somebody signed: flipped it is nobody's. */
	if (wrong == SVA_CONF_FLIPPED || wrong == SVA_CONF_SIGNER_OTHER)
		made->of.revision = 0;
	if (wrong == SVA_CONF_FLIPPED && made->signature_len)
		made->signature[made->signature_len - 1] ^= 1;
}

static ProtobufCMessage *say_confirmations(const People__RolesRequest *request)
{
	static People__Confirmation rows[SVA_CONFIRMATIONS], *list[SVA_CONFIRMATIONS];
	People__Confirmations m = PEOPLE__CONFIRMATIONS__INIT;
	const unsigned whose = next() % SVA_MANIFESTS;
	const unsigned of = whose % (SVA_MANIFESTS - 1);

	m.revision = 1 + next();
	m.manifest_digest =
		bytes_of(service_answering.digests[of], MANIFEST_HASH_LEN - (whose != of));
	m.n_confirmations = next() % SVA_CONFIRMATIONS;
	service_answering.made_count = 0;
	for (size_t i = 0; i < m.n_confirmations; i++) {
		list[i] = &rows[i];
		say_confirmation(request, &m, of, &rows[i]);
	}
	m.confirmations = list;
	return answer_copy(&m.base);
}

static ProtobufCMessage *say_manifest(void)
{
	Computations__ManifestResponse m = COMPUTATIONS__MANIFEST_RESPONSE__INIT;
	const unsigned which = next() % SVA_MANIFESTS;

	m.manifest = which == SVA_MANIFEST_NONE ? NULL : manifests[which];
	return answer_copy(&m.base);
}

/* ---- keys and assets ---- */

static struct answering_named *name(const char *type)
{
	struct answering_named *n = &service_answering.named[service_answering.named_count];

	assert(service_answering.named_count < ANSWERING_NAMED_MAX);
	service_answering.named_count++;
	n->type = type;
	return n;
}

static ProtobufCMessage *say_key(void)
{
	/* X25519, which signs nothing: SEQUENCE { SEQUENCE { 1.3.101.110 }, BIT STRING } */
	static const uint8_t foreign[44] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b,
					     0x65, 0x6e, 0x03, 0x21, 0x00, 9 };
	const struct answering_key *of[SVA_KEYS_GOOD] = { &service_answering.signers[0],
							  &service_answering.signers[1],
							  &service_answering.rsa };
	static uint8_t longer[SPKI_MAX];
	People__UserKey m = PEOPLE__USER_KEY__INIT;
	const uint8_t which = next() % SVA_KEYS;

	if (which < SVA_KEYS_GOOD) {
		CLEANUP(free) char *text = base64_encode(of[which]->spki, of[which]->len);

		assert(text);
		m.key = bytes_of(of[which]->spki, of[which]->len);
		snprintf(name(NULL)->text, sizeof(service_answering.named[0].text), "%s", text);
	} else if (which == SVA_KEYS_GOOD) {
		m.key = bytes_of(foreign, sizeof(foreign));
	} else if (which < SVA_KEYS - 1) {
		memcpy(longer, of[0]->spki, of[0]->len);
		m.key = bytes_of(longer, which & 1 ? of[0]->len + 1 : of[0]->len - 1);
	}
	return answer_copy(&m.base);
}

static ProtobufCMessage *say_asset(void)
{
	static const char *const types[SVA_TYPES] = { "algorithm", "dataset", "\x1b[2J" };
	static uint8_t hash[MANIFEST_HASH_LEN];
	People__Asset m = PEOPLE__ASSET__INIT;
	const char *type = types[next() % SVA_TYPES];
	uint8_t is_short;

	memset(hash, next(), sizeof(hash));
	is_short = next() & 1;
	m.type = (char *)(uintptr_t)type;
	m.digest = bytes_of(hash, sizeof(hash) - is_short);
	if (!is_short)
		hex_encode(hash, sizeof(hash), name(type)->text);
	return answer_copy(&m.base);
}

/* ---- workflows ---- */

static ProtobufCMessage *say_workflow(void)
{
	Workflows__Workflow m = WORKFLOWS__WORKFLOW__INIT;
	const enum sva_workflow which = next() % SVA_ORDERS_SHOWN;
	const struct workflow_order *of = &service_answering.orders[which == SVA_ORDER_SECOND];
	const struct answering_key *other = &service_answering.signers[1];
	ProtobufCMessage *copy;
	uint8_t *kept;
	struct err e;

	service_answering.order = (int)which;
	if (which == SVA_ORDER_NONE)
		return answer_copy(&m.base);
	assert(workflow_order_message(of, &m.order, &e) == 0);
	kept = m.order->submitter.data;
	if (which == SVA_ORDER_FLIPPED)
		m.order->signature.data[m.order->signature.len - 1] ^= 1;
	if (which == SVA_ORDER_SUBMITTER)
		m.order->submitter = bytes_of(other->spki, other->len);
	m.order->expires_ms += which == SVA_ORDER_EXPIRES;
	copy = answer_copy(&m.base);
	m.order->submitter.data = kept;
	workflows__order__free_unpacked(m.order, NULL);
	return copy;
}

ProtobufCMessage *service_said(const struct rpc_method *method, const ProtobufCMessage *request)
{
	static const uint8_t plain[] = { ANSWER_PLAIN };
	struct reader r = reader_over(plain, sizeof(plain));
	ProtobufCMessage *message;
	struct err e;

	if (method == &computation_witness)
		return say_log((const Computations__WitnessRequest *)request);
	if (method == &people_list_confirmations)
		return say_confirmations((const People__RolesRequest *)request);
	if (method == &computation_manifest)
		return say_manifest();
	if (method == &people_find_key)
		return say_key();
	if (method == &people_show_asset)
		return say_asset();
	if (method == &workflow_get)
		return say_workflow();
	assert(answer_make(method->response, &r, &message, &e) == 0);
	return message;
}
