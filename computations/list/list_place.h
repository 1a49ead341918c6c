/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_place.h — how a list is ordered, and where its next page begins.
 *
 * A place is the last row of a page as it was then: what it was ordered by, and its number. The next page is what comes
 * behind that, whatever became of the row meanwhile: nothing that stays as it is comes twice or is left out. Its text
 * serves for the same list alone: it carries a digest of the order and of what was looked for, by whom. That keeps out
 * mistakes, and no secret: whoever makes up a text gets a page of what he may see.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/crypto/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum list_order {
	LIST_BY_CREATED,
	LIST_BY_CHANGED,
	LIST_BY_NAME,
	LIST_BY_STATE,
	LIST_BY_TYPE,
	LIST_BY_ROLE,
	LIST_ORDERS,
};
struct list_sort {
	enum list_order by;
	bool is_up; /* the least first */
};
/* "name" */
const char *list_order_word(enum list_order by);
/* Whether texts are compared, and no numbers. */
bool list_order_is_text(enum list_order by);

/* The orders of a list, and what asks the database for each (list_look.h). */
struct list_order_row {
	enum list_order by;
	/* Down and up; the first page, and one behind a place. */
	const char *find[2][2];
	/* Of a row that is named: its number, and what it is ordered by. NULL: nobody names one. */
	const char *place;
};
struct list_kind {
	const char *of; /* what is in it: "assets" */
	const struct list_order_row *orders;
	size_t count;
	struct list_sort first; /* unless another one is asked for */
};
/* "name", or "-name": the greatest first. NULL or "": the list's first. ERR_INVALID: it has no such order. */
int list_sort_of(const struct list_kind *list, const char *word, struct list_sort *sort,
		 struct err *e) MUST_CHECK;
/* Of an order that the list has. */
const struct list_order_row *list_order_of(const struct list_kind *list, enum list_order by);

enum {
	LIST_TAG_LEN = SHA256_LEN / 2,
	LIST_NAME_MAX = 4 * 128, /* bytes of what a text is ordered by (list_form.h) */
	LIST_PLACE_MAX = LIST_TAG_LEN + 8 + LIST_NAME_MAX,
	LIST_PLACE_TEXT_MAX = 2 * LIST_PLACE_MAX,
};

struct list_place {
	uint8_t tag[LIST_TAG_LEN]; /* of the list */
	int64_t number;            /* of the row */
	int64_t value;
	char *name; /* instead of `value`, in an order of texts; malloc'ed */
};
void list_place_done(struct list_place *p);
#define CLEANUP_LIST_PLACE __attribute__((cleanup(list_place_done)))

/* Hexadecimal digits, malloc'ed. */
int list_place_write(const struct list_place *p, char **text, struct err *e) MUST_CHECK;
/* ERR_INVALID: it is none, or the place of another list than the one with this tag. */
int list_place_read(const char *text, const uint8_t tag[LIST_TAG_LEN], enum list_order by,
		    struct list_place *p, struct err *e) MUST_CHECK;
