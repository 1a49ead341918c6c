/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number.h — numbers and bytes from the command line, strictly.
 */
#pragma once

#include "cli/base/command.h"

#include <stdint.h>

/* Decimal only, as peers and --after write it; false for anything else. */
bool number_decimal(const char *text, uint64_t *number);

/* Decimal, or 0x and hexadecimal, at most `max`. */
int number_text(const char *text, uint64_t max, uint64_t *number, struct err *e) MUST_CHECK;

/* The option's value, decimal or 0x and hexadecimal, at most `max`; `*number` stays as it is when
 * the option was not given. */
int number_option(const struct cli *cli, const char *name, uint64_t max, uint64_t *number,
		  struct err *e) MUST_CHECK;

/* The option's value as exactly `len` bytes of hexadecimal; `*given` says whether it was given. */
int hex_option(const struct cli *cli, const char *name, uint8_t *bytes, size_t len, bool *given,
	       struct err *e) MUST_CHECK;
