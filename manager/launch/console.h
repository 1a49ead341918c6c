/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.h — what a CVM's serial console has said: its file, and the older ones that virtlogd keeps of it
 * (console.log.0 is the youngest of these). Functions block.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CONSOLE_FILES_MAX =
		10, /* the file, and older ones; virtlogd keeps three, unless it is told otherwise */
	CONSOLE_BACK_MAX = 8 << 20, /* bytes of what was said before */
	CONSOLE_LINES_MAX = 100000,
	CONSOLE_CURSOR_MAX = 40,
};

/* A byte, in a file that may have been renamed since. */
struct console_place {
	uint64_t file; /* 0: none */
	uint64_t at;
};

/* Text for clients, who give it back; ERR_INVALID for what console_place_write() does not give. */
void console_place_write(const struct console_place *place, char text[CONSOLE_CURSOR_MAX]);
int console_place_read(const char *text, struct console_place *place, struct err *e) MUST_CHECK;

/* Where to begin: behind a place, else with the last lines, else with all; never more than CONSOLE_BACK_MAX back. */
struct console_from {
	struct console_place place;
	uint32_t lines; /* 0: all */
};

struct console {
	char *path;
	const char *
		salt; /* borrowed; it makes files' numbers, of which clients are to learn nothing */
	int fd;       /* -1: nothing was said yet */
	struct console_place next;
	uint64_t there; /* bytes from there to the end, when it was opened */
	bool skipped;   /* not yet told: what is read next does not follow what was read before */
};

/* A file that is not there is empty: its CVM has said nothing. */
int console_open(const char *path, const char *salt, const struct console_from *from,
		 struct console *console, struct err *e) MUST_CHECK;
void console_close(struct console *console);

/* The next bytes, as many as there is room for; 0: no more has been said yet. `*skipped`: something between these
 * and those before is lost, since the file was emptied or taken away. */
int console_read(struct console *console, void *bytes, size_t room, size_t *len, bool *skipped,
		 struct err *e) MUST_CHECK;
