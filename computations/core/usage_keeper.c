/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/usage_keeper.h"

#include "common/base/log.h"
#include "computations/store/store_billing.h"
#include "computations/store/usage_fold.h"
#include "computations/store/usage_kept.h"

#include <stdlib.h>

enum {
	PAUSE_MS = 100,        /* between two pieces */
	AGAIN_MS = 10000,      /* behind one that failed */
	REST_MS = 3600 * 1000, /* once all is summed up */
};

struct usage_keeper {
	struct store_queue *queue;
	uv_timer_t timer;
	unsigned months,
		back; /* that are kept; whose statements are told of, so many before this one */
	size_t folded, told, looked; /* of the piece that is under way; */
	uint64_t sum;                /* of all since it last rested */
	bool is_open;
};

static void on_timer(uv_timer_t *timer);

static void wake_in(struct usage_keeper *k, uint64_t ms)
{
	if (k->is_open)
		uv_timer_start(&k->timer, on_timer, ms, 0);
}

static int run_piece(struct store *store, void *data, struct err *e)
{
	struct usage_keeper *k = data;

	/* Statements that are told of have all that was kept. */
	if (usage_kept_look(&store->db, store_now(), USAGE_KEPT_PIECE, &k->looked, e) < 0)
		return err_code(e);
	if (k->looked)
		return 0;
	if (billing_tell_statements(store, store_now(), k->back, &k->told, e) < 0)
		return err_code(e);
	return usage_fold(store, store_now(), k->months, USAGE_FOLD_MAX, &k->folded, e);
}

static void piece_done(void *data, const struct err *e)
{
	struct usage_keeper *k = data;

	if (e) {
		log_error("usage can't be brought up to date: %s", e->text);
		wake_in(k, AGAIN_MS);
		return;
	}
	if (k->looked) {
		wake_in(k, PAUSE_MS);
		return;
	}
	/* Months that were missed are told of in their order. */
	if (k->folded || k->told || k->back > 1) {
		k->sum += k->folded;
		k->back -= !k->told && k->back > 1;
		wake_in(k, PAUSE_MS);
		return;
	}
	if (k->sum)
		log_info("usage of months before the last %u is kept as sums: %llu spans more",
			 k->months, (unsigned long long)k->sum);
	k->sum = 0;
	k->back = BILLING_TELL_MONTHS;
	wake_in(k, REST_MS);
}

static void on_timer(uv_timer_t *timer)
{
	struct usage_keeper *k = timer->data;
	const struct store_queue_op op = { run_piece, piece_done, k };
	struct err e;

	if (store_queue_add(k->queue, &op, &e) < 0)
		piece_done(k, &e);
}

int usage_keeper_new(uv_loop_t *loop, struct store_queue *queue, const struct config *config,
		     struct usage_keeper **made, struct err *e)
{
	struct usage_keeper *k = calloc(1, sizeof(*k));

	if (!k)
		return err_nomem(e);
	k->queue = queue;
	k->months = (unsigned)config->keep_usage;
	uv_timer_init(loop, &k->timer);
	k->timer.data = k;
	k->back = BILLING_TELL_MONTHS;
	k->is_open = true;
	wake_in(k, 0);
	*made = k;
	return 0;
}

void usage_keeper_stop(struct usage_keeper *k)
{
	if (!k || !k->is_open)
		return;
	k->is_open = false;
	uv_close((uv_handle_t *)&k->timer, NULL);
}

void usage_keeper_free(struct usage_keeper *k)
{
	free(k);
}
