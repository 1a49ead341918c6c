/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h — one line to standard error for each thing worth telling a person.
 *
 * Only main functions, daemons' event handlers and the gRPC dispatcher log; a library reports
 * through struct err. Under journald lines carry its priority prefix, elsewhere time and level; the trace that
 * a line belongs to (log_about.h) is at its end. Values that come from a peer go through log_quote().
 */
#pragma once

#include "common/base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Called first in main. The program's name is in each line (kept, not copied). Standard
 * descriptors that are closed are occupied, so that no file or socket gets their numbers. */
void log_open(const char *program);

/* For a host's daemons, after log_open(): where standard error is systemd's journal, it gets entries with fields
 * instead of lines: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, COCOS_TRACE, COCOS_CVM, COCOS_COMPUTATION. What it does
 * not take is a line. */
void log_to_journal(void);

/* "error", "warn" (also "warning"), "info", "debug", in any case; refuses any other word. */
int log_set_level(const char *word, struct err *e) MUST_CHECK;
void log_set(enum log_level level);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* A line of another form that is written at every level, as it is: MARK, then `len` bytes without control
 * characters. Whole, and with the kernel, when it returns 0: what reads our standard error may still lose it. */
int log_record(const char *mark, const void *line, size_t len, struct err *e) MUST_CHECK;

enum { LOG_QUOTE_MAX = 160 };
struct log_quoted {
	char text[LOG_QUOTE_MAX];
};

/* `text` in quotes with everything unprintable escaped as \xNN (log_escape.h), cut with "…" when long.
 * Usable within one expression: log_info("name %s", log_quote(name).text). */
struct log_quoted log_quote(const char *text);
struct log_quoted log_quote_bytes(const void *bytes, size_t len);

/* Tells systemd's notify socket, when there is one: "READY=1", "STOPPING=1". */
void log_notify(const char *state);
