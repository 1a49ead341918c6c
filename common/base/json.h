/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h — JSON (RFC 8259) read strictly into a tree, by libyajl.
 *
 * Refused: a key twice in one object (after unescaping), text after the value, nesting past
 * JSON_DEPTH_MAX, more than JSON_NODES_MAX values, invalid UTF-8, lone surrogates, "\u0000" in any
 * string (callers use C strings), comments. A number keeps its text, so that 2⁶⁴−1 stays exact.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 32, JSON_NODES_MAX = 100000 };

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	bool boolean;
	char *text; /* a string's characters, a number's digits as written */
	char *key;  /* this member's name, if its parent is an object */
	size_t count;
	struct json *items, *parent; /* array elements or object members, in order */
	size_t start, end;           /* where the value stood in the input (bytes), end exclusive */
};

/* Malloc'ed; json_free() it. The error says where ("json: byte 17: …"). */
int json_parse(const void *bytes, size_t len, struct json **root, struct err *e) MUST_CHECK;

/* The same, but "\u0000" in a string value (never in a key) is accepted. In `text` it is the two
 * bytes C0 80, which no valid UTF-8 holds. For callers that must reproduce such text, or refuse
 * it in their own words. */
int json_parse_zeros(const void *bytes, size_t len, struct json **root, struct err *e) MUST_CHECK;
void json_free(struct json *root); /* wipes the texts, which may be keys */

const char *json_type_name(enum json_type type);

/* The member of that name, or NULL (also if `object` is NULL or not an object). */
const struct json *json_get(const struct json *object, const char *key);

/* Members by type; a missing one is ERR_NOT_FOUND, another type ERR_INVALID, both named. Results
 * live as long as the tree. */
int json_get_string(const struct json *object, const char *key, const char **text,
		    struct err *e) MUST_CHECK;
int json_get_u64(const struct json *object, const char *key, uint64_t *value,
		 struct err *e) MUST_CHECK;
int json_get_bool(const struct json *object, const char *key, bool *value,
		  struct err *e) MUST_CHECK;
int json_get_array(const struct json *object, const char *key, const struct json **array,
		   struct err *e) MUST_CHECK;
int json_get_object(const struct json *object, const char *key, const struct json **member,
		    struct err *e) MUST_CHECK;

/* A string of exactly 2 * len hexadecimal digits. */
int json_get_hex(const struct json *object, const char *key, uint8_t *bytes, size_t len,
		 struct err *e) MUST_CHECK;

/* The exact integer of a number node: digits only, no sign, fraction, exponent or leading zero. */
int json_u64(const struct json *number, uint64_t *value, struct err *e) MUST_CHECK;

/* Every key of the object is one of `known`, which ends with NULL; the error names another. */
int json_only_keys(const struct json *object, const char *const known[], struct err *e) MUST_CHECK;

/* Output. Text goes through `json_quote` as Go's encoding/json writes it (wire.md: < > & and
 * U+2028/2029 escaped), with the quotes around it. Each byte that is not UTF-8, such as part of
 * a character that was cut, becomes \ufffd, as in Go. */
struct writer;
void json_quote(struct writer *w, const char *text, size_t len);
/* The same text for what people read, not for what is digested or compared by its bytes: what does not stand for
 * itself, and what is not seen (utf8.h), is escaped, too. */
void json_quote_shown(struct writer *w, const char *text, size_t len);
/* Bytes as a string of hexadecimal digits. */
void json_quote_hex(struct writer *w, const void *bytes, size_t len);
/* Writes what comes before a value in an object: a comma, unless the object has just been opened or
 * nothing is written yet, and the key (one of our names, which needs no escapes).
 */
void json_put_key(struct writer *w, const char *key);
/* A key and its text. */
void json_put_hex(struct writer *w, const char *key, const void *bytes, size_t len);
