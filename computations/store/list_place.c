/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/list_place.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/base/utf8.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[LIST_ORDERS] = {
	[LIST_BY_CREATED] = "created",
	[LIST_BY_CHANGED] = "changed",
	[LIST_BY_NAME] = "name",
	[LIST_BY_STATE] = "state",
};

const char *list_order_word(enum list_order by)
{
	return words[by];
}

int list_sort_of(const char *word, struct list_sort *sort, struct err *e)
{
	bool is_up = word && *word != '-';

	if (!word || !*word) {
		*sort = (struct list_sort){ LIST_BY_CREATED, false };
		return 0;
	}
	for (unsigned i = 0; i < LIST_ORDERS; i++)
		if (strcmp(word + !is_up, words[i]) == 0) {
			*sort = (struct list_sort){ (enum list_order)i, is_up };
			return 0;
		}
	return err_set(e, ERR_INVALID,
		       "sort: there is no order by %s: give created, changed, name or state, with "
		       "a '-' in front for the greatest first",
		       log_quote(word).text);
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
	if (by == LIST_BY_NAME && read_name(&r, &got.name, e) < 0)
		return err_code(e);
	if (by != LIST_BY_NAME)
		got.value = (int64_t)reader_be64(&r);
	if (!reader_done(&r))
		return none(e);
	*p = got;
	got.name = NULL;
	return 0;
}
