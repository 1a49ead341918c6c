/* SPDX-License-Identifier: Apache-2.0 */
/*
 * member.h — members of the objects in a document. Null is as good as nothing: exports write it for what is empty.
 * What is refused is named by its key. For this folder only.
 */
#pragma once

#include "common/base/json.h"

/* NULL: it is missing, or null. */
const struct json *member_given(const struct json *object, const char *key);
/* ERR_INVALID: it is something else than `want`. */
int member_refuse(const char *key, const struct json *found, const char *want, struct err *e);
/* An object with these keys and no other. */
int member_only(const struct json *value, const char *const keys[], struct err *e) MUST_CHECK;

/* "" if it is not given. */
int member_text(const struct json *object, const char *key, size_t max, const char **text,
		struct err *e) MUST_CHECK;
/* NULL if it is not given. */
int member_list(const struct json *object, const char *key, size_t max, const struct json **list,
		struct err *e) MUST_CHECK;
/* Also of NULL. */
size_t member_count(const struct json *list);
/* "2025-11-12T14:00:01.654562Z", to the millisecond; 0 if it is not given, and for the year 1, which is how exports
 * write that nothing has been. */
int member_time(const struct json *object, const char *key, int64_t *ms, struct err *e) MUST_CHECK;
/* An asset's SHA3-256, of MANIFEST_HASH_LEN bytes; it has to be given. */
int member_hash(const struct json *object, const char *key, uint8_t *hash,
		struct err *e) MUST_CHECK;
