/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h — many calls of one command in one process: one JSON object of its options per line.
 */
#pragma once

#include "cli/base/command.h"

enum { BATCH_LINE_MAX = 1 << 20 };

/* clang-format off */
#define BATCH_OPTION \
	{ .name = "batch", .value = "FILE", \
	  .help = "a call in each line, its options as JSON; options beside --batch apply to every line" }
/* clang-format on */

/* Each line is an object whose members are the command's options: text or a number for a value, an
 * array for one that may come often, true for a flag; "file" (text or an array) is the operands, as
 * many as the command takes. Options and files of `cli` itself apply to every row and come before
 * its own; an option that may come once is refused if both have it. Empty lines are skipped. For
 * any other line `row` runs and prints one line; a line that makes no sense, or is too long, prints
 * {"verdict":"error","reason":…}. The status is CLI_OK if there was a row and every row said so;
 * CLI_USAGE if one made no sense; else the highest. `path` may be "-". */
enum cli_exit batch_run(struct cli *cli, const char *path,
			enum cli_exit (*row)(struct cli *cli, struct err *e), struct err *e);
