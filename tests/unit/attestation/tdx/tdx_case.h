/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_case.h — one case of the TDX vectors, made into a call of tdx_appraise().
 */
#pragma once

#include "attestation/tdx/tdx_appraise.h"
#include "common/base/timestamp.h"
#include "tests/vectors.h"

enum { CASE_PATH_MAX = 1024 };

/* A path put together; one that is too long fails the test. */
__attribute__((format(printf, 2, 3))) static inline void case_path(char path[CASE_PATH_MAX],
								   const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(path, CASE_PATH_MAX, fmt, args);
	va_end(args);
	assert_in_range(len, 1, CASE_PATH_MAX - 1);
}

static inline struct span case_file(const char *folder, const char *name)
{
	char path[CASE_PATH_MAX];
	uint8_t *bytes;
	struct span s;
	struct err e;

	case_path(path, "%s/%s", folder, name);
	if (file_read(path, VECTOR_FILE_MAX, &bytes, &s.len, &e) < 0)
		return (struct span){ 0 };
	s.bytes = bytes;
	return s;
}

static inline void case_free(struct span *s)
{
	free((void *)(uintptr_t)s->bytes);
	*s = (struct span){ 0 };
}

static inline struct json *case_json(const char *folder, const char *name)
{
	struct span s = case_file(folder, name);
	struct json *json = NULL;
	struct err e = { 0 };

	if (!s.bytes || json_parse(s.bytes, s.len, &json, &e) < 0)
		fail_msg("%s/%s: %s", folder, name, s.bytes ? e.text : "no such file");
	case_free(&s);
	return json;
}

/* A member's text, or NULL if there is none or it is null. */
static inline const char *case_text(const struct json *object, const char *key)
{
	const struct json *member = json_get(object, key);

	return member && member->type == JSON_STRING ? member->text : NULL;
}

struct tdx_case {
	const char *folder;
	struct span quote, root;
	struct tdx_collateral collateral;
	struct tdx_policy policy;
	struct tdx_input input;
	uint8_t report_data[TDX_REPORT_DATA_LEN];
	struct tdx_quote parsed; /* whose values the policy names */
};

/* `expected` says what of the case; `also` (or NULL) replaces its members. */
void tdx_case_load(struct tdx_case *c, const char *folder, const struct json *expected,
		   const struct json *also);
void tdx_case_done(struct tdx_case *c);

/* A policy that names the quote's own values, and the lenient default of the vectors; with
 * `changes` (the vectors' "policy") applied. `parsed` has to outlive it. */
void tdx_case_policy(struct tdx_policy *policy, const struct tdx_quote *parsed,
		     const struct json *changes);
