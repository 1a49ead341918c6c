/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_escape.h — what quoting writes for a byte that is not shown as it is: \xNN.
 *
 * The quotes are single ones, and double ones where the text has apostrophes and none of those; they and
 * backslashes are escaped in it. A \xNN that is there already stays, so that a message about what was quoted
 * is as readable as the first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether the bytes begin with one. */
bool log_is_escape(const void *bytes, size_t len);
