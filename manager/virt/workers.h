/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers.h — a thread for the blocking calls to one host: when that one hangs, jobs for others go on.
 *
 * As rpc_job_start() in libuv's pool: `work` runs in another thread, `done` on the loop afterwards, always, exactly
 * once. All functions are for the loop thread.
 */
#pragma once

#include "common/base/err.h"

#include <uv.h>

/* One call at a time: of several that wait for a host that hangs, libvirt (9.0) gives up the first when its
 * keep-alive ends, and leaves the others waiting for ever. */
enum { WORKERS_MAX = 1 };

struct workers;

/* Threads begin when there is work for them. */
int workers_new(uv_loop_t *loop, struct workers **workers, struct err *e) MUST_CHECK;

int workers_start(struct workers *workers, void (*work)(void *data), void (*done)(void *data),
		  void *data, struct err *e) MUST_CHECK;

/* For another thread that has a call of its own to that host: between these two no job is under way and none begins.
 * ERR_UNAVAILABLE: one has been under way for `ms` milliseconds. Without workers there is nothing to wait for. */
int workers_enter(struct workers *workers, unsigned ms, struct err *e) MUST_CHECK;
void workers_leave(struct workers *workers);

/* No job may be under way. It is freed when the loop has closed its handle: run the loop until then. */
void workers_close(struct workers *workers);
