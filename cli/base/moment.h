/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moment.h — a moment as people write it: RFC 3339.
 */
#pragma once

#include "cli/base/command.h"

#include <stdint.h>

/* "2026-06-15T00:00:00Z" (any offset) to seconds since 1970. Parts of a second are left out. A
 * moment that does not exist (a 30th of February, a leap second) is refused. */
int moment_parse(const char *text, int64_t *seconds, struct err *e) MUST_CHECK;

/* --at of a command that judges; without it, now. */
int moment_at(const struct cli *cli, int64_t *seconds, struct err *e) MUST_CHECK;

#define MOMENT_AT_OPTION \
	{ .name = "at", .value = "RFC3339", .help = "the moment to judge at (now)" }
