/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of computations: JSON behind 'J', CSV behind 'C'; behind 'S' what a client takes out before it sends one.
 * What is read is written and read again as the same bytes, in both forms; the manifest that an item says is the one
 * that its export has; no secret is left in what was stripped.
 */
#include "common/transfer/csv.h"
#include "common/transfer/strip.h"
#include "computations/transfer/document.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

typedef void write_fn(struct writer *w, const struct document *d);

static void write_json(struct writer *w, const struct document *d)
{
	document_json_begin(w);
	for (size_t i = 0; i < d->count; i++)
		document_json_item(w, &d->items[i], i == 0);
	document_json_end(w);
}

static void write_csv(struct writer *w, const struct document *d)
{
	document_csv_begin(w);
	for (size_t i = 0; i < d->count; i++)
		document_csv_item(w, &d->items[i]);
}

static int read_csv(const void *bytes, size_t len, struct document **d, struct err *e)
{
	CLEANUP(free) uint8_t *json = NULL;
	size_t size;

	if (csv_to_json(bytes, len, DOCUMENT_MAX, &json, &size, e) < 0)
		return err_code(e);
	return document_read(json, size, d, e);
}

static void again(const struct document *d, write_fn *put,
		  int (*read)(const void *bytes, size_t len, struct document **d, struct err *e))
{
	CLEANUP_WRITER struct writer first = writer_up_to(DOCUMENT_MAX / 2);
	CLEANUP_WRITER struct writer second = writer_up_to(DOCUMENT_MAX / 2);
	CLEANUP(document_free) struct document *same = NULL;
	struct err e;

	put(&first, d);
	if (first.bad)
		return;
	assert(read(first.bytes, first.len, &same, &e) == 0);
	assert(same->count == d->count);
	put(&second, same);
	assert(!second.bad && second.len == first.len &&
	       memcmp(first.bytes, second.bytes, first.len) == 0);
}

static const char *key_of(void *data, const char *user, struct err *e)
{
	return strcmp(user, "nobody") == 0 ? NULL : "AAAA";
}

/* The item as its export would be. */
static void same_manifest(const struct document_item *item)
{
	const struct document_keys keys = { key_of, NULL };
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL, *other = NULL;
	CLEANUP(free) char *text = NULL, *text2 = NULL;
	struct document_item exported = *item;
	size_t left_out, size, size2;
	struct err e;

	if (document_manifest(item, &keys, &m, &left_out, &e) < 0 ||
	    manifest_canonical(m, &text, &size, &e) < 0)
		return;
	(void)!manifest_check(m, &e);
	exported.manifest = text;
	if (document_manifest(&exported, &keys, &other, &left_out, &e) < 0)
		return; /* the same dataset twice, or a key in another spelling */
	assert(manifest_canonical(other, &text2, &size2, &e) == 0);
	assert(size == size2 && memcmp(text, text2, size) == 0);
}

/* Links are by ids, which exports have. */
static bool has_ids(const struct document *d)
{
	for (size_t i = 0; i < d->count; i++)
		for (size_t k = 0; k < d->items[i].asset_count; k++)
			if (!*d->items[i].assets[k].id)
				return false;
	return true;
}

static void strip_it(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) uint8_t *out = NULL, *twice = NULL;
	struct stripped what;
	size_t size, size2;
	struct err e;

	if (strip(bytes, len, &out, &size, &what, &e) < 0)
		return;
	assert(!memmem(out, size, "PRIVATE KEY", 11));
	assert(strip(out, size, &twice, &size2, &what, &e) == 0);
	assert(!what.keys && !what.contents && size == size2 && memcmp(out, twice, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(document_free) struct document *d = NULL;
	struct err e;

	if (!len)
		return 0;
	if (*bytes == 'S') {
		strip_it(bytes + 1, len - 1);
		return 0;
	}
	if ((*bytes == 'C' ? read_csv : document_read)(bytes + 1, len - 1, &d, &e) < 0)
		return 0;
	for (size_t i = 0; i < d->count; i++)
		same_manifest(&d->items[i]);
	if (!has_ids(d))
		return 0;
	again(d, write_json, document_read);
	again(d, write_csv, read_csv);
	return 0;
}
