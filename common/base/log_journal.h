/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_journal.h — entries with fields for systemd's journal, in its native protocol (systemd's
 * docs/JOURNAL_NATIVE_PROTOCOL.md): one datagram each.
 *
 * Without libsystemd: it would bring three compressors into programs that end TLS (style.md's reason for
 * log_notify(), too).
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>

#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

enum {
	LOG_JOURNAL_VALUE_MAX = 4096, /* bytes of a value */
	LOG_JOURNAL_FIELDS_MAX = 8,
};

struct log_journal_field {
	const char *name;  /* capital letters, digits and _ */
	const char *value; /* empty: the field is left out */
};

/* From now on entries go to the journal that listens at `path`, if one does by then. */
int log_journal_open(const char *path, struct err *e) MUST_CHECK;
bool log_journal_is_open(void);
void log_journal_close(void);

/* Whole, and with the kernel, when it returns 0. Never waits: -ERR_EXHAUSTED when the journal does not keep up. */
int log_journal_send(const struct log_journal_field *fields, size_t count,
		     struct err *e) MUST_CHECK;
