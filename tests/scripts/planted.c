/* SPDX-License-Identifier: Apache-2.0 */
/* One mistake of each kind that the sanitizers are there for, by its name. The build with sanitizers
 * has to end this program at each of them; a stage that can't fail says nothing (sanitizers.py). */
#include "common/base/cleanup.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Volatile, so that no compiler computes the mistake away. */
static volatile int one = 1, most = INT_MAX;
static void *volatile nowhere;

static int signed_overflow(void)
{
	return most + one;
}

static int wide_shift(void)
{
	return one << (one + 31);
}

static int index_beyond(void)
{
	volatile int few[2] = { 0, 0 };

	return few[one + 1];
}

static int null_argument(void)
{
	memcpy(nowhere, nowhere, (size_t)one - 1);
	return 0;
}

static int misaligned(void)
{
	_Alignas(uint64_t) char bytes[16] = { 0 };

	return (int)*(uint64_t *)(void *)(bytes + one);
}

static int heap_overflow(void)
{
	volatile char *bytes = malloc(8);

	return bytes ? bytes[7 + one] : 0;
}

static int use_after_free(void)
{
	volatile char *bytes = malloc(8);

	free((void *)bytes);
	return bytes ? bytes[0] : 0;
}

static int double_free(void)
{
	void *volatile bytes = malloc(8);

	free(bytes);
	free(bytes);
	return 0;
}

static int leak(void)
{
	nowhere = malloc(8);
	nowhere = NULL;
	return 0;
}

static int none(void)
{
	return 0;
}

static const struct {
	const char *name;
	int (*make)(void);
} mistakes[] = {
	{ "none", none },
	{ "signed-overflow", signed_overflow },
	{ "wide-shift", wide_shift },
	{ "index-beyond", index_beyond },
	{ "null-argument", null_argument },
	{ "misaligned", misaligned },
	{ "heap-overflow", heap_overflow },
	{ "use-after-free", use_after_free },
	{ "double-free", double_free },
	{ "leak", leak },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(mistakes); i++)
		if (strcmp(argv[1], mistakes[i].name) == 0) {
			mistakes[i].make();
			return 0;
		}
	return 2;
}
