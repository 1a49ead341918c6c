/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/datum.h"

#include "common/base/cleanup.h"
#include "common/base/reader.h"
#include "common/base/utf8.h"
#include "common/base/writer.h"

#include <string.h>
#include <cbor.h>

struct decoding {
	const uint8_t *bytes;
	size_t len, at, nodes;
	struct err *e;
};

/* What one call of libcbor's decoder found: a whole scalar or string, or a container's head. */
struct head {
	struct datum item;
	bool indefinite;
};

static void on_number(void *ctx, enum datum_type type, uint64_t value)
{
	struct head *h = ctx;

	h->item.type = type;
	h->item.value = value;
}

#define NUMBER_CALLBACKS(bits)                                       \
	static void on_uint##bits(void *ctx, uint##bits##_t value)   \
	{                                                            \
		on_number(ctx, DATUM_UINT, value);                   \
	}                                                            \
	static void on_negint##bits(void *ctx, uint##bits##_t value) \
	{                                                            \
		on_number(ctx, DATUM_NEGATIVE, value);               \
	}
NUMBER_CALLBACKS(8)
NUMBER_CALLBACKS(16)
NUMBER_CALLBACKS(32)
NUMBER_CALLBACKS(64)

static void on_text(void *ctx, cbor_data bytes, size_t len)
{
	struct head *h = ctx;

	h->item = (struct datum){ .type = DATUM_TEXT, .bytes = bytes, .len = len };
}

static void on_bytes(void *ctx, cbor_data bytes, size_t len)
{
	struct head *h = ctx;

	h->item = (struct datum){ .type = DATUM_BYTES, .bytes = bytes, .len = len };
}

static void on_array(void *ctx, size_t count)
{
	on_number(ctx, DATUM_ARRAY, count);
}

static void on_map(void *ctx, size_t pairs)
{
	on_number(ctx, DATUM_MAP, pairs);
}

static void on_indefinite(void *ctx)
{
	((struct head *)ctx)->indefinite = true;
}

static void on_null(void *ctx)
{
	((struct head *)ctx)->item.type = DATUM_NULL;
}

static void on_undefined(void *ctx)
{
	((struct head *)ctx)->item.type = DATUM_UNDEFINED;
}

static void on_boolean(void *ctx, bool value)
{
	struct head *h = ctx;

	h->item.type = DATUM_BOOL;
	h->item.boolean = value;
}

static void on_float(void *ctx, float value)
{
	((struct head *)ctx)->item.type = DATUM_FLOAT;
}

static void on_double(void *ctx, double value)
{
	((struct head *)ctx)->item.type = DATUM_FLOAT;
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint64,
	.negint8 = on_negint8,
	.negint16 = on_negint16,
	.negint32 = on_negint32,
	.negint64 = on_negint64,
	.byte_string = on_bytes,
	.byte_string_start = on_indefinite,
	.string = on_text,
	.string_start = on_indefinite,
	.array_start = on_array,
	.indef_array_start = on_indefinite,
	.map_start = on_map,
	.indef_map_start = on_indefinite,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_undefined,
	.null = on_null,
	.boolean = on_boolean,
	.indef_break = on_indefinite,
};

const char *datum_type_name(enum datum_type type)
{
	static const char *const names[] = {
		"an integer", "a negative integer", "bytes", "text",      "an array", "a map",
		"a tag",      "a boolean",          "null",  "undefined", "a float"
	};

	return names[type];
}

static void done(struct datum *item)
{
	size_t count = item->type == DATUM_MAP ? 2 * item->count : item->count;

	for (size_t i = 0; item->items && i < count; i++)
		done(&item->items[i]);
	free(item->items);
}

void datum_free(struct datum *root)
{
	if (!root)
		return;
	done(root);
	free(root);
}

static int refuse(struct decoding *d, const char *why)
{
	return err_set(d->e, ERR_INVALID, "cbor: byte %zu: %s", d->at, why);
}

static size_t shortest_head(uint64_t value)
{
	return value < 24            ? 1
	       : value <= UINT8_MAX  ? 2
	       : value <= UINT16_MAX ? 3
	       : value <= UINT32_MAX ? 5
				     : 9;
}

/* libcbor accepts long heads for small numbers; signatures must not cover two spellings. */
static bool head_is_shortest(const struct datum *item, size_t read)
{
	switch (item->type) {
	case DATUM_UINT:
	case DATUM_NEGATIVE:
	case DATUM_ARRAY:
	case DATUM_MAP:
	case DATUM_TAG:
		return read == shortest_head(item->value);
	case DATUM_BYTES:
	case DATUM_TEXT:
		return read - item->len == shortest_head(item->len);
	case DATUM_BOOL:
	case DATUM_NULL:
	case DATUM_UNDEFINED:
		return read == 1;
	case DATUM_FLOAT:
		return true;
	}
	return false;
}

