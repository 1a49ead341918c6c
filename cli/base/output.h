/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h — what a command made: into the file that is named, or to standard output.
 */
#pragma once

#include "cli/base/command.h"

#include <stdint.h>

/* Writes all of it. No path, or "-", is standard output; a file is replaced at once or not at
 * all. */
int output_write(const struct cli *cli, const char *path, const void *bytes, size_t len,
		 struct err *e) MUST_CHECK;

/* A line to standard output: the bytes in hexadecimal, or in base64. */
int output_digest(const struct cli *cli, const uint8_t *bytes, size_t len, bool base64,
		  struct err *e) MUST_CHECK;

/* For output_write() with cli_value(cli, "output"). */
/* clang-format off */
#define OUTPUT_OPTION \
	{ .letter = 'o', .name = "output", .value = "FILE", .help = "write there (standard output)" }
/* clang-format on */
