/* SPDX-License-Identifier: Apache-2.0 */
/* wheel.h — the name of a wheel's file (PEP 427), and for which Pythons and machines it is (PEP 425,
 * PEP 600). */
#pragma once

#include "common/python/python_target.h"
#include "common/python/requirements.h"

enum { WHEEL_FILE_MAX = 255 };

struct wheel_name {
	char name[REQUIREMENT_NAME_MAX]; /* normalized */
	struct python_version version;
	char version_text[PYTHON_VERSION_MAX];
	char stem
		[WHEEL_FILE_MAX]; /* "name-version" as written: its .data and .dist-info begin so */
};

/* ERR_INVALID for what is not named as a wheel, and for one that `target` can't use (NULL: it is not known). */
int wheel_name_parse(const char *file, const struct python_target *target, struct wheel_name *wheel,
		     struct err *e) MUST_CHECK;
