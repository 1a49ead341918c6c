/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password_line.h — passwords that wait to be computed: one at a time, in a pool thread, so that whatever comes
 * takes PASSWORD_MEMORY_KIB once and one core; and few of one address, so that the others find a place.
 */
#pragma once

#include "common/rpc/source.h"
#include "computations/people/password.h"

#include <uv.h>

enum {
	PASSWORD_LINE_MAX = 32,       /* that wait */
	PASSWORD_LINE_PER_SOURCE = 4, /* of one address */
};

struct password_line;

int password_line_new(uv_loop_t *loop, struct password_line **line, struct err *e) MUST_CHECK;
/* When nothing is under way: run the loop until it has nothing to do. Fine with NULL. */
void password_line_free(struct password_line *line);

struct password_job {
	struct rpc_source source;
	char *text;  /* malloc'ed, taken over in every case, and wiped */
	bool is_new; /* makes `password` of it; else compares it with that */
	struct password password;
	bool matches;
	/* On the loop, always, once; `e` is NULL when it was computed. `job` is lent. */
	void (*done)(void *data, const struct password_job *job, const struct err *e);
	void *data;
};

/* `job` is copied. ERR_EXHAUSTED: too many wait, or too many of that address; nothing is called then. */
int password_line_add(struct password_line *line, const struct password_job *job,
		      struct err *e) MUST_CHECK;