/* libcbor before 0.9 refuses the tags 6 to 20, and COSE_Sign1's is 18. */
static bool tag_head(const uint8_t *bytes, size_t len, struct head *h, size_t *read)
{
	struct reader r = reader_over(bytes, len);
	uint8_t first = reader_u8(&r), width = first & 31;

	if (width > 27)
		return false;
	h->item.type = DATUM_TAG;
	h->item.value = width < 24    ? width
			: width == 24 ? reader_u8(&r)
			: width == 25 ? reader_be16(&r)
			: width == 26 ? reader_be32(&r)
				      : reader_be64(&r);
	*read = len - reader_left(&r);
	return reader_ok(&r);
}

static int next_head(struct decoding *d, struct datum *item)
{
	struct head h = { .item.type = DATUM_UNDEFINED };
	size_t read;

	if (++d->nodes > DATUM_NODES_MAX)
		return refuse(d, "too many items");
	if (d->at == d->len)
		return refuse(d, "cut short");
	if (d->bytes[d->at] >> 5 == 6) {
		if (!tag_head(d->bytes + d->at, d->len - d->at, &h, &read))
			return refuse(d, "a malformed tag");
	} else {
		struct cbor_decoder_result r =
			cbor_stream_decode(d->bytes + d->at, d->len - d->at, &callbacks, &h);

		if (r.status == CBOR_DECODER_NEDATA)
			return refuse(d, "cut short");
		if (r.status != CBOR_DECODER_FINISHED || r.read == 0)
			return refuse(d, "malformed");
		read = r.read;
	}
	if (h.indefinite)
		return refuse(d, "indefinite length");
	if (!head_is_shortest(&h.item, read))
		return refuse(d, "a number or length that is not in its shortest form");
	if (h.item.type == DATUM_TEXT && !utf8_valid(h.item.bytes, h.item.len))
		return refuse(d, "text is not valid UTF-8");
	*item = h.item;
	item->start = d->at;
	d->at += read;
	return 0;
}

static bool same_key(const struct datum *a, const struct datum *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == DATUM_TEXT)
		return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
	return a->value == b->value;
}

static int check_key(struct decoding *d, const struct datum *map, size_t index)
{
	const struct datum *key = &map->items[index];

	if (key->type != DATUM_UINT && key->type != DATUM_NEGATIVE && key->type != DATUM_TEXT)
		return refuse(d, "a map key that is neither an integer nor text");
	for (size_t i = 0; i < index; i += 2)
		if (same_key(&map->items[i], key))
			return refuse(d, "the same key twice in one map");
	return 0;
}

static int decode(struct decoding *d, struct datum *item, unsigned depth);

/* The count on the wire is not trusted: room grows only as items really arrive. */
static int decode_items(struct decoding *d, struct datum *item, uint64_t count, unsigned depth)
{
	size_t room = 0, have = 0;

	item->count = 0;
	while (have < count) {
		if (have == room) {
			size_t more = room ? 2 * room : 4;
			struct datum *items = reallocarray(item->items, more, sizeof(*items));

			if (!items)
				return err_nomem(d->e);
			memset(items + room, 0, (more - room) * sizeof(*items));
			item->items = items;
			room = more;
		}
		int failed = decode(d, &item->items[have], depth + 1);
		if (!failed && item->type == DATUM_MAP && have % 2 == 0)
			failed = check_key(d, item, have);
		have++;
		item->count = have; /* what done() has to visit, even after a failure */
		if (failed)
			return failed;
	}
	return 0;
}

static int decode_container(struct decoding *d, struct datum *item, unsigned depth)
{
	enum datum_type type = item->type;
	uint64_t value = item->value, count = type == DATUM_TAG ? 1 : value;

	if (depth == DATUM_DEPTH_MAX)
		return refuse(d, "nested too deep");
	if (count > d->len - d->at)
		return refuse(d, "more items than bytes are left");
	if (type == DATUM_MAP &&
	    count > DATUM_PAIRS_MAX) /* each key is compared with all before it */
		return refuse(d, "too many keys in one map");
	if (type == DATUM_MAP)
		count *= 2;
	int failed = decode_items(d, item, count, depth);
	if (failed) {
		item->type = DATUM_ARRAY; /* half of a map is freed item by item */
		return failed;
	}
	if (type == DATUM_MAP)
		item->count /= 2;
	return 0;
}

