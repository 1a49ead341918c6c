/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deadline.h — one timer of a call, which most calls do not have. For this folder only.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>
#include <uv.h>

#define DEADLINE_MAX_MS (3650ULL * 24 * 3600 * 1000) /* what is longer, is that: ten years */

struct deadline;

/* Calls passed(data) once, after `ms`. NULL: no memory. */
struct deadline *deadline_start(uv_loop_t *loop, uint64_t ms, void (*passed)(void *data),
				void *data);
/* Milliseconds left; UINT64_MAX for NULL. */
uint64_t deadline_left(const struct deadline *deadline);
/* Also frees it. NULL is fine. */
void deadline_stop(struct deadline *deadline);
