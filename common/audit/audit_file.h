/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_file.h — an audit log that is a chain, as a file: where it begins, its rows, where it ends (docs/audit.md).
 * Read line by line, in the memory of one.
 */
#pragma once

#include "common/audit/audit_row.h"

#include <stdbool.h>
#include <stdio.h>

enum { AUDIT_FILE_EDGE_MAX = 128 }; /* bytes of its first and of its last line */

struct audit_file {
	struct audit_head after, head; /* where it begins, and as far as it was read */
	bool begun, ended;
	const struct audit_head *wanted; /* that it has to have; NULL: none */
	bool found;
	/* Told of each row, where it is not NULL. */
	int (*take)(void *data, const struct audit_row *row, struct err *e);
	void *data;
};

void audit_file_begin_write(const struct audit_head *after, struct writer *w);
void audit_file_end_write(const struct audit_head *head, struct writer *w);

/* The next line, without its end. ERR_DATA_LOSS: it is not what has to stand there. */
int audit_file_line(struct audit_file *f, const char *line, size_t len, struct err *e) MUST_CHECK;
/* That was all of it. ERR_DATA_LOSS: its end is missing, or what was wanted was not in it. */
int audit_file_end(const struct audit_file *f, struct err *e) MUST_CHECK;

/* A whole file, both of the above. */
int audit_file_read(struct audit_file *f, FILE *in, const char *name, struct err *e) MUST_CHECK;
