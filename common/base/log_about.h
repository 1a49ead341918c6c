/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_about.h — what the lines of a log are about: which call they belong to, which CVM, which computation.
 *
 * Whoever begins to work on something (a call that came, an answer that came back, a job that was done)
 * enters what it is about, and leaves it at the end of his block. Whoever puts work off keeps log_about_now()
 * with it. So a line names the call that caused it without being told.
 *
 * For logs alone: nothing is decided by it.
 */
#pragma once

#include <stdbool.h>

enum log_about_field {
	LOG_TRACE, /* 32 lower-case hexadecimal digits: one id for all that one call leads to */
	LOG_CVM,
	LOG_COMPUTATION,
	LOG_ABOUT_FIELDS,
};

enum { LOG_ABOUT_MAX = 255 };

/* Zeroed: about nothing in particular. */
struct log_about {
	char text[LOG_ABOUT_FIELDS][LOG_ABOUT_MAX + 1];
};

/* An id may come from a peer: what is empty, longer than LOG_ABOUT_MAX or not of printable ASCII characters
 * is not kept, and the field stays as it was. */
bool log_about_put(struct log_about *about, enum log_about_field field, const char *text);

/* What this thread's lines are about, field by field: what was entered, else what log_about_else() said. */
struct log_about log_about_now(void);
/* From here until what was entered last is left; not where nothing was. */
void log_about_add(enum log_about_field field, const char *text);

/* What lines are about that belong to nothing that was entered: a program that does one thing at a time. */
void log_about_else(const struct log_about *about);

struct log_about log_about_enter(const struct log_about *about);
void log_about_leave(const struct log_about *before);

/* Until the end of the block; `about` is copied. */
#define LOG_ABOUT(about)                                                                        \
	__attribute__((cleanup(log_about_leave), unused)) const struct log_about about_before = \
		log_about_enter(about)
