/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h — blocking work in libuv's pool of threads.
 *
 * `work` runs in another thread and may touch nothing but `data`, which therefore holds copies.
 * `done` runs on the loop thread afterwards, always, exactly once. To tie a job to a call that may
 * end meanwhile, see rpc_call_job().
 */
#pragma once

#include "common/base/err.h"

#include <uv.h>

/* Work that must not hold the loop's end up forever has to end by itself: it is not cancelled. */
int rpc_job_start(uv_loop_t *loop, void (*work)(void *data), void (*done)(void *data), void *data,
		  struct err *e) MUST_CHECK;
