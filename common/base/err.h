/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h — why a call failed: a code that is also a gRPC status, and one line for a person.
 *
 * The error lives on the caller's stack, so reporting one never allocates. A function that can
 * fail returns 0 or the negative code, takes `struct err *e` last, and leaves its outputs alone
 * when it fails. Context is added on the way up, outermost first: "load policy: open 'x': …".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Numbers as in gRPC's status codes (grpc/doc/statuscodes.md). */
enum err_code {
	ERR_OK = 0,
	ERR_CANCELLED = 1,
	ERR_UNKNOWN = 2,
	ERR_INVALID = 3,
	ERR_DEADLINE = 4,
	ERR_NOT_FOUND = 5,
	ERR_EXISTS = 6,
	ERR_DENIED = 7,
	ERR_EXHAUSTED = 8,
	ERR_PRECONDITION = 9,
	ERR_ABORTED = 10,
	ERR_OUT_OF_RANGE = 11,
	ERR_UNIMPLEMENTED = 12,
	ERR_INTERNAL = 13,
	ERR_UNAVAILABLE = 14,
	ERR_DATA_LOSS = 15,
	ERR_UNAUTHENTICATED = 16,
	ERR_CODE_MAX = ERR_UNAUTHENTICATED,
};

enum { ERR_TEXT_MAX = 512 };

struct err {
	enum err_code code;
	/* One line without control characters, always terminated. If it is too long, it loses
	 * its middle, never half of a UTF-8 character. (A gRPC status that was received is as
	 * its sender wrote it.) */
	char text[ERR_TEXT_MAX];
};

/* The status's name in gRPC's spelling, "INVALID_ARGUMENT"; "UNKNOWN" for a number that gRPC
 * does not have. */
const char *err_code_name(enum err_code code);

/* What a function returns after a callee failed that does not return a code itself: the negative
 * code, never 0. If the callee set no code, that is ERR_INTERNAL; a failure can't turn into
 * success on its way up. A callee's own code is passed on as it is. */
static inline int err_code(const struct err *e)
{
	return e->code > ERR_OK && e->code <= ERR_CODE_MAX ? -(int)e->code : -(int)ERR_INTERNAL;
}

/* Whether a callee returned this very code. */
static inline bool err_is(int failed, enum err_code code)
{
	return failed == -(int)code;
}

/* Record a failure. Each is an expression of err_code(e), so that a caller can write
 * `return err_set(…)` and the compiler sees that this is never 0; `e` is a plain variable. */
#define err_set(e, ...) (err_record(e, __VA_ARGS__), err_code(e))

/* The same from errno: ENOENT is NOT_FOUND, EACCES/EPERM DENIED, ENOSPC/EMFILE/ENOMEM EXHAUSTED,
 * EEXIST EXISTS, anything else INTERNAL; its text is appended. */
#define err_errno(e, ...) (err_record_errno(e, __VA_ARGS__), err_code(e))

/* Out of memory: EXHAUSTED. */
#define err_nomem(e) err_set(e, ERR_EXHAUSTED, "out of memory")

/* Put context before the text that is there; the code stays. */
#define err_wrap(e, ...) (err_record_context(e, __VA_ARGS__), err_code(e))

/* What the macros above call. A code that does not say failure is recorded as ERR_INTERNAL. */
void err_record(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void err_record_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_record_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define MUST_CHECK __attribute__((warn_unused_result))
