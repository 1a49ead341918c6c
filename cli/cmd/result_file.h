/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result_file.h — where results go, which an agent hands out once: a file beside its name until all of
 * it is there, which no file that exists gives way to, and nothing that has come is lost with.
 */
#pragma once

#include "cli/base/command.h"

#include <stdint.h>

struct result_file {
	char *path;    /* of the result */
	char *partial; /* of the file that is being written, beside it; NULL: it has its name */
	int fd;        /* -1: none is open */
	uint64_t room; /* reserved */
	uint64_t written;
};
/* Removes what has not got its name. */
void result_file_done(struct result_file *r);
#define CLEANUP_RESULT_FILE __attribute__((cleanup(result_file_done)))

/* `name`, which has to be free, as its receipt's has to; NULL: results.zip, or the first of
 * results_1.zip, results_2.zip … that is. `r` is empty, but for its fd of -1. */
int result_file_open(struct result_file *r, const char *name, struct err *e) MUST_CHECK;

/* Makes room for all of it before it comes. */
int result_file_reserve(struct result_file *r, struct cli *cli, uint64_t size,
			struct err *e) MUST_CHECK;

/* All of it has come: cuts off what was reserved beyond it, and writes it to disk. Before anybody looks at
 * it, and before result_file_commit(); of both, what they can't do leaves it under another name, which is
 * told. */
int result_file_end(struct result_file *r, struct err *e) MUST_CHECK;

/* Gives it its name, which has to be free still. */
int result_file_commit(struct result_file *r, struct err *e) MUST_CHECK;

/* Leaves it under the name that it has now, and tells it: better an odd name than none. */
void result_file_keep(struct result_file *r);
