/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/journal/journal_note.h"

#include "common/base/cleanup.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"

#include <string.h>

#define NUMBER(name_)       { .name = (name_), .kind = JOURNAL_NUMBER }
#define FLAG(name_)         { .name = (name_), .kind = JOURNAL_FLAG }
#define TEXT(name_)         { .name = (name_), .kind = JOURNAL_TEXT }
#define BYTES(name_)        { .name = (name_), .kind = JOURNAL_BYTES }
#define DIGEST(name_)       { .name = (name_), .kind = JOURNAL_DIGEST }
#define MAYBE(kind_, name_) { .name = (name_), .kind = (kind_), .optional = true }

/* Fields by the length of their names, then by their bytes (RFC 8949, 4.2.1). */
static const struct journal_type types[] = {
	{ "start", { DIGEST("manifest"), BYTES("statement"), TEXT("computation") } },
	{ "evidence", { BYTES("token") } },
	{ "no-evidence", { TEXT("reason") } },
	{ "event", { TEXT("type"), TEXT("status"), MAYBE(JOURNAL_TEXT, "details") } },
	{ "log", { TEXT("text"), TEXT("level") } },
	{ "output", { TEXT("text"), NUMBER("stream") } },
	{ "algorithm",
	  { DIGEST("key"), NUMBER("size"), DIGEST("digest"),
	    MAYBE(JOURNAL_DIGEST, "requirements") } },
	{ "dataset", { DIGEST("key"), TEXT("name"), NUMBER("size"), DIGEST("digest") } },
	{ "kept",
	  { DIGEST("key"), TEXT("name"), NUMBER("size"), DIGEST("digest"), TEXT("consent"),
	    DIGEST("manifest") } },
	{ "forgotten", { DIGEST("key"), TEXT("name"), DIGEST("digest") } },
	{ "limits",
	  { NUMBER("time"), NUMBER("memory"), NUMBER("results"), NUMBER("scratch"),
	    NUMBER("processes"), NUMBER("processor") } },
	{ "exit", { FLAG("ok"), TEXT("cause") } },
	{ "results", { NUMBER("size"), DIGEST("digest") } },
	{ "delivery", { DIGEST("key") } },
	{ "left-out", { NUMBER("count") } },
	{ "end", { TEXT("reason") } },
};

const struct journal_type *journal_type_of(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strlen(types[i].name) == len && memcmp(types[i].name, name, len) == 0)
			return &types[i];
	return NULL;
}

const struct journal_type *journal_type_row(size_t i)
{
	return i < ARRAY_LEN(types) ? &types[i] : NULL;
}

static void put(struct journal_note *note, const char *name, enum journal_kind kind,
		uint64_t number, struct span bytes)
{
	if (note->count < JOURNAL_FIELDS_MAX)
		note->fields[note->count] = (struct journal_field){ name, kind, number, bytes };
	note->count++;
}

void journal_put_number(struct journal_note *note, const char *name, uint64_t number)
{
	put(note, name, JOURNAL_NUMBER, number, (struct span){ NULL, 0 });
}

void journal_put_flag(struct journal_note *note, const char *name, bool flag)
{
	put(note, name, JOURNAL_FLAG, flag, (struct span){ NULL, 0 });
}

void journal_put_text(struct journal_note *note, const char *name, const char *text, size_t len)
{
	put(note, name, JOURNAL_TEXT, 0, (struct span){ (const uint8_t *)text, len });
}

void journal_put_bytes(struct journal_note *note, const char *name, const void *bytes, size_t len)
{
	put(note, name, JOURNAL_BYTES, 0, (struct span){ bytes, len });
}

void journal_put_digest(struct journal_note *note, const char *name, const uint8_t digest[32])
{
	put(note, name, JOURNAL_DIGEST, 0, (struct span){ digest, SHA256_LEN });
}

const struct journal_field *journal_field_of(const struct journal_note *note, const char *name)
{
	for (size_t i = 0; i < note->count && i < JOURNAL_FIELDS_MAX; i++)
		if (strcmp(note->fields[i].name, name) == 0)
			return &note->fields[i];
	return NULL;
}

/* ---- writing ---- */

