/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_sort.h"

#include "computations/web/web_page.h"
#include "computations/web/web_words.h"

#include <stdio.h>

enum { SORT_MAX = 16 };

/* As the query has it: "-name". */
static const char *sort_word(struct list_sort sort, char word[SORT_MAX])
{
	snprintf(word, SORT_MAX, "%s%s", sort.is_up ? "" : "-", list_order_word(sort.by));
	return word;
}

void web_sort_search(const struct web_work *work, const char *hint, struct writer *w)
{
	page_put(w,
		 "<div><label for=\"q\">Search</label><input id=\"q\" name=\"q\" type=\"search\" "
		 "maxlength=\"200\" value=\"%a\" aria-describedby=\"q-hint\"><span class=\"hint\" "
		 "id=\"q-hint\">%t</span></div>\n",
		 work->search.text, hint);
}

void web_sort_orders(const struct web_work *work, struct writer *w)
{
	const struct list_kind *list = web_row_of(work->web, work->r)->list;
	const struct list_sort now = work->search.sort;
	char word[SORT_MAX];

	page_put(w, "<div><label for=\"sort\">Order</label><select id=\"sort\" name=\"sort\">");
	for (size_t i = 0; i < 2 * list->count; i++) {
		const struct list_sort sort = { list->orders[i / 2].by, i % 2 };
		bool is_this = sort.by == now.by && sort.is_up == now.is_up;

		page_put(w, "<option value=\"%a\"%s>%t</option>", sort_word(sort, word),
			 is_this ? " selected" : "", web_order_words(list, sort));
	}
	page_put(w, "</select></div>\n");
}

void web_sort_head(const struct web_work *work, const char *what, struct writer *w)
{
	char caption[64];

	snprintf(caption, sizeof(caption), "%s: %s", what,
		 web_order_words(web_row_of(work->web, work->r)->list, work->search.sort));
	page_head_begin(w, caption);
}

/* Another order begins with what is looked for first: names with A, moments with the last. */
void web_sort_column(const struct web_sort *at, const struct web_work *work, const char *title,
		     enum list_order by, struct writer *w)
{
	const struct list_sort now = work->search.sort;
	bool is_this = now.by == by;
	bool is_moment = by == LIST_BY_CREATED || by == LIST_BY_CHANGED;
	const struct list_sort other = { by, is_this ? !now.is_up : !is_moment };
	char sort[SORT_MAX];

	page_sorted_column(w, !is_this ? "none" : now.is_up ? "ascending" : "descending");
	page_put(w, "<a href=\"");
	at->put_at(work, w);
	page_put(w, "sort=%s\">%t<span aria-hidden=\"true\">%t</span></a></th>",
		 sort_word(other, sort), title,
		 !is_this    ? ""
		 : now.is_up ? " \xe2\x86\x91"
			     : " \xe2\x86\x93");
}

void web_sort_pages(const struct web_sort *at, const struct web_work *work, struct writer *w)
{
	char sort[SORT_MAX];

	sort_word(work->search.sort, sort);
	page_put(w, "<nav class=\"pages\" aria-label=\"Pages\">");
	if (*work->search.before) {
		page_put(w, "<a class=\"btn\" href=\"");
		at->put_at(work, w);
		page_put(w, "sort=%s\">First page</a> ", sort);
	}
	if (work->next) {
		page_put(w, "<a class=\"btn\" rel=\"next\" href=\"");
		at->put_at(work, w);
		page_put(w, "sort=%s&amp;%s=%q\">Next page</a>", sort, at->place, work->next);
	}
	page_put(w, "</nav>\n");
}
