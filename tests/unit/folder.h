/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h — a folder for a group of tests: made before the first, removed behind the last. */
#pragma once

#include "common/base/file.h"
#include "tests/unit.h"

static char test_folder[] = "/tmp/cocos-test-XXXXXX";

static inline int folder_make(void **state)
{
	return mkdtemp(test_folder) ? 0 : -1;
}

static inline int folder_remove(void **state)
{
	struct err e;

	return dir_remove(test_folder, &e);
}
