/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/bytes.h"

#include <string.h>

bool bytes_are(const void *bytes, size_t len, uint8_t value)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		if (b[i] != value)
			return false;
	return true;
}

bool bytes_among(const void *values, size_t count, const void *value, size_t len)
{
	const uint8_t *b = values;

	for (size_t i = 0; i < count; i++)
		if (memcmp(b + i * len, value, len) == 0)
			return true;
	return false;
}
