/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight_database.h — whether a daemon's SQLite file can be used by this program, without touching it.
 */
#pragma once

#include "common/preflight/preflight.h"

/* Its `user_version` is from 0 to `form`, and its pages hold together. A missing file is fine: it is made at the
 * start. A daemon may use it meanwhile, and is not held up: what its write-ahead log holds counts, nothing is written,
 * and no file is made. Not for a process that has the file open itself. */
int preflight_database(const char *path, int form, char found[PREFLIGHT_TEXT_MAX],
		       struct err *e) MUST_CHECK;
