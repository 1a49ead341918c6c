/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/deadline.h"

#include <stdlib.h>

struct deadline {
	uv_timer_t timer;
	uint64_t at;
	void (*passed)(void *data);
	void *data;
};

static void on_timer(uv_timer_t *timer)
{
	struct deadline *deadline = timer->data;

	deadline->passed(deadline->data);
}

struct deadline *deadline_start(uv_loop_t *loop, uint64_t ms, void (*passed)(void *data),
				void *data)
{
	struct deadline *deadline = calloc(1, sizeof(*deadline));

	if (!deadline)
		return NULL;
	if (ms > DEADLINE_MAX_MS)
		ms = DEADLINE_MAX_MS;
	uv_timer_init(loop, &deadline->timer);
	deadline->timer.data = deadline;
	/* The loop's clock may be behind by what this turn has taken. */
	uv_update_time(loop);
	deadline->at = uv_now(loop) + ms;
	deadline->passed = passed;
	deadline->data = data;
	uv_timer_start(&deadline->timer, on_timer, ms, 0);
	return deadline;
}

uint64_t deadline_left(const struct deadline *deadline)
{
	uint64_t now;

	if (!deadline)
		return UINT64_MAX;
	now = uv_now(deadline->timer.loop);
	return now < deadline->at ? deadline->at - now : 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void deadline_stop(struct deadline *deadline)
{
	if (deadline && !uv_is_closing((uv_handle_t *)&deadline->timer))
		uv_close((uv_handle_t *)&deadline->timer, on_closed);
}
