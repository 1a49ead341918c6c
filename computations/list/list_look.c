/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/list/list_look.h"

#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

/* As statements take it. */
static int holding(const char *text, char **what, struct err *e)
{
	if (strlen(text) > LIST_TEXT_MAX)
		return err_set(e, ERR_INVALID, "what is searched for is longer than %d bytes",
			       LIST_TEXT_MAX);
	return text_format(what, e, DB_HOLDS "%s", text);
}

/* Of the list that a place is of. */
static int tag_of(const struct list_kind *list, const struct list_search *search,
		  const int64_t *scope, size_t count, uint8_t tag[LIST_TAG_LEN], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(LIST_TEXT_MAX + 128);
	uint8_t made[SHA256_LEN];

	writer_text(&w, "cocos list of ");
	writer_text(&w, list->of);
	writer_u8(&w, '\0');
	writer_u8(&w, (uint8_t)search->sort.by);
	writer_u8(&w, search->sort.is_up);
	for (size_t i = 0; i < count; i++)
		writer_be64(&w, (uint64_t)scope[i]);
	writer_text(&w, search->text);
	if (writer_check(&w, "what is searched for", e) < 0 ||
	    digest(DIGEST_SHA256, w.bytes, w.len, made, e) < 0)
		return err_code(e);
	memcpy(tag, made, LIST_TAG_LEN);
	return 0;
}

void list_look_done(struct list_look *l)
{
	free(TAKE_PTR(l->pattern));
	list_place_done(&l->place);
}

int list_look_begin(const struct list_kind *list, const struct list_search *search,
		    const int64_t *scope, size_t count, struct list_look *l, struct err *e)
{
	struct list_look made CLEANUP_LIST_LOOK = { .pattern = NULL };
	uint8_t tag[LIST_TAG_LEN];
	struct err ignored;

	if (hex_decode(search->text, made.digest, sizeof(made.digest), &ignored) == 0)
		made.digest_len = sizeof(made.digest);
	made.order = list_order_of(list, search->sort.by);
	made.is_behind = *search->before;
	made.sql = made.order->find[search->sort.is_up][made.is_behind];
	if (holding(search->text, &made.pattern, e) < 0 ||
	    tag_of(list, search, scope, count, tag, e) < 0 ||
	    (made.is_behind &&
	     list_place_read(search->before, tag, search->sort.by, &made.place, e) < 0))
		return err_code(e);
	memcpy(made.place.tag, tag, sizeof(tag));
	*l = made;
	made = (struct list_look){ .pattern = NULL };
	return 0;
}

static int read_place(struct db_rows *row, int column, enum list_order by, struct list_place *place,
		      struct err *e)
{
	if (db_integer(row, column, INT64_MIN, INT64_MAX, &place->number, e) < 0)
		return err_code(e);
	return list_order_is_text(by) ? db_text(row, column + 1, &place->name, e)
				      : db_integer(row, column + 1, 0, INT64_MAX, &place->value, e);
}

int list_look_behind(struct list_look *l, struct db_rows *row, int column, char **next,
		     struct err *e)
{
	struct list_place place CLEANUP_LIST_PLACE = { .name = NULL };

	memcpy(place.tag, l->place.tag, sizeof(place.tag));
	if (read_place(row, column, l->order->by, &place, e) < 0)
		return err_code(e);
	return list_place_write(&place, next, e);
}
