/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.h — bytes that somebody else owns, and how many they are.
 */
#pragma once

#include "common/base/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const uint8_t *bytes;
	size_t len;
};

bool span_equal(struct span a, struct span b);
struct reader span_reader(struct span s);
/* The next `len` bytes of a reader; empty, and the reader bad, if there are fewer. */
struct span span_take(struct reader *r, size_t len);
