/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_edit.h — a JSON tree written again, with some members replaced or added.
 */
#pragma once

#include "common/base/json.h"

/* One change: the member at `path` (keys joined by '/') becomes `text`, which is JSON. Objects on
 * the way are made where they are missing. */
struct json_edit {
	const char *path, *text;
};

enum { JSON_EDITS_MAX = 16 };

/* The whole tree, indented by two blanks, numbers as they were written, and a line feed.
 * ERR_INVALID if a path leads through something that is not an object. */
struct writer;
int json_edit_write(const struct json *root, const struct json_edit *edits, size_t count,
		    struct writer *w, struct err *e) MUST_CHECK;
