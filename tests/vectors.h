/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors.h — walks a group of the shared vectors: one folder per case with an expected.json.
 *
 * The folder is named by COCOS_VECTORS. Where it is missing, VECTORS_OR_SKIP says so and skips.
 */
#pragma once

#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "tests/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

enum { VECTOR_FILE_MAX = 16 << 20 };

DEFINE_CLEANUP(struct json *, json_free)

struct vector_case {
	char path[512];
	const char *name; /* the last part of the path */
	struct json *expected;
};

static inline const char *vectors_folder(void)
{
	const char *folder = getenv("COCOS_VECTORS");
	struct stat st;

	return folder && stat(folder, &st) == 0 ? folder : NULL;
}

#define VECTORS_OR_SKIP()                                                           \
	do {                                                                        \
		if (!vectors_folder()) {                                            \
			print_message("# skipped: the shared vectors are not here " \
				      "(COCOS_VECTORS)\n");                         \
			skip();                                                     \
		}                                                                   \
	} while (0)

/* A file of the case; fails the test when it can't be read. Malloc'ed. */
static inline uint8_t *vector_file(const struct vector_case *c, const char *name, size_t *len)
{
	char path[1024];
	uint8_t *bytes = NULL;
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", c->path, name);
	if (file_read(path, VECTOR_FILE_MAX, &bytes, len, &e) < 0)
		fail_msg("%s", e.text);
	return bytes;
}

static inline bool vector_has(const struct vector_case *c, const char *name)
{
	char path[1024];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", c->path, name);
	return stat(path, &st) == 0;
}

/* The text at a key path such as "input.nonce" in expected.json, or NULL. */
static inline const struct json *vector_value(const struct vector_case *c, const char *keys)
{
	const struct json *at = c->expected;
	char copy[256];

	snprintf(copy, sizeof(copy), "%s", keys);
	for (char *rest = copy, *key; (key = strsep(&rest, "."));)
		at = json_get(at, key);
	return at;
}

static inline const char *vector_text(const struct vector_case *c, const char *keys)
{
	const struct json *v = vector_value(c, keys);

	return v && (v->type == JSON_STRING || v->type == JSON_NUMBER) ? v->text : NULL;
}

static inline uint64_t vector_u64(const struct vector_case *c, const char *keys, uint64_t fallback)
{
	const struct json *v = vector_value(c, keys);
	uint64_t value;
	struct err e;

	if (!v)
		return fallback;
	assert_ok(json_u64(v, &value, &e), e);
	return value;
}

/* Hexadecimal at a key path; the count of bytes, 0 if it is not there. */
static inline size_t vector_hex(const struct vector_case *c, const char *keys, uint8_t *out,
				size_t max)
{
	const char *text = vector_text(c, keys);
	size_t len = 0;
	struct err e;

	if (text)
		assert_ok(hex_decode_up_to(text, out, max, &len, &e), e);
	return len;
}

/* The case's verdict is a yes. */
static inline bool vector_accepts(const struct vector_case *c)
{
	const char *verdict = vector_text(c, "verdict");

	assert_non_null(verdict);
	return strcmp(verdict, "verified") == 0 || strcmp(verdict, "parsed") == 0 ||
	       strcmp(verdict, "accept") == 0;
}

/* Calls `run` for each case of `group` whose name begins with `prefix`; returns how many. */
static inline unsigned vectors_walk(const char *group, const char *prefix,
				    void (*run)(const struct vector_case *c))
{
	char folder[256];
	struct dirent **names;
	unsigned count = 0;

	snprintf(folder, sizeof(folder), "%s/%s", vectors_folder(), group);
	int n = scandir(folder, &names, NULL, alphasort);
	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		struct vector_case c;
		struct err e;

		snprintf(c.path, sizeof(c.path), "%s/%s", folder, names[i]->d_name);
		c.name = strrchr(c.path, '/') + 1;
		if (strncmp(c.name, prefix, strlen(prefix)) == 0 &&
		    vector_has(&c, "expected.json")) {
			size_t len;
			uint8_t *text = vector_file(&c, "expected.json", &len);

			assert_ok(json_parse(text, len, &c.expected, &e), e);
			run(&c);
			json_free(c.expected);
			free(text);
			count++;
		}
		free(names[i]);
	}
	free(names);
	return count;
}
