/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR. What was read is found by its keys, and written again is the same bytes. */
#include "common/base/datum.h"
#include "common/base/writer.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool write_again(const struct datum *d, struct writer *w);

static bool write_items(const struct datum *d, size_t count, struct writer *w)
{
	for (size_t i = 0; i < count; i++)
		if (!write_again(&d->items[i], w))
			return false;
	return true;
}

/* False for what nobody writes: floats, undefined, text with a zero in it. */
static bool write_again(const struct datum *d, struct writer *w)
{
	int64_t small;

	assert(datum_type_name(d->type));
	switch (d->type) {
	case DATUM_UINT:
		datum_put_uint(w, d->value);
		return true;
	case DATUM_NEGATIVE:
		if (datum_int(d, &small))
			datum_put_int(w, small);
		return d->value <= INT64_MAX;
	case DATUM_BYTES:
		datum_put_bytes(w, d->bytes, d->len);
		return true;
	case DATUM_TEXT: {
		char *text = d->len && memchr(d->bytes, 0, d->len)
				     ? NULL
				     : strndup(d->len ? (const char *)d->bytes : "", d->len);

		if (text)
			datum_put_text(w, text);
		assert(!text || datum_is_text(d, text));
		free(text);
		return text;
	}
	case DATUM_ARRAY:
		datum_put_array(w, d->count);
		return write_items(d, d->count, w);
	case DATUM_MAP:
		datum_put_map(w, d->count);
		return write_items(d, 2 * d->count, w);
	case DATUM_TAG:
		datum_put_tag(w, d->value);
		assert(datum_has_tag(d) && datum_tagged(d, d->value) == d->items);
		return write_items(d, d->count, w);
	case DATUM_BOOL:
		datum_put_bool(w, d->boolean);
		return true;
	case DATUM_NULL:
		assert(datum_absent(d));
		datum_put_null(w);
		return true;
	case DATUM_UNDEFINED:
	case DATUM_FLOAT:
		return false;
	}
	return false;
}

/* Each member of a map is the one that its key finds. */
static void find_again(const struct datum *d)
{
	for (size_t i = 0; d->type == DATUM_MAP && i < d->count; i++) {
		const struct datum *key = &d->items[2 * i], *value = &d->items[2 * i + 1];
		int64_t number;

		if (datum_int(key, &number))
			assert(datum_get(d, number) == value);
		if (key->type != DATUM_TEXT || (key->len && memchr(key->bytes, 0, key->len)))
			continue;
		char *text = strndup(key->len ? (const char *)key->bytes : "", key->len);
		assert(text && datum_get_text(d, text) == value);
		free(text);
	}
	for (size_t i = 0, n = d->type == DATUM_MAP ? 2 * d->count : d->count; i < n; i++)
		find_again(&d->items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct writer w = writer_up_to(len + 1);
	struct datum *root;
	struct err e;

	if (datum_parse(bytes, len, &root, &e) < 0)
		return 0;
	if (root->start != 0 || root->end != len)
		__builtin_trap();
	find_again(root);
	(void)!datum_has_tag(root);
	if (write_again(root, &w))
		assert(!w.bad && w.len == len && memcmp(w.bytes, bytes, len) == 0);
	writer_done(&w);
	datum_free(root);
	return 0;
}