static void put_value(struct writer *w, const struct journal_field *field)
{
	switch (field->kind) {
	case JOURNAL_NUMBER:
		datum_put_uint(w, field->number);
		break;
	case JOURNAL_FLAG:
		datum_put_bool(w, field->number);
		break;
	case JOURNAL_TEXT: /* may hold zeros, as CBOR's may */
		datum_put_text_of(w, (const char *)field->bytes.bytes, field->bytes.len);
		break;
	case JOURNAL_BYTES:
	case JOURNAL_DIGEST:
		datum_put_bytes(w, field->bytes.bytes, field->bytes.len);
		break;
	}
}

/* Each field of the note is the type's, once, and none is missing. */
static int check(const struct journal_type *type, const struct journal_note *note, struct err *e)
{
	size_t found = 0;

	for (size_t i = 0; i < JOURNAL_FIELDS_MAX && type->fields[i].name; i++) {
		const struct journal_field *f = journal_field_of(note, type->fields[i].name);

		if (!f && !type->fields[i].optional)
			return err_set(e, ERR_INTERNAL, "journal: '%s' without '%s'", type->name,
				       type->fields[i].name);
		if (f && f->kind != type->fields[i].kind)
			return err_set(e, ERR_INTERNAL, "journal: '%s' of another kind", f->name);
		if (f && f->bytes.len > JOURNAL_VALUE_MAX)
			return err_set(e, ERR_EXHAUSTED, "journal: '%s' of %zu bytes; at most %d",
				       f->name, f->bytes.len, JOURNAL_VALUE_MAX);
		found += f != NULL;
	}
	if (found != note->count)
		return err_set(e, ERR_INTERNAL, "journal: '%s' with a field that is none of its",
			       type->name);
	return 0;
}

int journal_note_write(const struct journal_note *note, struct writer *w, struct err *e)
{
	const struct journal_type *type = journal_type_of(note->type, strlen(note->type));

	if (!type)
		return err_set(e, ERR_INTERNAL, "journal: no type '%s'", note->type);
	if (check(type, note, e) < 0)
		return err_code(e);
	datum_put_text(w, type->name);
	datum_put_map(w, note->count);
	for (size_t i = 0; i < JOURNAL_FIELDS_MAX && type->fields[i].name; i++) {
		const struct journal_field *f = journal_field_of(note, type->fields[i].name);

		if (!f)
			continue;
		datum_put_text(w, f->name);
		put_value(w, f);
	}
	return 0;
}

/* ---- reading ---- */

static bool read_value(const struct datum *item, struct journal_field *field)
{
	static const enum datum_type wanted[] = {
		[JOURNAL_NUMBER] = DATUM_UINT,  [JOURNAL_FLAG] = DATUM_BOOL,
		[JOURNAL_TEXT] = DATUM_TEXT,    [JOURNAL_BYTES] = DATUM_BYTES,
		[JOURNAL_DIGEST] = DATUM_BYTES,
	};

	if (item->type != wanted[field->kind])
		return false;
	if (field->kind == JOURNAL_NUMBER)
		field->number = item->value;
	else if (field->kind == JOURNAL_FLAG)
		field->number = item->boolean;
	else
		field->bytes = (struct span){ item->bytes, item->len };
	return field->kind != JOURNAL_DIGEST || item->len == SHA256_LEN;
}

int journal_note_read(const struct datum *type, const struct datum *content,
		      struct journal_note *note, struct err *e)
{
	const struct journal_type *row = NULL;
	struct journal_note found = { .count = 0 };
	size_t at = 0;

	if (type->type == DATUM_TEXT)
		row = journal_type_of((const char *)type->bytes, type->len);
	if (!row)
		return err_set(e, ERR_INVALID, "an entry of an unknown type");
	if (content->type != DATUM_MAP)
		return err_set(e, ERR_INVALID, "'%s': its content is no map", row->name);
	found.type = row->name;
	for (size_t i = 0; i < JOURNAL_FIELDS_MAX && row->fields[i].name; i++) {
		struct journal_field field = { .name = row->fields[i].name,
					       .kind = row->fields[i].kind };
		bool there =
			at < content->count && datum_is_text(&content->items[2 * at], field.name);

		if (!there && row->fields[i].optional)
			continue;
		if (!there || !read_value(&content->items[2 * at + 1], &field))
			return err_set(e, ERR_INVALID, "'%s': '%s' is missing or none", row->name,
				       field.name);
		found.fields[found.count++] = field;
		at++;
	}
	if (at != content->count)
		return err_set(e, ERR_INVALID, "'%s' has a field that is none of its", row->name);
	*note = found;
	return 0;
}
