/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/loop_time.h"

#include "common/base/cleanup.h"

#include <assert.h>

enum { START_MS = 1000 * 1000, NEVER_MS = 1000 * 1000 * 1000 };

struct timer {
	uv_timer_t *timer;
	uv_timer_cb fire;
	uint64_t due, repeat;
};

/* Of those that were closed the place is used again. */
static struct timer timers[LOOP_TIME_MAX];
static uint64_t now = START_MS;

uint64_t __wrap_uv_now(const uv_loop_t *loop);
uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
	return now;
}

static struct timer *find(const uv_timer_t *timer)
{
	for (size_t i = 0; i < ARRAY_LEN(timers); i++)
		if (timers[i].timer == timer)
			return &timers[i];
	return NULL;
}

struct look {
	bool runs[LOOP_TIME_MAX];
};

static void on_handle(uv_handle_t *handle, void *data)
{
	const struct timer *t = handle->type == UV_TIMER ? find((uv_timer_t *)handle) : NULL;
	struct look *look = data;

	if (t && uv_is_active(handle) && !uv_is_closing(handle))
		look->runs[t - timers] = true;
}

static void forget_idle(uv_loop_t *loop)
{
	struct look look = { 0 };

	uv_walk(loop, on_handle, &look);
	for (size_t i = 0; i < ARRAY_LEN(timers); i++)
		if (!look.runs[i])
			timers[i].timer = NULL;
}

int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb fire, uint64_t ms, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb fire, uint64_t ms, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb fire, uint64_t ms, uint64_t repeat)
{
	struct timer *t = find(timer);

	if (!t) {
		forget_idle(timer->loop);
		t = find(NULL);
	}
	assert(t);
	*t = (struct timer){ timer, fire, now + (ms ? ms : repeat), repeat };
	return __real_uv_timer_start(timer, fire, ms ? NEVER_MS : 0, repeat ? NEVER_MS : 0);
}

void loop_time_reset(void)
{
	for (size_t i = 0; i < ARRAY_LEN(timers); i++)
		timers[i].timer = NULL;
	now = START_MS;
}

void loop_time_pass(uint64_t ms)
{
	now += ms;
}

bool loop_time_next(uv_loop_t *loop)
{
	struct timer *first = NULL;

	forget_idle(loop);
	for (size_t i = 0; i < ARRAY_LEN(timers); i++)
		if (timers[i].timer && (!first || timers[i].due < first->due))
			first = &timers[i];
	if (!first)
		return false;
	if (first->due > now)
		now = first->due;
	first->due = now + first->repeat;
	__real_uv_timer_start(first->timer, first->fire, 0, first->repeat ? NEVER_MS : 0);
	return true;
}
