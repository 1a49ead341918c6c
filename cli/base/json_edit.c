/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/json_edit.h"

#include "common/base/cleanup.h"
#include "common/base/writer.h"

#include <string.h>

/* The edits that lead below the place that is being written; `depth` counts its keys. */
struct place {
	const struct json_edit *edits[JSON_EDITS_MAX];
	const char *rest[JSON_EDITS_MAX]; /* of each path, from this place on */
	size_t count;
	unsigned depth;
	struct writer *w;
};

static void indent(struct writer *w, unsigned depth)
{
	writer_text(w, "\n");
	for (unsigned i = 0; i < depth; i++)
		writer_text(w, "  ");
}

/* The first key of a path, and what follows it ("" if nothing does). */
static size_t first_key(const char *path, const char **after)
{
	size_t len = strcspn(path, "/");

	*after = path[len] ? path + len + 1 : path + len;
	return len;
}

/* The edits that lead into the member of that name. */
static struct place into(const struct place *p, const char *key, size_t len)
{
	struct place below = { .depth = p->depth + 1, .w = p->w };

	for (size_t i = 0; i < p->count; i++) {
		const char *after;
		size_t n = first_key(p->rest[i], &after);

		if (n == len && memcmp(p->rest[i], key, len) == 0) {
			below.edits[below.count] = p->edits[i];
			below.rest[below.count++] = after;
		}
	}
	return below;
}

static int write_value(const struct json *v, const struct place *p, struct err *e);

static int write_member(const char *key, size_t len, const struct json *v, const struct place *p,
			bool first, struct err *e)
{
	const struct place below = into(p, key, len);

	writer_text(p->w, first ? "" : ",");
	indent(p->w, p->depth + 1);
	json_quote(p->w, key, len);
	writer_text(p->w, ": ");
	return write_value(v, &below, e);
}

/* `v` may be NULL: an object that is made for an edit. */
static int write_object(const struct json *v, const struct place *p, struct err *e)
{
	bool first = true;

	writer_text(p->w, "{");
	for (size_t i = 0; v && i < v->count; i++, first = false)
		if (write_member(v->items[i].key, strlen(v->items[i].key), &v->items[i], p, first,
				 e) < 0)
			return err_code(e);
	for (size_t i = 0; i < p->count; i++) {
		const char *after;
		size_t len = first_key(p->rest[i], &after);
		bool there = false;

		for (size_t k = 0; v && k < v->count; k++)
			there |= strlen(v->items[k].key) == len &&
				 memcmp(v->items[k].key, p->rest[i], len) == 0;
		for (size_t k = 0; k < i; k++) /* written with an earlier edit */
			there |= strncmp(p->rest[k], p->rest[i], len) == 0 &&
				 (p->rest[k][len] == '/' || !p->rest[k][len]);
		if (there)
			continue;
		if (write_member(p->rest[i], len, NULL, p, first, e) < 0)
			return err_code(e);
		first = false;
	}
	if (!first)
		indent(p->w, p->depth);
	writer_text(p->w, "}");
	return 0;
}

static int write_array(const struct json *v, const struct place *p, struct err *e)
{
	const struct place below = { .depth = p->depth + 1, .w = p->w };

	writer_text(p->w, "[");
	for (size_t i = 0; i < v->count; i++) {
		writer_text(p->w, i ? "," : "");
		indent(p->w, p->depth + 1);
		if (write_value(&v->items[i], &below, e) < 0)
			return err_code(e);
	}
	if (v->count)
		indent(p->w, p->depth);
	writer_text(p->w, "]");
	return 0;
}

static int write_value(const struct json *v, const struct place *p, struct err *e)
{
	for (size_t i = 0; i < p->count; i++)
		if (!*p->rest[i]) { /* this very place is replaced */
			writer_text(p->w, p->edits[i]->text);
			return 0;
		}
	if (!v || v->type == JSON_OBJECT)
		return write_object(v, p, e);
	if (p->count)
		return err_set(e, ERR_INVALID, "'%s' leads through %s", p->edits[0]->path,
			       json_type_name(v->type));
	switch (v->type) {
	case JSON_ARRAY:
		return write_array(v, p, e);
	case JSON_STRING:
		json_quote(p->w, v->text, strlen(v->text));
		break;
	case JSON_NUMBER:
		writer_text(p->w, v->text);
		break;
	case JSON_BOOL:
		writer_text(p->w, v->boolean ? "true" : "false");
		break;
	default:
		writer_text(p->w, "null");
		break;
	}
	return 0;
}

int json_edit_write(const struct json *root, const struct json_edit *edits, size_t count,
		    struct writer *w, struct err *e)
{
	struct place p = { .w = w };

	if (count > JSON_EDITS_MAX)
		return err_set(e, ERR_EXHAUSTED, "%zu changes; at most %d", count, JSON_EDITS_MAX);
	for (size_t i = 0; i < count; i++) {
		p.edits[i] = &edits[i];
		p.rest[i] = edits[i].path;
	}
	p.count = count;
	if (write_value(root, &p, e) < 0)
		return err_code(e);
	writer_text(w, "\n");
	return writer_check(w, "JSON", e);
}
