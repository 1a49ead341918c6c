/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in a manifest, and keys and digests in their place.
 *
 * Each name is asked for once; what comes out is JSON again, in which no name is left where one is replaced.
 */
#include "common/base/json.h"
#include "common/manifest/manifest_names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Nobody knows who or what begins with an x; an asset of the other type begins with a t. */
static int key(void *data, const char *user, uint8_t **spki, size_t *len, struct err *e)
{
	size_t *asked = data;

	(*asked)++;
	if (*user == 'x')
		return err_set(e, ERR_NOT_FOUND, "no user");
	*spki = calloc(1, 44);
	*len = 44;
	return *spki ? 0 : err_nomem(e);
}

static int asset_digest(void *data, const char *asset, const char *type,
			uint8_t out[MANIFEST_HASH_LEN], struct err *e)
{
	size_t *asked = data;

	(*asked)++;
	assert(strcmp(type, "algorithm") == 0 || strcmp(type, "dataset") == 0);
	if (*asset == 'x' || (*asset == 't' && *type == 'd'))
		return err_set(e, ERR_NOT_FOUND, "no asset");
	memset(out, 7, MANIFEST_HASH_LEN);
	return 0;
}

static void no_name_is_left(const struct json *v)
{
	if (v->type == JSON_STRING && v->key && strcmp(v->key, "user_key") == 0)
		assert(!manifest_name_behind(MANIFEST_USER_PREFIX, v->text));
	if (v->type == JSON_STRING && v->key && strcmp(v->key, "hash") == 0)
		assert(!manifest_name_behind(MANIFEST_ASSET_PREFIX, v->text));
	for (size_t i = 0; i < v->count; i++)
		no_name_is_left(&v->items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t asked = 0, out_len = 0;
	const struct manifest_names names = { key, asset_digest, &asked };
	uint8_t *out;
	struct json *json;
	struct err e;

	if (manifest_names_fill(bytes, len, &names, &out, &out_len, &e) < 0) {
		assert(*e.text);
		return 0;
	}
	if (!out) {
		assert(!asked);
		return 0;
	}
	assert(json_parse(out, out_len, &json, &e) == 0);
	no_name_is_left(json);
	json_free(json);
	free(out);
	return 0;
}
