/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nomem.h — the n-th allocation fails, for every n.
 *
 * A program that links nomem.c has its own malloc, calloc, realloc and free in the place of the C
 * library's: what OpenSSL, libzip and the C library itself allocate counts as what is ours does. Only
 * what this thread does inside of an attempt fails. With sanitizers, which have an allocator of their
 * own, there are no such programs.
 */
#pragma once

#include "common/base/err.h"

/* Does the whole thing, frees what it made, and asserts that what it got is right and what it did is
 * whole, or that nothing of it is there. 0 or the negative code. */
typedef int nomem_fn(void *data, struct err *e);

/*
 * Lets each allocation of `attempt` fail, one at a time, until it makes none that could. It succeeds
 * without a failure before and after. In between it succeeds, or fails with a text and with ERR_EXHAUSTED,
 * so that no input is blamed for it; and it leaves nothing allocated. What a library keeps for good is
 * allocated once, and so is not what counts as left: that is left each time. Where a library
 * could not allocate, the code may be another (libzip, for one, then calls an archive none), and a few
 * blocks of its own may stay. `stride`: one allocation in so many.
 */
void nomem_each(const char *name, nomem_fn *attempt, void *data, long stride);

/* Around what an attempt does to look at its own outcome, or to make ready. */
void nomem_pause(void);
void nomem_go_on(void);
