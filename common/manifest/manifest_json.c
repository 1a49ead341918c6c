/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest as JSON, both ways, from one table: which keys an object has, in canonical order,
 * and where their values live in the protobuf message.
 */
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "common/manifest/manifest.h"

#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

enum kind { TEXT, TEXTS, HASH, KEY, FLAG, OBJECT, OBJECTS };

struct member {
	const char *key;
	enum kind kind;
	size_t offset, count_offset;
	size_t max; /* of repeated ones */
	const struct shape *shape;
	bool unmeasured;        /* allowed in JSON, but not part of the canonical form */
	const char *instead_of; /* another spelling, unmeasured like the key that it stands for */
};

struct shape {
	const ProtobufCMessageDescriptor *type;
	const struct member *members;
	size_t count;
};

#define ONE(struct_, key_, kind_, field_) \
	{ .key = key_, .kind = kind_, .offset = offsetof(struct_, field_) }
#define MANY(struct_, key_, kind_, field_, max_)         \
	{ .key = key_,                                   \
	  .kind = kind_,                                 \
	  .offset = offsetof(struct_, field_),           \
	  .count_offset = offsetof(struct_, n_##field_), \
	  .max = max_ }

static const struct member source_members[] = {
	ONE(Cvms__Source, "type", TEXT, type),
	ONE(Cvms__Source, "url", TEXT, url),
	ONE(Cvms__Source, "kbs_resource_path", TEXT, kbs_resource_path),
	ONE(Cvms__Source, "encrypted", FLAG, encrypted),
};
static const struct shape source_shape = { &cvms__source__descriptor, source_members,
					   ARRAY_LEN(source_members) };

static const struct member kbs_members[] = {
	ONE(Cvms__KBSConfig, "url", TEXT, url),
	ONE(Cvms__KBSConfig, "enabled", FLAG, enabled),
};
static const struct shape kbs_shape = { &cvms__kbsconfig__descriptor, kbs_members,
					ARRAY_LEN(kbs_members) };

#define SUB(struct_, key_, field_, shape_) \
	{ .key = key_, .kind = OBJECT, .offset = offsetof(struct_, field_), .shape = shape_ }
#define SUBS(struct_, key_, field_, max_, shape_)        \
	{ .key = key_,                                   \
	  .kind = OBJECTS,                               \
	  .offset = offsetof(struct_, field_),           \
	  .count_offset = offsetof(struct_, n_##field_), \
	  .max = max_,                                   \
	  .shape = shape_ }

static const struct member dataset_members[] = {
	ONE(Cvms__Dataset, "hash", HASH, hash),
	ONE(Cvms__Dataset, "user_key", KEY, userkey),
	ONE(Cvms__Dataset, "filename", TEXT, filename),
	SUB(Cvms__Dataset, "source", source, &source_shape),
	ONE(Cvms__Dataset, "decompress", FLAG, decompress),
	SUB(Cvms__Dataset, "kbs", kbs, &kbs_shape),
};
static const struct shape dataset_shape = { &cvms__dataset__descriptor, dataset_members,
					    ARRAY_LEN(dataset_members) };

static const struct member algorithm_members[] = {
	ONE(Cvms__Algorithm, "hash", HASH, hash),
	ONE(Cvms__Algorithm, "user_key", KEY, userkey),
	SUB(Cvms__Algorithm, "source", source, &source_shape),
	ONE(Cvms__Algorithm, "algo_type", TEXT, algo_type),
	MANY(Cvms__Algorithm, "algo_args", TEXTS, algo_args, MANIFEST_ARGS_MAX),
	SUB(Cvms__Algorithm, "kbs", kbs, &kbs_shape),
};
static const struct shape algorithm_shape = { &cvms__algorithm__descriptor, algorithm_members,
					      ARRAY_LEN(algorithm_members) };

static const struct member consumer_members[] = {
	ONE(Cvms__ResultConsumer, "user_key", KEY, userkey),
};
static const struct shape consumer_shape = { &cvms__result_consumer__descriptor, consumer_members,
					     ARRAY_LEN(consumer_members) };

static const struct member agent_config_members[] = {
	ONE(Cvms__AgentConfig, "port", TEXT, port),
	ONE(Cvms__AgentConfig, "cert_file", TEXT, cert_file),
	ONE(Cvms__AgentConfig, "key_file", TEXT, key_file),
	{ .key = "server_key", /* as backends spell it */
	  .kind = TEXT,
	  .offset = offsetof(Cvms__AgentConfig, key_file),
	  .unmeasured = true,
	  .instead_of = "key_file" },
	ONE(Cvms__AgentConfig, "client_ca_file", TEXT, client_ca_file),
	ONE(Cvms__AgentConfig, "server_ca_file", TEXT, server_ca_file),
	ONE(Cvms__AgentConfig, "log_level", TEXT, log_level),
	ONE(Cvms__AgentConfig, "attested_tls", FLAG, attested_tls),
};
static const struct shape agent_config_shape = { &cvms__agent_config__descriptor,
						 agent_config_members,
						 ARRAY_LEN(agent_config_members) };

static const struct member manifest_members[] = {
	ONE(Cvms__ComputationRunReq, "id", TEXT, id),
	ONE(Cvms__ComputationRunReq, "name", TEXT, name),
	ONE(Cvms__ComputationRunReq, "description", TEXT, description),
	SUBS(Cvms__ComputationRunReq, "datasets", datasets, MANIFEST_DATASETS_MAX, &dataset_shape),
	SUB(Cvms__ComputationRunReq, "algorithm", algorithm, &algorithm_shape),
	SUBS(Cvms__ComputationRunReq, "result_consumers", result_consumers, MANIFEST_CONSUMERS_MAX,
	     &consumer_shape),
	{ .key = "agent_config",
	  .kind = OBJECT,
	  .offset = offsetof(Cvms__ComputationRunReq, agent_config),
	  .shape = &agent_config_shape,
	  .unmeasured = true },
};
static const struct shape manifest_shape = { &cvms__computation_run_req__descriptor,
					     manifest_members, ARRAY_LEN(manifest_members) };

/* Where a member's value, or its count, is in a message. */
static void *at(const void *message, size_t offset)
{
	return (char *)message + offset;
}

/* ---- to JSON ---- */

static void write_object(struct writer *w, const struct shape *shape, const void *message,
			 struct err *e, int *failed);

static void write_hash(struct writer *w, const ProtobufCBinaryData *hash, struct err *e,
		       int *failed)
{
	if (hash->len != MANIFEST_HASH_LEN) {
		*failed = err_set(e, ERR_INVALID, "hash: %zu bytes, not %d", hash->len,
				  MANIFEST_HASH_LEN);
		return;
	}
	writer_text(w, "[");
	for (size_t i = 0; i < hash->len; i++)
		writer_printf(w, i ? ",%u" : "%u", hash->data[i]);
	writer_text(w, "]");
}

/* JSON can say U+0000, and canonical forms with it exist; in memory it is C0 80 (json.h), which
 * manifest_check() refuses. json_quote() takes valid UTF-8 only, so the text goes out in pieces. */
static void write_text(struct writer *w, const char *text)
{
	CLEANUP_WRITER struct writer piece = writer_up_to(6UL * MANIFEST_MAX);
	const char *zero;

	writer_text(w, "\"");
	for (;; text = zero + 2) {
		zero = strstr(text, "\xC0\x80");
		json_quote(&piece, text, zero ? (size_t)(zero - text) : strlen(text));
		if (piece.bad)
			w->bad = true;
		else
			writer_bytes(w, piece.bytes + 1, piece.len - 2); /* without its quotes */
		writer_done(&piece);
		piece.max = 6UL * MANIFEST_MAX;
		if (!zero)
			break;
		writer_text(w, "\\u0000");
	}
	writer_text(w, "\"");
}

static void write_key(struct writer *w, const ProtobufCBinaryData *key)
{
	CLEANUP(free) char *text = base64_encode(key->data, key->len);

	if (!text) {
		w->bad = true;
		return;
	}
	writer_text(w, "\"");
	writer_text(w, text);
	writer_text(w, "\"");
}

static void write_list(struct writer *w, const struct member *m, const void *message, struct err *e,
		       int *failed)
{
	size_t count = *(const size_t *)at(message, m->count_offset);
	void *const *items = *(void ***)at(message, m->offset);

	writer_text(w, "[");
	for (size_t i = 0; i < count && !*failed; i++) {
		if (i)
			writer_text(w, ",");
		if (m->kind == TEXTS)
			write_text(w, items[i]);
		else
			write_object(w, m->shape, items[i], e, failed);
	}
	writer_text(w, "]");
}

static bool is_empty(const struct member *m, const void *message)
{
	switch (m->kind) {
	case TEXT:
		return (*(char **)at(message, m->offset))[0] == '\0';
	case HASH:
		return false;
	case KEY:
		return ((ProtobufCBinaryData *)at(message, m->offset))->len == 0;
	case FLAG:
		return !*(protobuf_c_boolean *)at(message, m->offset);
	case OBJECT:
		return *(void **)at(message, m->offset) == NULL;
	default:
		return *(size_t *)at(message, m->count_offset) == 0;
	}
}

static void write_member(struct writer *w, const struct member *m, const void *message,
			 struct err *e, int *failed)
{
	switch (m->kind) {
	case TEXT:
		write_text(w, *(char **)at(message, m->offset));
		break;
	case HASH:
		write_hash(w, at(message, m->offset), e, failed);
		break;
	case KEY:
		write_key(w, at(message, m->offset));
		break;
	case FLAG:
		writer_text(w, "true");
		break;
	case OBJECT:
		write_object(w, m->shape, *(void **)at(message, m->offset), e, failed);
		break;
	default:
		write_list(w, m, message, e, failed);
	}
}

static void write_object(struct writer *w, const struct shape *shape, const void *message,
			 struct err *e, int *failed)
{
	bool first = true;

	writer_text(w, "{");
	for (size_t i = 0; i < shape->count && !*failed; i++) {
		const struct member *m = &shape->members[i];

		if (m->unmeasured || is_empty(m, message))
			continue;
		writer_printf(w, "%s\"%s\":", first ? "" : ",", m->key);
		write_member(w, m, message, e, failed);
		first = false;
	}
	writer_text(w, "}");
}

int manifest_canonical(const Cvms__ComputationRunReq *manifest, char **text, size_t *len,
		       struct err *e)
{
	/* Escapes and base64 make at most six characters of a byte. */
	CLEANUP_WRITER struct writer w = writer_up_to(6UL * MANIFEST_MAX);
	int failed = 0;

	write_object(&w, &manifest_shape, manifest, e, &failed);
	if (!failed)
		failed = writer_check(&w, "canonical manifest", e);
	if (failed)
		return err_wrap(e, "manifest");
	*text = (char *)writer_take(&w, len);
	return 0;
}

/* ---- from JSON ---- */

static int read_object(const struct json *json, const struct shape *shape, void *message,
		       struct err *e);

static int expect(const struct json *json, enum json_type type, struct err *e)
{
	if (json->type == type)
		return 0;
	return err_set(e, ERR_INVALID, "%s where %s belongs", json_type_name(json->type),
		       json_type_name(type));
}

static int read_text(const struct json *json, char **text, struct err *e)
{
	int failed = expect(json, JSON_STRING, e);
	char *copy;

	if (failed)
		return failed;
	copy = strdup(json->text);
	if (!copy)
		return err_nomem(e);
	*text = copy;
	return 0;
}

static int read_hash_numbers(const struct json *json, uint8_t *hash, struct err *e)
{
	if (json->count != MANIFEST_HASH_LEN)
		return err_set(e, ERR_INVALID, "%zu numbers, not %d", json->count,
			       MANIFEST_HASH_LEN);
	for (size_t i = 0; i < json->count; i++) {
		uint64_t value;
		int failed = expect(&json->items[i], JSON_NUMBER, e);

		if (!failed)
			failed = json_u64(&json->items[i], &value, e);
		if (failed)
			return failed;
		if (value > 255)
			return err_set(e, ERR_INVALID, "number %zu is over 255", i);
		hash[i] = (uint8_t)value;
	}
	return 0;
}

static int read_hash(const struct json *json, ProtobufCBinaryData *hash, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = malloc(MANIFEST_HASH_LEN);
	int failed;

	if (!bytes)
		return err_nomem(e);
	if (json->type == JSON_ARRAY)
		failed = read_hash_numbers(json, bytes, e);
	else if (!(failed = expect(json, JSON_STRING, e)))
		failed = hex_decode(json->text, bytes, MANIFEST_HASH_LEN, e);
	if (failed)
		return failed;
	hash->data = TAKE_PTR(bytes);
	hash->len = MANIFEST_HASH_LEN;
	return 0;
}

static int read_key(const struct json *json, ProtobufCBinaryData *key, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *parsed = NULL;
	int failed = expect(json, JSON_STRING, e);

	if (failed)
		return failed;
	if (!strstr(json->text, "-----BEGIN"))
		return base64_decode(json->text, strlen(json->text), &key->data, &key->len, e);
	failed = key_from_public_pem(json->text, strlen(json->text), &parsed, e);
	if (failed)
		return failed;
	return key_to_spki(parsed, &key->data, &key->len, e);
}

static int read_sub(const struct json *json, const struct shape *shape, void **message,
		    struct err *e)
{
	ProtobufCMessage *made = malloc(shape->type->sizeof_message);

	if (!made)
		return err_nomem(e);
	protobuf_c_message_init(shape->type, made);
	*message = made; /* owned by its parent from here on, whatever happens */
	return read_object(json, shape, made, e);
}

static int read_list(const struct json *json, const struct member *m, void *message, struct err *e)
{
	size_t *count = at(message, m->count_offset);
	void **items;
	int failed = expect(json, JSON_ARRAY, e);

	if (failed)
		return failed;
	if (json->count > m->max)
		return err_set(e, ERR_INVALID, "%zu of them, the limit is %zu", json->count,
			       m->max);
	if (json->count == 0)
		return 0;
	items = calloc(json->count, sizeof(*items));
	if (!items)
		return err_nomem(e);
	*(void ***)at(message, m->offset) = items;
	*count = json->count;
	for (size_t i = 0; i < json->count; i++) {
		if (m->kind == TEXTS)
			failed = read_text(&json->items[i], (char **)&items[i], e);
		else
			failed = read_sub(&json->items[i], m->shape, &items[i], e);
		if (failed)
			return err_wrap(e, "[%zu]", i);
	}
	return 0;
}

static int read_flag(const struct json *json, protobuf_c_boolean *flag, struct err *e)
{
	int failed = expect(json, JSON_BOOL, e);

	if (!failed)
		*flag = json->boolean;
	return failed;
}

static int read_member(const struct json *json, const struct member *m, void *message,
		       struct err *e)
{
	switch (m->kind) {
	case TEXT:
		return read_text(json, at(message, m->offset), e);
	case HASH:
		return read_hash(json, at(message, m->offset), e);
	case KEY:
		return read_key(json, at(message, m->offset), e);
	case FLAG:
		return read_flag(json, at(message, m->offset), e);
	case OBJECT:
		return read_sub(json, m->shape, at(message, m->offset), e);
	default:
		return read_list(json, m, message, e);
	}
}

static int read_object(const struct json *json, const struct shape *shape, void *message,
		       struct err *e)
{
	int failed = expect(json, JSON_OBJECT, e);

	if (failed)
		return failed;
	for (size_t i = 0; i < json->count; i++) {
		const struct json *item = &json->items[i];
		const struct member *m = shape->members, *end = m + shape->count;

		while (m < end && strcmp(m->key, item->key) != 0)
			m++;
		if (m == end)
			return err_set(e, ERR_INVALID, "key '%.64s' is unknown", item->key);
		if (m->instead_of && json_get(json, m->instead_of))
			return err_set(e, ERR_INVALID, "'%s' is another word for '%s': give one",
				       m->key, m->instead_of);
		if (read_member(item, m, message, e) < 0)
			return err_wrap(e, "%s", m->key);
	}
	return 0;
}

int manifest_from_json(const void *text, size_t len, Cvms__ComputationRunReq **manifest,
		       struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *made = NULL;
	CLEANUP(json_free) struct json *json = NULL;

	if (len > MANIFEST_MAX)
		return err_set(e, ERR_INVALID, "manifest: %zu bytes, the limit is %d", len,
			       MANIFEST_MAX);
	if (json_parse_zeros(text, len, &json, e) < 0 ||
	    read_sub(json, &manifest_shape, (void **)&made, e) < 0)
		return err_wrap(e, "manifest");
	*manifest = TAKE_PTR(made);
	return 0;
}
