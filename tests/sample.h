/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.h — how much of a long walk a test goes through.
 *
 * Every change of every byte takes minutes. CI takes one step in so many, the same ones every time;
 * `scripts/test long` (COCOS_TEST_LONG=1) takes all of them.
 */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool sample_is_whole(void)
{
	const char *word = getenv("COCOS_TEST_LONG");

	return word && strcmp(word, "1") == 0;
}

/* An odd step goes through all bits of a byte in turn. */
static inline size_t sample_step(size_t step)
{
	return sample_is_whole() ? 1 : step;
}
