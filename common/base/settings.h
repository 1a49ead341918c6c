/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h — a program's settings: one table says name, kind, default and help.
 *
 * A value comes from the first of: the environment (secure_getenv), the configuration file (with
 * the same keys), the default. An empty value counts as absent. The table also prints --help and
 * the reference in docs/, so these can't drift apart. No setting may switch a security check off.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum setting_type {
	SETTING_TEXT,     /* char *, malloc'ed */
	SETTING_PORT,     /* uint16_t, 0 to 65535 */
	SETTING_NUMBER,   /* uint64_t, decimal, between min and max */
	SETTING_SIZE,     /* uint64_t bytes; K, M, G, T (powers of 1024) may follow */
	SETTING_DURATION, /* uint64_t milliseconds; Go's form: 300ms, 1.5h, 1h30m */
	SETTING_FLAG,     /* bool: true or false */
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset;        /* of the member in the configuration struct */
	const char *fallback; /* NULL: a text stays NULL, anything else zero */
	uint64_t min, max;    /* of numbers, sizes, durations; max 0 means no limit */
	size_t given;         /* of a bool there: it has not its default; 0: nobody asks */
	const char *help;     /* one line, ends without a full stop */
};

#define SETTING(name_, type_, struct_, member_, fallback_, help_) \
	{ .name = name_,                                          \
	  .type = type_,                                          \
	  .offset = offsetof(struct struct_, member_),            \
	  .fallback = fallback_,                                  \
	  .help = help_ }

/* The lines KEY=VALUE of a file; blank ones and those that begin with # are skipped. A value may
 * be in double quotes. */
enum { KEYFILE_MAX = 65536, KEYFILE_LINES_MAX = 256 };
struct keyfile_entry {
	char *key, *value;
};
struct keyfile {
	struct keyfile_entry *entries;
	size_t count;
	const char *path; /* borrowed, for what is said of its keys; NULL: nothing is */
};

/* Refused, with the line's number: a line without '=', an empty or malformed key ([A-Z0-9_]+), a
 * key twice, a zero byte, invalid UTF-8, more than the limits. */
int keyfile_parse(const void *bytes, size_t len, struct keyfile *file, struct err *e) MUST_CHECK;
void keyfile_done(struct keyfile *file);
const char *keyfile_get(const struct keyfile *file, const char *key); /* NULL if absent or empty */

/* Whose variables those with this prefix are. `others`: of other programs, up to a NULL; where one ends with
 * '_', all that begin so. */
struct settings_environment {
	const char *prefix;
	const char *const *others;
};

/* Fills `config`, which must be zeroed. `file` may be NULL, and `environment`, which is not read then. A key
 * of the file that is not in the table is refused by name, with the one that is nearest. So is a variable of
 * the prefix that is neither in the table nor of others, where it is a slip from one of the table: two letters
 * at most, and not a container's NAME_PORT=tcp://…; those farther off are named in one line of the log. A bad
 * value is refused, whatever its source. What is refused names the environment or the file's path. */
int settings_load(const struct setting *table, size_t count, const struct keyfile *file,
		  const struct settings_environment *environment, void *config,
		  struct err *e) MUST_CHECK;

/* The look at the environment alone. The names of those that are farther off, with commas between them, go
 * into `ignored`, empty if there is none. */
enum { SETTINGS_IGNORED_MAX = 2048 };
int settings_check_environment(const struct setting *table, size_t count,
			       const struct settings_environment *environment,
			       char ignored[SETTINGS_IGNORED_MAX], struct err *e) MUST_CHECK;

/* Frees the texts. */
void settings_done(const struct setting *table, size_t count, void *config);

/* The table for --help, and as Markdown for docs/. */
void settings_help(const struct setting *table, size_t count, FILE *out);
void settings_markdown(const struct setting *table, size_t count, FILE *out);

/* Go's duration text to milliseconds; "1h30m", "90s", "300ms". */
int duration_parse(const char *text, uint64_t *milliseconds, struct err *e) MUST_CHECK;
/* The same form back, whole and in the largest unit that divides it: "90s", "2h", "1500ms". */
enum { DURATION_TEXT_MAX = 24 };
void duration_text(uint64_t milliseconds, char text[DURATION_TEXT_MAX]);
int size_parse(const char *text, uint64_t *bytes, struct err *e) MUST_CHECK;
