/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nofile.h — the n-th operation on files fails, for every n.
 *
 * A program that links nofile.c has its own open(), write(), rename() and the like in the place of the C
 * library's: what SQLite and libzip do counts as what is ours does, in every thread. What is no
 * file and no folder (pipes, sockets, the loop's own descriptors) works always, and so does what the C
 * library calls within itself: of a stream (FILE) only its opening fails.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>

struct nofile {
	const char *name;
	/* What is there before: made in an empty folder, anew for each attempt. NULL: nothing. */
	void (*ready)(void *data);
	/* Does the whole thing and frees what it made. 0 or the negative code. */
	int (*attempt)(void *data, struct err *e);
	/* NULL, or looks at what is in the folder after an attempt that did it. */
	void (*done)(void *data);
	/* NULL, or looks at what must be so at any time: after each attempt, refused or not. */
	void (*always)(void *data);
	void *data;
	/* All that is made is in here; the path of a folder that may be emptied. */
	const char *folder;
	/* NULL, or what a refusal may say in the place of the cause, where a library swallows that:
	 * ends with NULL. */
	const char *const *also;
	/* Two times the same work gives other bytes: keys. Names and kinds are compared, then. */
	bool varies;
	/* It is there already when its last step fails (a folder's fsync), or before it looks whether
	 * it is: refused, all of it may be there. */
	bool may_be_done;
	/* It is made in the folder's own place: what was written of it is found when it goes on. */
	bool may_be_begun;
	/* A library calls a file damaged that can't be read: SQLite. */
	bool may_be_damaged;
	/* 0: each operation fails in its turn. Else one in so many (tests/sample.h), where what is done is the same
	 * again and again. */
	long step;
};

/*
 * Lets each operation of `attempt` fail, one at a time, until it makes none that could: a disk that is
 * full, a folder without room, a process without descriptors, a medium with errors. Then again, with a
 * disk that stays full from the n-th on. And once more, where each read and write moves some bytes only.
 *
 * It succeeds without a failure before and after, and right after each refusal, in the folder as that
 * left it. Refused it says why, with a code that blames no input, and what is in the folder is
 * what was there before; what succeeded in spite of it has made what a whole success makes. No descriptor
 * is left open.
 */
void nofile_each(const struct nofile *n);

/* Around what an attempt does to look at its own outcome. */
void nofile_pause(void);
void nofile_go_on(void);
