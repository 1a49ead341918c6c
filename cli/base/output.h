/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h — what a command made: into the file that is named, or to standard output. A file that is there
 * is replaced with --force alone: it may be all that is left of what was saved in it.
 */
#pragma once

#include "cli/base/command.h"

#include <stdint.h>
#include <sys/types.h>

/* Whether `path` may be written, before anything is asked or made for it: ERR_EXISTS, with a hint, where
 * something has that name and --force is not given; ERR_INVALID where it is no file. NULL, and "-", may. */
int output_check(struct cli *cli, const char *path, struct err *e) MUST_CHECK;

/* The same for the options of the line that write, no two of which may name one file. */
int output_check_options(struct cli *cli, struct err *e) MUST_CHECK;

/* Makes the file, at once or not at all. Whoever made one of that name since output_check() is not overwritten. */
int output_file(struct cli *cli, const char *path, const void *bytes, size_t len, mode_t mode,
		struct err *e) MUST_CHECK;

/* Where something goes that is told once: its room is there before it is asked for. */
struct output_place {
	const char *path; /* lent */
	char *temporary;
	int fd;
};

/* A new file beside `path`, for its owner alone, with room for `len` bytes, locked; refused as output_check() refuses. What
 * commands left there that were killed goes: files of this owner, for that path, which nobody has locked. */
int output_place_make(struct cli *cli, const char *path, size_t len, struct output_place *place,
		      struct err *e) MUST_CHECK;

/* At most those `len` bytes; then it has its name. */
int output_place_fill(struct cli *cli, struct output_place *place, const void *bytes, size_t len,
		      struct err *e) MUST_CHECK;

/* What was not filled goes. */
void output_place_done(struct output_place *place);
#define CLEANUP_OUTPUT_PLACE __attribute__((cleanup(output_place_done)))

/* Writes all of it: no path, or "-", is standard output, else output_file(), for everybody to read. A terminal gets
 * only text that it does not obey. */
int output_write(struct cli *cli, const char *path, const void *bytes, size_t len,
		 struct err *e) MUST_CHECK;

/* A line to standard output: the bytes in hexadecimal, or in base64. */
int output_digest(const struct cli *cli, const uint8_t *bytes, size_t len, bool base64,
		  struct err *e) MUST_CHECK;

/* clang-format off */
#define OUTPUT_FORCE_OPTION { .name = "force", .help = "replace a file that is there" }

/* For output_write() with cli_value(cli, "output"). */
#define OUTPUT_OPTION \
	{ .letter = 'o', .name = "output", .value = "FILE", .writes = true, .help = "write there (standard output)" }, \
	OUTPUT_FORCE_OPTION
/* clang-format on */
