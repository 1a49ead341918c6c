/* SPDX-License-Identifier: Apache-2.0 */
#include "common/transfer/strip.h"

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

static bool is_empty(const struct json *value)
{
	return value->type == JSON_NULL || (value->type == JSON_STRING && !*value->text);
}

static bool is_key(const char *name)
{
	return strcmp(name, "server_key") == 0 || strcmp(name, "key_file") == 0;
}

/* Whether the member is left out, and counted. */
static bool is_taken_out(const struct json *value, struct stripped *what)
{
	const char *name = value->key ? value->key : "";

	if (is_empty(value))
		return false;
	if (is_key(name))
		what->keys++;
	else if (strcmp(name, "asset") == 0)
		what->contents++;
	else
		return false;
	return true;
}

static int check_text(const char *text, const char *name, struct err *e)
{
	if (!strstr(text, "PRIVATE KEY"))
		return 0;
	return err_set(
		e, ERR_INVALID,
		"%s: a private key, where none belongs: take it out, nobody else may have it",
		log_quote(name ? name : "").text);
}

static int put(struct writer *w, const struct json *value, struct stripped *what, struct err *e);

static int put_items(struct writer *w, const struct json *value, struct stripped *what,
		     struct err *e)
{
	const bool is_object = value->type == JSON_OBJECT;

	writer_text(w, is_object ? "{" : "[");
	for (size_t i = 0; i < value->count; i++) {
		const struct json *item = &value->items[i];

		writer_text(w, i ? "," : "");
		if (is_object) {
			if (check_text(item->key, "name of a member", e) < 0)
				return err_code(e);
			json_quote(w, item->key, strlen(item->key));
			writer_text(w, ":");
		}
		if (is_taken_out(item, what))
			writer_text(w, "\"\"");
		else if (put(w, item, what, e) < 0)
			return err_code(e);
	}
	writer_text(w, is_object ? "}" : "]");
	return 0;
}

static int put(struct writer *w, const struct json *value, struct stripped *what, struct err *e)
{
	switch (value->type) {
	case JSON_ARRAY:
	case JSON_OBJECT:
		return put_items(w, value, what, e);
	case JSON_STRING:
		if (check_text(value->text, value->key, e) < 0)
			return err_code(e);
		json_quote(w, value->text, strlen(value->text));
		return 0;
	case JSON_NUMBER:
		writer_text(w, value->text);
		return 0;
	case JSON_BOOL:
		writer_text(w, value->boolean ? "true" : "false");
		return 0;
	case JSON_NULL:
		break;
	}
	writer_text(w, "null");
	return 0;
}

int strip(const void *json, size_t len, uint8_t **out, size_t *out_len, struct stripped *what,
	  struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(STRIP_MAX);
	struct stripped got = { .keys = 0 };

	if (len > STRIP_MAX)
		return err_set(e, ERR_INVALID, "%zu bytes, more than %d", len, STRIP_MAX);
	if (json_parse(json, len, &root, e) < 0 || put(&w, root, &got, e) < 0 ||
	    writer_check(&w, "document", e) < 0)
		return err_code(e);
	*out = writer_take(&w, out_len);
	if (!*out)
		return err_nomem(e);
	*what = got;
	return 0;
}
