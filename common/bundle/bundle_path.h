/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_path.h — which paths a bundle may hold, and how they are opened. For bundle_*.c only. */
#pragma once

#include "common/base/err.h"

#include <sys/types.h>

/* A relative path of plain names, as bundle.h describes; a directory's ends with one slash. */
int bundle_path_check(const char *path, struct err *e) MUST_CHECK;

/* open(2) for a path that must not leave `dir` nor pass through any link. -1 with errno. */
int bundle_open_beneath(int dir, const char *path, int flags, mode_t mode);
