/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/list/list_place.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/base/utf8.h"
#include "common/base/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 64 }; /* of all orders together */

static const struct {
	const char *word;
	bool is_text;
} orders[LIST_ORDERS] = {
	[LIST_BY_CREATED] = { "created", false }, [LIST_BY_CHANGED] = { "changed", false },
	[LIST_BY_NAME] = { "name", true },        [LIST_BY_STATE] = { "state", false },
	[LIST_BY_TYPE] = { "type", false },       [LIST_BY_ROLE] = { "role", true },
};

const char *list_order_word(enum list_order by)
{
	return orders[by].word;
}

bool list_order_is_text(enum list_order by)
{
	return orders[by].is_text;
}

const struct list_order_row *list_order_of(const struct list_kind *list, enum list_order by)
{
	const struct list_order_row *row = list->orders;

	while (row->by != by)
		row++;
	return row;
}

/* "created, changed, name or state" */
static const char *words_of(const struct list_kind *list, char text[WORDS_MAX])
{
	int len = 0;

	*text = '\0';
	for (size_t i = 0; i < list->count && len < WORDS_MAX; i++)
		len += snprintf(text + len, (size_t)(WORDS_MAX - len), "%s%s",
				!i                    ? ""
				: i + 1 < list->count ? ", "
						      : " or ",
				orders[list->orders[i].by].word);
	return text;
}

int list_sort_of(const struct list_kind *list, const char *word, struct list_sort *sort,
		 struct err *e)
{
	bool is_up = word && *word != '-';
	char text[WORDS_MAX];

	if (!word || !*word) {
		*sort = list->first;
		return 0;
	}
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(word + !is_up, orders[list->orders[i].by].word) == 0) {
			*sort = (struct list_sort){ list->orders[i].by, is_up };
			return 0;
		}
	return err_set(e, ERR_INVALID,
		       "sort: there is no order by %s: give %s, with a '-' in front for the "
		       "greatest first",
		       log_quote(word).text, words_of(list, text));
}

void list_place_done(struct list_place *p)
{
	free(TAKE_PTR(p->name));
}

int list_place_write(const struct list_place *p, char **text, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(LIST_PLACE_MAX);
	CLEANUP_WRITER struct writer digits = writer_up_to(LIST_PLACE_TEXT_MAX + 1);
	size_t len;

	writer_bytes(&w, p->tag, sizeof(p->tag));
	writer_be64(&w, (uint64_t)p->number);
	if (p->name)
		writer_text(&w, p->name);
	else
		writer_be64(&w, (uint64_t)p->value);
	if (writer_check(&w, "the place of a page", e) < 0)
		return err_code(e);
	writer_hex(&digits, w.bytes, w.len);
	writer_u8(&digits, 0);
	if (writer_check(&digits, "the place of a page", e) < 0)
		return err_code(e);
	*text = (char *)writer_take(&digits, &len);
	return *text ? 0 : err_nomem(e);
}

static int none(struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "that is no page of a list: begin again with the first one, and take what "
		       "“next” has");
}

static int read_name(struct reader *r, char **name, struct err *e)
{
	size_t len = reader_left(r);
	const uint8_t *bytes = reader_take(r, len);

	if (!bytes || !utf8_valid(bytes, len) || memchr(bytes, 0, len))
		return none(e);
	*name = strndup((const char *)bytes, len);
	return *name ? 0 : err_nomem(e);
}

int list_place_read(const char *text, const uint8_t tag[LIST_TAG_LEN], enum list_order by,
		    struct list_place *p, struct err *e)
{
	struct list_place got CLEANUP_LIST_PLACE = { .name = NULL };
	uint8_t bytes[LIST_PLACE_MAX];
	struct reader r;
	size_t len;

	if (hex_decode_up_to(text, bytes, sizeof(bytes), &len, e) < 0)
		return none(e);
	r = reader_over(bytes, len);
	reader_copy(&r, got.tag, sizeof(got.tag));
	got.number = (int64_t)reader_be64(&r);
	if (!reader_ok(&r))
		return none(e);
	if (memcmp(got.tag, tag, LIST_TAG_LEN) != 0)
		return err_set(e, ERR_INVALID,
			       "that is a page of another list, or of another order of this one: "
			       "begin again with the first one");
	if (orders[by].is_text && read_name(&r, &got.name, e) < 0)
		return err_code(e);
	if (!orders[by].is_text)
		got.value = (int64_t)reader_be64(&r);
	if (!reader_done(&r))
		return none(e);
	*p = got;
	got.name = NULL;
	return 0;
}
