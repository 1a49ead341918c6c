/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/retained.h"

#include "common/base/file.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int retained_init(struct retained *r, const char *work, struct err *e)
{
	*r = (struct retained){ .dir = NULL };
	if (text_format(&r->dir, e, "%s/kept", work) < 0)
		return err_code(e);
	return dir_remove(r->dir, e);
}

void retained_item_free(struct retained_item *item)
{
	if (!item)
		return;
	free(item->filename);
	free(item->path);
	free(item);
}

size_t retained_take(struct retained *r, const uint8_t key[KEY_FINGERPRINT_LEN],
		     struct retained_item *taken[MANIFEST_DATASETS_MAX])
{
	size_t count = 0, left = 0;

	for (size_t i = 0; i < r->count; i++) {
		struct retained_item *item = r->items[i];

		if (memcmp(item->key, key, KEY_FINGERPRINT_LEN) == 0)
			taken[count++] = item;
		else
			r->items[left++] = item;
	}
	r->count = left;
	return count;
}

void retained_forget(struct retained *r)
{
	while (r->count > 0)
		retained_item_free(r->items[--r->count]);
}

void retained_done(struct retained *r)
{
	struct err e;

	retained_forget(r);
	if (r->dir && dir_remove(r->dir, &e) < 0)
		log_error("leftovers: %s", e.text);
	free(TAKE_PTR(r->dir));
}

/* What has to be the same in another run. */
static int describe(struct retained_item *item, const struct computation *c,
		    const struct asset *asset, struct err *e)
{
	memcpy(item->digest, asset->hash->data, SHA3_256_LEN);
	memcpy(item->manifest, c->digests.sha3_256, SHA3_256_LEN);
	if (key_fingerprint(asset->key->data, asset->key->len, item->key, e) < 0)
		return err_code(e);
	return manifest_keep_digest(c->manifest, &c->listener, item->keep, item->form, e);
}

int retained_add(struct retained *r, const struct computation *c, const struct asset *asset,
		 const struct retained_call *call, const char *file, uint64_t size, struct err *e)
{
	CLEANUP(retained_item_free) struct retained_item *item = calloc(1, sizeof(*item));

	if (!item)
		return err_nomem(e);
	if (r->count == ARRAY_LEN(r->items))
		return err_set(e, ERR_EXHAUSTED, "%zu datasets are kept", r->count);
	item->keep = call->keep;
	item->is_named = asset->name[0] != 0;
	item->decompress = call->decompress;
	item->size = size;
	item->filename = strdup(call->filename);
	if (!item->filename)
		return err_nomem(e);
	if (describe(item, c, asset, e) < 0 ||
	    text_format(&item->path, e, "%s/%" PRIu64, r->dir, r->names) < 0 ||
	    dir_make(r->dir, 0700, e) < 0)
		return err_code(e);
	if (link(file, item->path) < 0)
		return err_errno(e, "link '%s'", item->path);
	r->names++;
	r->items[r->count++] = TAKE_PTR(item);
	return 0;
}
