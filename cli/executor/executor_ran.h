/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_ran.h — which nodes an executor has begun, in a file of its own: a service can't have it run one again by
 * showing the same order again.
 *
 * A line each: "ID NUMBER ATTEMPT EXPIRES", EXPIRES in ms since 1970. What has expired for a day is forgotten when the file
 * is opened, since its order is refused for that: not by a clock that is put back later, so a first line (an ID of zeros)
 * keeps the latest EXPIRES of what was forgotten, and no order that ends by then is taken. One executor at a time has the
 * file (flock).
 */
#pragma once

#include "common/workflow/workflow_order.h"
#include "common/workflow/workflow_output.h"

#include <sys/types.h>

enum {
	EXECUTOR_RAN_MAX = 100000,
	EXECUTOR_RAN_FILE_MAX = 16 << 20,
	EXECUTOR_RAN_KEPT_MS = 86400000
};

struct executor_ran_row {
	struct workflow_place place;
	int64_t expires;
};

struct executor_ran {
	int fd; /* locked; -1: not open */
	off_t size;
	struct executor_ran_row *rows;
	size_t count, room;
	int64_t forgotten; /* the latest end of an order whose nodes were forgotten; 0: none was */
};

/* Makes the file if there is none. ERR_EXISTS: another executor has it. ERR_DATA_LOSS: it holds something else. */
int executor_ran_open(const char *path, int64_t now_ms, struct executor_ran *ran,
		      struct err *e) MUST_CHECK;
void executor_ran_done(struct executor_ran *ran);
#define CLEANUP_EXECUTOR_RAN __attribute__((cleanup(executor_ran_done)))

/* ERR_EXISTS: that attempt or a later one was begun, or may have been. `expires` is its order's. */
int executor_ran_check(const struct executor_ran *ran, const struct workflow_place *place,
		       int64_t expires, struct err *e) MUST_CHECK;
/* On disk when it returns 0. */
int executor_ran_add(struct executor_ran *ran, const struct workflow_place *place, int64_t expires,
		     struct err *e) MUST_CHECK;
