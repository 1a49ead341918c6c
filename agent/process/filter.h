/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.h — a list of the system calls that a process may make, and nothing else.
 *
 * Whatever is not on it is ENOSYS, so that a C library falls back to what is; another
 * architecture's calls kill.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <seccomp.h>

DEFINE_CLEANUP(scmp_filter_ctx, seccomp_release)

/* For this thread and all it becomes, before there is a loop: libuv since 1.45 (Debian 13) takes an
 * io_uring if it gets one, which goes past every filter, and ends the program when a later filter takes the
 * ring away. Without it libuv does as it did before. */
int filter_rings(struct err *e) MUST_CHECK;

/* NULL on failure. seccomp_release() it. */
scmp_filter_ctx filter_new(struct err *e) MUST_CHECK;

/* `action` for one call, if its `count` arguments compare so. A name that this architecture does
 * not have is stepped over. */
int filter_add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned int count,
	       const struct scmp_arg_cmp *args, struct err *e) MUST_CHECK;
int filter_add_all(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count,
		   struct err *e) MUST_CHECK;

/* Allowed when argument `index` is one of the values. The kernel looks at 32 bits of these, so the
 * filter must too: bits above would make it see another value than the kernel does. */
int filter_add_values(scmp_filter_ctx filter, const char *name, unsigned int index,
		      const uint64_t *values, size_t count, struct err *e) MUST_CHECK;

/* socket() for one family and type, whatever the flags beside the type. */
int filter_add_socket(scmp_filter_ctx filter, uint64_t family, uint64_t type,
		      struct err *e) MUST_CHECK;

/* What the runtime of sanitizers calls in a program that was built with them; else nothing. */
int filter_add_sanitizers(scmp_filter_ctx filter, struct err *e) MUST_CHECK;

/* For this thread and all it becomes; sets no_new_privs. */
int filter_load(scmp_filter_ctx filter, struct err *e) MUST_CHECK;
