/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/session_seen.h"

#include "common/base/log.h"
#include "computations/core/session.h"

#include <stdlib.h>
#include <string.h>

struct session_seen {
	struct service *service;
	uv_timer_t timer;
	uint64_t every_ms;
	char **ids; /* of the round that is under way; */
	size_t at;  /* of them those before this one are on disk */
	bool is_open;
};

static void on_timer(uv_timer_t *timer);

static void rest(struct session_seen *seen)
{
	session_ids_free(TAKE_PTR(seen->ids));
	if (seen->is_open)
		uv_timer_start(&seen->timer, on_timer, seen->every_ms, 0);
}

static size_t end_of(const struct session_seen *seen)
{
	size_t end = seen->at;

	while (seen->ids[end] && end - seen->at < SESSION_SEEN_BATCH)
		end++;
	return end;
}

static int run_batch(struct store *store, void *data, struct err *e)
{
	const struct session_seen *seen = data;

	for (size_t i = seen->at, end = end_of(seen); i < end; i++)
		if (store_cvm_here(store, seen->ids[i], e) < 0)
			return err_code(e);
	return 0;
}

static void batch_done(void *data, const struct err *e);

static void go_on(struct session_seen *seen)
{
	const struct store_queue_op op = { run_batch, batch_done, seen };
	struct err e;

	if (!seen->ids[seen->at])
		rest(seen);
	else if (store_queue_add(seen->service->queue, &op, &e) < 0)
		batch_done(seen, &e);
}

static void batch_done(void *data, const struct err *e)
{
	struct session_seen *seen = data;

	if (e) {
		log_error("who is connected can't be noted: %s", e->text);
		rest(seen);
		return;
	}
	seen->at = end_of(seen);
	go_on(seen);
}

static void on_timer(uv_timer_t *timer)
{
	struct session_seen *seen = timer->data;
	struct err e;

	seen->at = 0;
	seen->ids = session_ids(seen->service);
	if (seen->ids) {
		go_on(seen);
		return;
	}
	err_nomem(&e);
	batch_done(seen, &e);
}

int session_seen_new(struct service *service, uint64_t every_ms, struct session_seen **made,
		     struct err *e)
{
	struct session_seen *seen = calloc(1, sizeof(*seen));

	if (!seen)
		return err_nomem(e);
	seen->service = service;
	seen->every_ms = every_ms;
	uv_timer_init(service->loop, &seen->timer);
	seen->timer.data = seen;
	seen->is_open = true;
	uv_timer_start(&seen->timer, on_timer, every_ms, 0);
	*made = seen;
	return 0;
}

void session_seen_stop(struct session_seen *seen)
{
	if (!seen || !seen->is_open)
		return;
	seen->is_open = false;
	uv_close((uv_handle_t *)&seen->timer, NULL);
}

void session_seen_free(struct session_seen *seen)
{
	free(seen);
}
