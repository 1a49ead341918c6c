/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cleanup.h — locals that free what they own when their scope ends.
 *
 * Mark an owning local with CLEANUP(fn); hand it over with TAKE_PTR or TAKE_FD.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(cleanup_##fn)))

/* Allows CLEANUP(fn) on variables of `type`; `fn` is never called with an empty one. */
#define DEFINE_CLEANUP(type, fn)                     \
	static inline void cleanup_##fn(type *owned) \
	{                                            \
		if (*owned)                          \
			fn(*owned);                  \
	}

static inline void cleanup_free(void *owned)
{
	free(*(void **)owned);
}

static inline void cleanup_close(int *owned)
{
	if (*owned >= 0)
		close(*owned);
}

static inline void cleanup_fclose(FILE **owned)
{
	if (*owned)
		fclose(*owned);
}

/* The value, with `empty` left behind in the variable. */
#define TAKE(var, empty)                        \
	({                                      \
		__typeof__(var) taken_ = (var); \
		(var) = (empty);                \
		taken_;                         \
	})
#define TAKE_PTR(ptr) TAKE(ptr, NULL)
#define TAKE_FD(fd)   TAKE(fd, -1)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
