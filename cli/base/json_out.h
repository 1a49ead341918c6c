/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_out.h — JSON for --json, member by member, compact, in the order of the calls.
 *
 * Objects and lists nest up to JSON_OUT_DEPTH. `key` is NULL inside a list and for the outermost
 * value. json_out_print() reports when memory ran out.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/writer.h"

#include <stdbool.h>
#include <stdio.h>

enum { JSON_OUT_DEPTH = 16, JSON_OUT_MAX = 64 << 20 };

struct json_out {
	struct writer w;
	unsigned depth;
	bool some[JSON_OUT_DEPTH]; /* the value that is open has members already */
	char closing[JSON_OUT_DEPTH];
};

void json_out_init(struct json_out *out);
void json_out_done(struct json_out *out);
#define CLEANUP_JSON_OUT __attribute__((cleanup(json_out_done)))

void json_out_object(struct json_out *out, const char *key);
void json_out_list(struct json_out *out, const char *key);
void json_out_end(struct json_out *out); /* of the innermost object or list */
void json_out_text(struct json_out *out, const char *key, const char *text);
void json_out_number(struct json_out *out, const char *key, uint64_t number);
void json_out_bool(struct json_out *out, const char *key, bool value);
void json_out_hex(struct json_out *out, const char *key, const void *bytes, size_t len);

/* The whole and a line feed. */
int json_out_print(struct json_out *out, FILE *to, struct err *e) MUST_CHECK;
