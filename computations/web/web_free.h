/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_free.h — how much room managers have for new CVMs, for whoever may have one made. For this folder only.
 */
#pragma once

#include "computations/web/web_work.h"

/* Asks all managers, keeps `work`, and goes on with `reply` when each has answered or failed; the page is not without them. */
void web_free_ask(struct web_work *work, void (*reply)(struct web_work *work));
/* On that page: a table, or what there is to say instead. */
void web_free_put(const struct web_work *work, struct writer *w);

/* The same for programs. */
void web_free_json(struct http_request *r, void *data);
