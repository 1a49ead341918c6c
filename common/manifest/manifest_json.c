/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest as JSON, both ways, by the table of manifest_shape.h.
 */
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "common/manifest/manifest.h"
#include "common/manifest/manifest_faults.h"
#include "common/manifest/manifest_shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

/* Where a member's value, or its count, is in a message. */
static void *at(const void *message, size_t offset)
{
	return (char *)message + offset;
}

/* ---- to JSON ---- */

static void write_object(struct writer *w, const struct manifest_shape *shape, const void *message,
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

static void write_list(struct writer *w, const struct manifest_member *m, const void *message,
		       struct err *e, int *failed)
{
	size_t count = *(const size_t *)at(message, m->count_offset);
	void *const *items = *(void ***)at(message, m->offset);

	writer_text(w, "[");
	for (size_t i = 0; i < count && !*failed; i++) {
		if (i)
			writer_text(w, ",");
		if (m->kind == MANIFEST_TEXTS)
			write_text(w, items[i]);
		else
			write_object(w, m->shape, items[i], e, failed);
	}
	writer_text(w, "]");
}

static bool is_empty(const struct manifest_member *m, const void *message);

static bool all_empty(const struct manifest_shape *shape, const void *message)
{
	for (size_t i = 0; i < shape->count; i++)
		if (!is_empty(&shape->members[i], message))
			return false;
	return true;
}

static bool is_empty(const struct manifest_member *m, const void *message)
{
	const void *object;

	switch (m->kind) {
	case MANIFEST_TEXT:
		return (*(char **)at(message, m->offset))[0] == '\0';
	case MANIFEST_HASH:
		return m->sparse && ((ProtobufCBinaryData *)at(message, m->offset))->len == 0;
	case MANIFEST_KEY:
		return ((ProtobufCBinaryData *)at(message, m->offset))->len == 0;
	case MANIFEST_FLAG:
		return !*(protobuf_c_boolean *)at(message, m->offset);
	case MANIFEST_OBJECT:
		object = *(void **)at(message, m->offset);
		return !object || (m->sparse && all_empty(m->shape, object));
	default:
		return *(size_t *)at(message, m->count_offset) == 0;
	}
}

static void write_member(struct writer *w, const struct manifest_member *m, const void *message,
			 struct err *e, int *failed)
{
	switch (m->kind) {
	case MANIFEST_TEXT:
		write_text(w, *(char **)at(message, m->offset));
		break;
	case MANIFEST_HASH:
		write_hash(w, at(message, m->offset), e, failed);
		break;
	case MANIFEST_KEY:
		write_key(w, at(message, m->offset));
		break;
	case MANIFEST_FLAG:
		writer_text(w, "true");
		break;
	case MANIFEST_OBJECT:
		write_object(w, m->shape, *(void **)at(message, m->offset), e, failed);
		break;
	default:
		write_list(w, m, message, e, failed);
	}
}

static void write_object(struct writer *w, const struct manifest_shape *shape, const void *message,
			 struct err *e, int *failed)
{
	bool first = true;

	writer_text(w, "{");
	for (size_t i = 0; i < shape->count && !*failed; i++) {
		const struct manifest_member *m = &shape->members[i];

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

/* Faults, where all are asked for, are kept by who reads a member or an item, and get their place on the way
 * up; what is at fault then stays empty. NULL: the first ends it. */
static int read_object(const struct json *json, const struct manifest_shape *shape, void *message,
		       struct manifest_faults *all, struct err *e);

static size_t faults_count(const struct manifest_faults *all)
{
	return all ? all->count : 0;
}

static int keep_fault(struct manifest_faults *all, const struct err *e)
{
	if (!all || e->code == ERR_EXHAUSTED)
		return err_code(e);
	if (all->count < all->room)
		all->list[all->count++] = *e;
	return 0;
}

static void place_faults(struct manifest_faults *all, size_t from, const char *key)
{
	for (size_t i = from; i < faults_count(all); i++) {
		struct err *fault = &all->list[i];
		struct err inner = *fault;

		if (inner.text[0] == '[')
			(void)err_set(fault, inner.code, "%s%.400s", key, inner.text);
		else
			(void)err_wrap(fault, "%s", key);
	}
}

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
	/* Whoever hands one in has put the key in its place before: here nobody can be asked for it. */
	if (strncmp(json->text, "user:", 5) == 0)
		return err_set(e, ERR_INVALID,
			       "a user's name is for 'computation create', which asks the service "
			       "for the key; here it takes the key");
	if (!strstr(json->text, "-----BEGIN"))
		return base64_decode(json->text, strlen(json->text), &key->data, &key->len, e);
	/* Whether its numbers are sound is for manifest_check(), as for a key in base64. */
	failed = key_parse_public_pem(json->text, strlen(json->text), &parsed, e);
	if (failed)
		return failed;
	return key_to_spki(parsed, &key->data, &key->len, e);
}

static int read_sub(const struct json *json, const struct manifest_shape *shape, void **message,
		    struct manifest_faults *all, struct err *e)
{
	ProtobufCMessage *made = malloc(shape->type->sizeof_message);

	if (!made)
		return err_nomem(e);
	protobuf_c_message_init(shape->type, made);
	*message = made; /* owned by its parent from here on, whatever happens */
	return read_object(json, shape, made, all, e);
}

static int read_item(const struct json *json, const struct manifest_member *m, void **item,
		     struct manifest_faults *all, struct err *e)
{
	if (m->kind != MANIFEST_TEXTS)
		return read_sub(json, m->shape, item, all, e);
	if (read_text(json, (char **)item, e) == 0)
		return 0;
	if (all && !(*item = strdup("")))
		return err_nomem(e);
	return err_code(e);
}

static int read_list(const struct json *json, const struct manifest_member *m, void *message,
		     struct manifest_faults *all, struct err *e)
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
		size_t before = faults_count(all);
		char place[24];

		snprintf(place, sizeof(place), "[%zu]", i);
		if (read_item(&json->items[i], m, &items[i], all, e) < 0 && keep_fault(all, e) < 0)
			return err_wrap(e, "%s", place);
		place_faults(all, before, place);
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

static int read_member(const struct json *json, const struct manifest_member *m, void *message,
		       struct manifest_faults *all, struct err *e)
{
	switch (m->kind) {
	case MANIFEST_TEXT:
		return read_text(json, at(message, m->offset), e);
	case MANIFEST_HASH:
		return read_hash(json, at(message, m->offset), e);
	case MANIFEST_KEY:
		return read_key(json, at(message, m->offset), e);
	case MANIFEST_FLAG:
		return read_flag(json, at(message, m->offset), e);
	case MANIFEST_OBJECT:
		return read_sub(json, m->shape, at(message, m->offset), all, e);
	default:
		return read_list(json, m, message, all, e);
	}
}

/* The member that an object's key is; NULL: `e` says why it is none. */
static const struct manifest_member *member_of(const struct json *json, const struct json *item,
					       const struct manifest_shape *shape, struct err *e)
{
	const struct manifest_member *m = shape->members, *end = m + shape->count;

	while (m < end && strcmp(m->key, item->key) != 0)
		m++;
	if (m == end)
		(void)err_set(e, ERR_INVALID, "key '%.64s' is unknown", item->key);
	else if (m->instead_of && json_get(json, m->instead_of))
		(void)err_set(e, ERR_INVALID, "'%s' is another word for '%s': give one", m->key,
			      m->instead_of);
	else
		return m;
	return NULL;
}

static int read_object(const struct json *json, const struct manifest_shape *shape, void *message,
		       struct manifest_faults *all, struct err *e)
{
	int failed = expect(json, JSON_OBJECT, e);

	if (failed)
		return failed;
	for (size_t i = 0; i < json->count; i++) {
		const struct json *item = &json->items[i];
		const struct manifest_member *m = member_of(json, item, shape, e);
		size_t before = faults_count(all);

		if (!m && keep_fault(all, e) < 0)
			return err_code(e);
		if (!m)
			continue;
		if (read_member(item, m, message, all, e) < 0 && keep_fault(all, e) < 0)
			return err_wrap(e, "%s", m->key);
		place_faults(all, before, m->key);
	}
	return 0;
}

int manifest_from_json(const void *text, size_t len, Cvms__ComputationRunReq **manifest,
		       struct err *e)
{
	return manifest_from_json_all(text, len, NULL, manifest, e);
}

int manifest_from_json_all(const void *text, size_t len, struct manifest_faults *all,
			   Cvms__ComputationRunReq **manifest, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *made = NULL;
	CLEANUP(json_free) struct json *json = NULL;
	size_t before = faults_count(all);

	if (len > MANIFEST_MAX)
		return err_set(e, ERR_INVALID, "manifest: %zu bytes, the limit is %d", len,
			       MANIFEST_MAX);
	if (json_parse_zeros(text, len, &json, e) < 0 ||
	    read_sub(json, &manifest_shape, (void **)&made, all, e) < 0)
		return err_wrap(e, "manifest");
	place_faults(all, before, "manifest");
	*manifest = TAKE_PTR(made);
	return 0;
}
