/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h — a folder for a group of tests: made before the first, removed behind the last. */
#pragma once

#include "common/base/file.h"
#include "tests/unit.h"

#include <string.h>

static char test_folder[32] = "/tmp/cocos-test-XXXXXX";

static inline int folder_make(void **state)
{
	return mkdtemp(test_folder) ? 0 : -1;
}

/* In memory, where there is such a place: for those who wait for the disk a thousand times. */
static inline int folder_make_in_memory(void **state)
{
	char memory[] = "/dev/shm/cocos-test-XXXXXX";

	_Static_assert(sizeof(memory) <= sizeof(test_folder), "has room");
	if (!mkdtemp(memory))
		return folder_make(state);
	memcpy(test_folder, memory, sizeof(memory));
	return 0;
}

static inline int folder_remove(void **state)
{
	struct err e;

	return dir_remove(test_folder, &e);
}
