/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop_time.h — a loop whose clock stands still until the input says that time passes: uv_timer_start() and uv_now(),
 * wrapped, of all that is linked in. What is due at once comes with the next turn, as ever.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

enum { LOOP_TIME_MAX = 64 }; /* timers that run at a time */

/* The clock begins again; what was started before is forgotten. */
void loop_time_reset(void);
/* It is as late as the next timer of the loop is due, which fires in the loop's next turn. False: there is none. */
bool loop_time_next(uv_loop_t *loop);
/* So much later, without a turn between: as if the loop had been held up. */
void loop_time_pass(uint64_t ms);
