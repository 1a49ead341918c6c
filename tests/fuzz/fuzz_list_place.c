/* SPDX-License-Identifier: Apache-2.0 */
/* Where a page of a list begins: what is read is written and read again as it was, and of its own list alone. */
#include "computations/list/list_place.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* As a list of everything has them. */
static const struct list_order_row orders[] = {
	{ .by = LIST_BY_CREATED }, { .by = LIST_BY_CHANGED }, { .by = LIST_BY_NAME },
	{ .by = LIST_BY_STATE },   { .by = LIST_BY_TYPE },    { .by = LIST_BY_ROLE },
};
_Static_assert(ARRAY_LEN(orders) == LIST_ORDERS, "all of them");
static const struct list_kind all = { "all", orders, LIST_ORDERS, { LIST_BY_NAME, true } };

static void same(const struct list_place *a, const struct list_place *b)
{
	assert(memcmp(a->tag, b->tag, LIST_TAG_LEN) == 0 && a->number == b->number);
	assert(a->name ? strcmp(a->name, b->name) == 0 : a->value == b->value);
}

static void read_place(const char *text, enum list_order by)
{
	static const uint8_t zeros[LIST_TAG_LEN], others[LIST_TAG_LEN] = { 1 };
	struct list_place place CLEANUP_LIST_PLACE = { .name = NULL };
	struct list_place again CLEANUP_LIST_PLACE = { .name = NULL };
	CLEANUP(free) char *written = NULL;
	struct err e = { 0 };

	assert(list_place_read(text, others, by, &place, &e) < 0 || text[1] == '1');
	list_place_done(&place);
	if (list_place_read(text, zeros, by, &place, &e) < 0) {
		assert(e.code == ERR_INVALID && *e.text);
		return;
	}
	assert(list_order_is_text(by) == (place.name != NULL));
	assert(list_place_write(&place, &written, &e) == 0);
	assert(strlen(written) == strlen(text) && strlen(written) <= LIST_PLACE_TEXT_MAX);
	assert(list_place_read(written, zeros, by, &again, &e) == 0);
	same(&place, &again);
}

/* The first byte: an order, or (all others) the word for one. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *text = len ? strndup((const char *)bytes + 1, len - 1) : NULL;
	struct list_sort sort;
	struct err e = { 0 };

	if (!text)
		return 0;
	if (bytes[0] < LIST_ORDERS) {
		read_place(text, (enum list_order)bytes[0]);
	} else if (list_sort_of(&all, text, &sort, &e) < 0) {
		assert(e.code == ERR_INVALID && *e.text);
	} else if (*text) {
		assert(strcmp(list_order_word(sort.by), text + !sort.is_up) == 0);
	}
	return 0;
}
