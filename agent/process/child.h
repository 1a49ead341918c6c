/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h — this program again, as another of its processes (keeper, jail), with a socket to it.
 *
 * The child has an empty environment, nothing on stdin, the socket on CHILD_SOCKET and no other
 * descriptor of ours.
 */
#pragma once

#include "common/base/err.h"

#include <uv.h>

enum { CHILD_SOCKET = 3, CHILD_ARGS_MAX = 12 };

struct child_options {
	const char *program;     /* NULL: this one */
	const char *const *args; /* after the program's name, NULL at the end */
	int out, err;            /* what becomes its stdout and stderr */
};

/* Starts it. `process` may be closed only once its exit callback has run. `*sock` takes our end
 * of a SOCK_SEQPACKET pair: non-blocking, close-on-exec, the caller's. */
int child_start(uv_loop_t *loop, uv_process_t *process, const struct child_options *options,
		uv_exit_cb on_exit, int *sock, struct err *e) MUST_CHECK;
