/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_sort.h — a list in an order on its page: headings that are links, the same orders in its form, the way to the page
 * behind. For this folder only.
 */
#pragma once

#include "computations/web/web_work.h"

/* Where a list is. Its orders are of its route. */
struct web_sort {
	void (*put_at)(const struct web_work *work, struct writer *w); /* markup: "/?q=a&amp;" */
	const char *place; /* what its query calls a place */
};

/* Of its form: the field for what is looked for, and the select of orders. */
void web_sort_search(const struct web_work *work, const char *hint, struct writer *w);
void web_sort_orders(const struct web_work *work, struct writer *w);
/* From its caption, which says the order, to the first heading. */
void web_sort_head(const struct web_work *work, const char *what, struct writer *w);
void web_sort_column(const struct web_sort *at, const struct web_work *work, const char *title,
		     enum list_order by, struct writer *w);
/* Within the same search. */
void web_sort_pages(const struct web_sort *at, const struct web_work *work, struct writer *w);
