/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/h2_headers.h"

#include "common/base/encode.h"
#include "common/rpc/metadata_wire.h"

#include <stdlib.h>
#include <string.h>

void h2_headers_init(struct h2_headers *h)
{
	h->count = h->owned_count = 0;
}

static void add(struct h2_headers *h, const char *name, const void *value, size_t len)
{
	if (h->count == H2_HEADERS_MAX)
		return;
	h->nv[h->count++] = (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
					  .value = (uint8_t *)(uintptr_t)value,
					  .namelen = strlen(name),
					  .valuelen = len };
}

void h2_headers_add(struct h2_headers *h, const char *name, const char *value)
{
	add(h, name, value, strlen(value));
}

int h2_headers_add_metadata(struct h2_headers *h, const struct rpc_metadata *m, struct err *e)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct rpc_metadatum *entry = &m->entries[i];
		char *text;

		if (!rpc_metadata_is_binary(entry->key, strlen(entry->key))) {
			add(h, entry->key, entry->value, entry->len);
			continue;
		}
		if (h->owned_count == H2_HEADERS_MAX)
			return err_set(e, ERR_EXHAUSTED, "more than %d headers", H2_HEADERS_MAX);
		text = base64_encode(entry->value, entry->len);
		if (!text)
			return err_nomem(e);
		h->owned[h->owned_count++] = text;
		h2_headers_add(h, entry->key, text);
	}
	return 0;
}

void h2_headers_done(struct h2_headers *h)
{
	for (size_t i = 0; i < h->owned_count; i++)
		free(h->owned[i]);
	h->count = h->owned_count = 0;
}