static int decode(struct decoding *d, struct datum *item, unsigned depth)
{
	if (next_head(d, item) < 0)
		return err_code(d->e);
	if ((item->type == DATUM_ARRAY || item->type == DATUM_MAP || item->type == DATUM_TAG) &&
	    decode_container(d, item, depth) < 0)
		return err_code(d->e);
	item->end = d->at;
	return 0;
}

int datum_parse(const void *bytes, size_t len, struct datum **root, struct err *e)
{
	struct decoding d = { .bytes = bytes, .len = len, .e = e };
	struct datum *item = calloc(1, sizeof(*item));

	if (!item)
		return err_nomem(e);
	int failed = decode(&d, item, 0);
	if (!failed && d.at != len)
		failed = refuse(&d, "bytes after the end");
	if (failed) {
		datum_free(item);
		return failed;
	}
	*root = item;
	return 0;
}

const struct datum *datum_get(const struct datum *map, int64_t key)
{
	int64_t k;

	for (size_t i = 0; map && map->type == DATUM_MAP && i < map->count; i++)
		if (datum_int(&map->items[2 * i], &k) && k == key)
			return &map->items[2 * i + 1];
	return NULL;
}

const struct datum *datum_get_text(const struct datum *map, const char *key)
{
	for (size_t i = 0; map && map->type == DATUM_MAP && i < map->count; i++)
		if (datum_is_text(&map->items[2 * i], key))
			return &map->items[2 * i + 1];
	return NULL;
}

bool datum_absent(const struct datum *item)
{
	return !item || item->type == DATUM_NULL;
}

bool datum_is_text(const struct datum *item, const char *text)
{
	return item && item->type == DATUM_TEXT && item->len == strlen(text) &&
	       memcmp(item->bytes, text, item->len) == 0;
}

const struct datum *datum_tagged(const struct datum *item, uint64_t tag)
{
	return item && item->type == DATUM_TAG && item->value == tag ? &item->items[0] : NULL;
}

bool datum_has_tag(const struct datum *item)
{
	size_t count = item->type == DATUM_MAP ? 2 * item->count : item->count;

	if (item->type == DATUM_TAG)
		return true;
	for (size_t i = 0; item->items && i < count; i++)
		if (datum_has_tag(&item->items[i]))
			return true;
	return false;
}

bool datum_int(const struct datum *item, int64_t *value)
{
	if (!item || (item->type != DATUM_UINT && item->type != DATUM_NEGATIVE) ||
	    item->value > INT64_MAX)
		return false;
	*value = item->type == DATUM_UINT ? (int64_t)item->value : -1 - (int64_t)item->value;
	return true;
}

/* A head of the given encoder; nine bytes hold any. */
static void put_head(struct writer *w, size_t (*encode)(uint64_t, unsigned char *, size_t),
		     uint64_t value)
{
	unsigned char head[9];

	writer_bytes(w, head, encode(value, head, sizeof(head)));
}

void datum_put_uint(struct writer *w, uint64_t value)
{
	put_head(w, cbor_encode_uint, value);
}

void datum_put_int(struct writer *w, int64_t value)
{
	if (value >= 0)
		put_head(w, cbor_encode_uint, (uint64_t)value);
	else
		put_head(w, cbor_encode_negint, (uint64_t)(-1 - value));
}

void datum_put_bytes(struct writer *w, const void *bytes, size_t len)
{
	put_head(w, cbor_encode_bytestring_start, len);
	writer_bytes(w, bytes, len);
}

void datum_put_text(struct writer *w, const char *text)
{
	put_head(w, cbor_encode_string_start, strlen(text));
	writer_text(w, text);
}

void datum_put_text_of(struct writer *w, const char *text, size_t len)
{
	put_head(w, cbor_encode_string_start, len);
	writer_bytes(w, text, len);
}

void datum_put_array(struct writer *w, size_t count)
{
	put_head(w, cbor_encode_array_start, count);
}

void datum_put_map(struct writer *w, size_t pairs)
{
	put_head(w, cbor_encode_map_start, pairs);
}

void datum_put_tag(struct writer *w, uint64_t tag)
{
	put_head(w, cbor_encode_tag, tag);
}

void datum_put_bool(struct writer *w, bool value)
{
	writer_u8(w, value ? 0xF5 : 0xF4);
}

void datum_put_null(struct writer *w)
{
	writer_u8(w, 0xF6);
}
