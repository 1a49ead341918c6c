/* SPDX-License-Identifier: Apache-2.0 */
/*
 * marker.h — environment markers of requirements (PEP 508, "Environment Markers").
 *
 * They are judged for a Python on Linux that need not be this machine's. What can't be known of it
 * (platform_release, platform_version, python_full_version where the patch level decides) is refused
 * by name, rather than guessed.
 */
#pragma once

#include "common/base/err.h"
#include "common/python/python_target.h"

#include <stdbool.h>

enum { MARKER_DEPTH_MAX = 16, MARKER_VALUE_MAX = 128 };

/* The text after the semicolon, without a zero byte inside. `extra` is the one that is asked for, ""
 * for none, or NULL where no extra has a meaning: then a marker that names it is refused. */
int marker_applies(const char *text, size_t len, const struct python_target *target,
		   const char *extra, bool *applies, struct err *e) MUST_CHECK;
