/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datum.h — CBOR (RFC 8949) read strictly into a tree, by libcbor's decoder; and written.
 *
 * One reading of the bytes: definite lengths, shortest heads, valid UTF-8, map keys that are
 * integers or text and differ, nesting up to DATUM_DEPTH_MAX, nothing after the end. The order of
 * keys is free (stock encoders write declaration order). Strings point into the input, which must
 * live as long as the tree.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DATUM_DEPTH_MAX = 16, DATUM_NODES_MAX = 20000, DATUM_PAIRS_MAX = 1024 };

enum datum_type {
	DATUM_UINT,     /* value */
	DATUM_NEGATIVE, /* -1 - value */
	DATUM_BYTES,
	DATUM_TEXT, /* UTF-8, may hold zero bytes, not terminated */
	DATUM_ARRAY,
	DATUM_MAP, /* items: key, value, key, value, …; count is that of pairs */
	DATUM_TAG, /* value is the number, items[0] the content */
	DATUM_BOOL,
	DATUM_NULL,
	DATUM_UNDEFINED,
	DATUM_FLOAT, /* its value is not kept: nothing that we read has one */
};

struct datum {
	enum datum_type type;
	bool boolean;
	uint64_t value;
	const uint8_t *bytes; /* of a string */
	size_t len;
	struct datum *items;
	size_t count;
	size_t start, end; /* where the item stood in the input */
};

/* Malloc'ed; datum_free() it. The error says where. */
int datum_parse(const void *bytes, size_t len, struct datum **root, struct err *e) MUST_CHECK;
void datum_free(struct datum *root);
const char *datum_type_name(enum datum_type type);

/* The value of an integer or text key of a map, or NULL (also if `map` is NULL or not a map). */
const struct datum *datum_get(const struct datum *map, int64_t key);
const struct datum *datum_get_text(const struct datum *map, const char *key);

/* Missing, or null, which means the same. */
bool datum_absent(const struct datum *item);
bool datum_is_text(const struct datum *item, const char *text);
/* The content of the given tag, or NULL if `item` does not have that tag. */
const struct datum *datum_tagged(const struct datum *item, uint64_t tag);
/* Whether there is a tag anywhere in it. */
bool datum_has_tag(const struct datum *item);
/* An integer of either sign that fits. */
bool datum_int(const struct datum *item, int64_t *value);

/* Writing, in shortest form. A map's caller puts the keys in order. */
struct writer;
void datum_put_uint(struct writer *w, uint64_t value);
void datum_put_int(struct writer *w, int64_t value);
void datum_put_bytes(struct writer *w, const void *bytes, size_t len);
void datum_put_text(struct writer *w, const char *text);
void datum_put_text_of(struct writer *w, const char *text, size_t len);
void datum_put_array(struct writer *w, size_t count);
void datum_put_map(struct writer *w, size_t pairs);
void datum_put_tag(struct writer *w, uint64_t tag);
void datum_put_bool(struct writer *w, bool value);
void datum_put_null(struct writer *w);
