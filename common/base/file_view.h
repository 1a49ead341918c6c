/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_view.h — the bytes of a large file where the kernel keeps them, rather than in a copy.
 *
 * For files that the caller's user chose and that nobody else writes to: if another process changes
 * the file, it changes under the reader; if it shortens the file, this process ends (SIGBUS). Where
 * that matters, file_read() makes a copy.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_view {
	const uint8_t *bytes; /* no zero byte follows them */
	size_t len;
	bool mapped; /* else malloc'ed */
};

/* At most `max` bytes; a larger file is ERR_EXHAUSTED. What can't be mapped (pipes, empty files) is
 * read. file_view_done() it. */
int file_view_open(const char *path, size_t max, struct file_view *view, struct err *e) MUST_CHECK;
void file_view_done(struct file_view *view);
#define CLEANUP_FILE_VIEW __attribute__((cleanup(file_view_done)))
