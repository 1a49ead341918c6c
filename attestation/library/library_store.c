/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/library/library_store.h"

#include "common/base/cleanup.h"

#include <string.h>

void library_store_done(struct library_store *store)
{
	for (size_t i = 0; i < store->count; i++)
		free(store->items[i].bytes);
	memset(store, 0, sizeof(*store));
}

static const struct library_item *find(const struct library_store *store, unsigned number,
				       size_t nth)
{
	for (size_t i = 0; i < store->count; i++)
		if (store->items[i].number == number && nth-- == 0)
			return &store->items[i];
	return NULL;
}

static int check(const struct library_store *store, const struct library_row *row,
		 struct span bytes, struct err *e)
{
	if (bytes.len > row->max)
		return err_set(e, ERR_EXHAUSTED, "%s: %zu bytes; at most %zu", row->name, bytes.len,
			       row->max);
	if (bytes.len < row->min || (bytes.len && !bytes.bytes))
		return err_set(e, ERR_INVALID, "%s: %zu bytes; at least %zu", row->name,
			       bytes.bytes ? bytes.len : 0, row->min);
	if (find(store, row->number, row->times - 1))
		return err_set(e, ERR_INVALID, "%s: more than %zu of them", row->name, row->times);
	if (store->count == LIBRARY_ITEMS_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d inputs", LIBRARY_ITEMS_MAX);
	return 0;
}

int library_store_add(struct library_store *store, const struct library_row *rows, size_t count,
		      unsigned number, struct span bytes, struct err *e)
{
	const struct library_row *row = rows;
	uint8_t *copy;

	while (row < rows + count && row->number != number)
		row++;
	if (row == rows + count)
		return err_set(e, ERR_INVALID, "input %u: this version does not know it", number);
	int failed = check(store, row, bytes, e);
	if (failed)
		return failed;
	copy = malloc(bytes.len ? bytes.len : 1);
	if (!copy)
		return err_nomem(e);
	if (bytes.len)
		memcpy(copy, bytes.bytes, bytes.len);
	store->items[store->count++] = (struct library_item){ number, copy, bytes.len };
	return 0;
}

struct span library_store_get(const struct library_store *store, unsigned number, size_t nth)
{
	const struct library_item *item = find(store, number, nth);

	return item ? (struct span){ item->bytes, item->len } : (struct span){ NULL, 0 };
}

bool library_store_has(const struct library_store *store, unsigned number)
{
	return find(store, number, 0) != NULL;
}
