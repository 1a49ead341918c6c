/* SPDX-License-Identifier: Apache-2.0 */
/* json_same.h — whether two JSON values say the same, whatever the order of their members. */
#pragma once

#include "common/base/json.h"

#include <string.h>

static inline bool json_same(const struct json *a, const struct json *b)
{
	if (!a || !b || a->type != b->type || a->count != b->count)
		return false;
	if (a->type == JSON_BOOL)
		return a->boolean == b->boolean;
	if (a->type == JSON_STRING || a->type == JSON_NUMBER)
		return strcmp(a->text, b->text) == 0;
	for (size_t i = 0; i < a->count; i++)
		if (!json_same(&a->items[i], a->type == JSON_OBJECT ? json_get(b, a->items[i].key)
								    : &b->items[i]))
			return false;
	return true;
}
