/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge_line.h — what takes long to judge waits here, and is judged beside the loop and before the database is asked
 * for anything: a step at a time, in a pool thread, and after each step it is another caller's turn. So whoever
 * brings much waits for it himself, who brings little does not wait for him, and nobody else waits at all. Nobody takes
 * the last of the room: half of what is left stays for those who come next.
 */
#pragma once

#include "common/base/err.h"
#include "common/rpc/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

enum {
	JUDGE_LINE_MAX = 64 << 20,    /* bytes of all that have a place */
	JUDGE_LINE_CALLER = 16 << 20, /* of one caller's, and at most half of what others leave */
	JUDGE_LINE_EACH = 64 << 10,   /* that a place counts besides those that it brings */
};

struct judge_line;
struct judge_place;

/* A user; or, of those who show nothing, where they come from. */
struct judge_caller {
	int64_t person; /* 0: none */
	struct rpc_source source;
};

struct judge_job {
	struct judge_caller caller;
	size_t bytes;
	/* In the pool: at most one key's work, or what is as short. Touches nothing but `data`. False: that was all. */
	bool (*step)(void *data);
	/* On the loop, once for each place. `e`: ERR_CANCELLED after judge_line_cancel(), or there is no thread for
	 * it; NULL: all steps are done. */
	void (*done)(void *data, const struct err *e);
	void *data;
};

int judge_line_new(uv_loop_t *loop, struct judge_line **line, struct err *e) MUST_CHECK;
/* When nobody has a place. Fine with NULL. */
void judge_line_free(struct judge_line *line);

/* `job` is copied. ERR_EXHAUSTED: no place is free, for all or for that caller; nothing is called then. `place` is
 * set before anything is called. */
int judge_line_add(struct judge_line *line, const struct judge_job *job, struct judge_place **place,
		   struct err *e) MUST_CHECK;
/* The caller has left: done() is called, now or when the step under way is through. Nothing after done(). */
void judge_line_cancel(struct judge_place *place);
/* After done(), from when on it takes no turns, but counts: when what was judged is freed. Fine with NULL. */
void judge_line_leave(struct judge_place *place);
