/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/manifest_names.h"

#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

struct filling {
	const struct manifest_names *names;
	const uint8_t *text;
	size_t done; /* bytes of it that were written */
	struct writer out;
	/* One key in base64, or digest, for each name, so that each is asked for once. */
	struct {
		const char *name; /* with its prefix; lent, of the tree */
		const char *type; /* of an asset: that which is wanted there */
		char *text;
	} *known;
	size_t count;
};

const char *manifest_name_behind(const char *prefix, const char *text)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static bool is_name(const struct json *v)
{
	if (v->type != JSON_STRING || !v->key)
		return false;
	return (strcmp(v->key, "user_key") == 0 &&
		manifest_name_behind(MANIFEST_USER_PREFIX, v->text)) ||
	       (strcmp(v->key, "hash") == 0 &&
		manifest_name_behind(MANIFEST_ASSET_PREFIX, v->text));
}

static int ask_digest(const struct manifest_names *n, const char *asset, const char *type,
		      char **text, struct err *e)
{
	uint8_t digest[MANIFEST_HASH_LEN];
	char *hex = malloc(2 * sizeof(digest) + 1);
	int failed = hex ? n->digest(n->data, asset, type, digest, e) : err_nomem(e);

	if (failed) {
		free(hex);
		return failed;
	}
	hex_encode(digest, sizeof(digest), hex);
	*text = hex;
	return 0;
}

static int ask_for(const struct filling *f, const char *name, const char *type, char **text,
		   struct err *e)
{
	const struct manifest_names *n = f->names;
	const char *asset = manifest_name_behind(MANIFEST_ASSET_PREFIX, name);
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (asset)
		return ask_digest(n, asset, type, text, e);
	if (n->key(n->data, manifest_name_behind(MANIFEST_USER_PREFIX, name), &spki, &len, e) < 0)
		return err_code(e);
	*text = base64_encode(spki, len);
	return *text ? 0 : err_nomem(e);
}

static int find(struct filling *f, const char *name, const char *type, const char **text,
		struct err *e)
{
	/* An asset's type is looked at wherever it is named. */
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->known[i].name, name) == 0 &&
		    (!manifest_name_behind(MANIFEST_ASSET_PREFIX, name) ||
		     strcmp(f->known[i].type, type) == 0)) {
			*text = f->known[i].text;
			return 0;
		}
	if (f->count == MANIFEST_NAMES_MAX)
		return err_set(e, ERR_INVALID, "more than %d users and assets", MANIFEST_NAMES_MAX);
	if (ask_for(f, name, type, &f->known[f->count].text, e) < 0)
		return err_code(e);
	f->known[f->count].name = name;
	f->known[f->count].type = type;
	*text = f->known[f->count++].text;
	return 0;
}

/* A tree knows where its strings end. One that is spelled with escapes is no user's name, which needs none. */
static int put(struct filling *f, const struct json *v, const char *type, struct err *e)
{
	size_t len = strlen(v->text), start = v->end - len - 2;
	const char *text;

	if (v->end < f->done + len + 2 || f->text[start] != '"' ||
	    memcmp(f->text + start + 1, v->text, len) != 0)
		return err_set(e, ERR_INVALID, "%s %s: write the name without escapes", v->key,
			       log_quote(v->text).text);
	if (find(f, v->text, type, &text, e) < 0)
		return err_code(e);
	writer_bytes(&f->out, f->text + f->done, start - f->done);
	json_quote(&f->out, text, strlen(text));
	f->done = v->end;
	return 0;
}

/* In the order of the text. json_parse() bounds the depth. */
static int walk(struct filling *f, const struct json *v, const char *type, struct err *e)
{
	if (v->key && strcmp(v->key, "datasets") == 0)
		type = "dataset";
	if (is_name(v) && put(f, v, type, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < v->count; i++)
		if (walk(f, &v->items[i], type, e) < 0)
			return err_code(e);
	return 0;
}

static int fill(struct filling *f, const struct json *root, size_t len, struct err *e)
{
	f->known = calloc(MANIFEST_NAMES_MAX, sizeof(*f->known));
	if (!f->known)
		return err_nomem(e);
	if (walk(f, root, "algorithm", e) < 0)
		return err_code(e);
	writer_bytes(&f->out, f->text + f->done, len - f->done);
	return writer_check(&f->out, "manifest", e);
}

int manifest_names_fill(const uint8_t *text, size_t len, const struct manifest_names *names,
			uint8_t **out, size_t *out_len, struct err *e)
{
	struct filling f = { .names = names, .text = text, .out = writer_up_to(MANIFEST_MAX) };
	CLEANUP(json_free) struct json *root = NULL;
	struct err unread;
	int failed;

	*out = NULL;
	if ((!memmem(text, len, MANIFEST_USER_PREFIX, strlen(MANIFEST_USER_PREFIX)) &&
	     !memmem(text, len, MANIFEST_ASSET_PREFIX, strlen(MANIFEST_ASSET_PREFIX))) ||
	    json_parse(text, len, &root, &unread) < 0)
		return 0;
	failed = fill(&f, root, len, e);
	if (!failed)
		*out = writer_take(&f.out, out_len); /* fill() has checked it */
	writer_done(&f.out);
	while (f.count > 0)
		free(f.known[--f.count].text);
	free(f.known);
	return failed;
}
