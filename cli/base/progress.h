/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.h — a bar on standard error while bytes move: on a terminal only, ten times a second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *label; /* kept */
	uint64_t total;    /* 0: not known */
	uint64_t first;    /* bytes that were there before (a resumed upload) */
	uint64_t started_ms, shown_ms;
	bool on, drawn;
};

/* `label` says what moves: "sending iris.csv". */
void progress_start(struct progress *p, const char *label, uint64_t total, uint64_t first);
void progress_update(struct progress *p, uint64_t done);
/* Removes the bar; the command itself says what it reached. */
void progress_end(struct progress *p);

/* For --verbose, at the end: "sending iris.csv: 5107 bytes in 0.012 s". */
void progress_tell(const struct progress *p, uint64_t done);

/* The line for a width of `columns`, for progress_update() and its test. */
void progress_line(const struct progress *p, uint64_t done, uint64_t now_ms, unsigned columns,
		   char *line, unsigned size);

/* "12.3 MiB" */
void progress_size(uint64_t bytes, char *text, unsigned size);
