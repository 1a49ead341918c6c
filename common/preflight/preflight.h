/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight.h — what a daemon needs, looked at one by one before it starts, and told in a list.
 *
 * A look changes nothing: no file is made, no database brought to another form, and no port or lock is
 * held behind it.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stdio.h>

enum {
	PREFLIGHT_CHECKS_MAX = 128,
	PREFLIGHT_TEXT_MAX = ERR_TEXT_MAX,
};

/* What a look returns; negative: failed, and the error says what was found. */
enum preflight_outcome { PREFLIGHT_OK = 0, PREFLIGHT_NOT_ASKED = 1 };

/* One line of the list. `subject` is what preflight_run() was given. Unless it fails, `look` may write one line
 * on what it found, or on why nothing is asked. */
struct preflight_check {
	const char *name;
	int (*look)(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e);
	const char *remedy; /* what to do when it fails */
};

enum preflight_form { PREFLIGHT_TEXT, PREFLIGHT_JSON };

/* Makes every check of the table, in its order, whatever the earlier ones say, and prints a line for each,
 * or one JSON object. Returns the exit status: 0 if none failed, else 1. */
int preflight_run(const char *program, const struct preflight_check *checks, size_t count,
		  void *subject, enum preflight_form form, FILE *out) MUST_CHECK;

/* The same where what is to be done depends on what was found: `better` is asked after each look that failed, and
 * what it returns stands in the remedy's place, unless that is NULL. */
int preflight_run_better(const char *program, const struct preflight_check *checks, size_t count,
			 void *subject, const char *(*better)(const void *subject),
			 enum preflight_form form, FILE *out) MUST_CHECK;

/* Writes the line of what was found, and is PREFLIGHT_OK or PREFLIGHT_NOT_ASKED. */
int preflight_found(char found[PREFLIGHT_TEXT_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int preflight_not_asked(char found[PREFLIGHT_TEXT_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
