/* SPDX-License-Identifier: Apache-2.0 */
/* Header values that choose an answer: the first byte says which field the rest is of. */
#include "common/base/cleanup.h"
#include "common/http/field.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *const types[] = { "text/plain; version=0.0.4",
				     "application/openmetrics-text; version=1.0.0" };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *text = strndup(len ? (const char *)bytes + 1 : "", len ? len - 1 : 0);
	size_t chosen = 9;
	int64_t number = -1;
	char value[16];
	bool is = false;
	struct err e;

	if (!text || !len)
		return 0;
	switch (bytes[0]) {
	case 'n':
		(void)!http_field_matches(text, "\"abc\"", &is, &e);
		break;
	case 'a':
		if (http_field_accept(text, types, 2, &chosen, &e) == 0)
			assert(chosen < 2);
		break;
	case 'c':
		if (http_field_cookie(text, "name", value, sizeof(value), &e) == 0)
			assert(strlen(value) < sizeof(value) && !strchr(value, ';'));
		break;
	case 'l':
		if (http_field_event_id(text, &number, &e) == 0)
			assert(number >= 0);
		break;
	default:
		(void)!http_field_is_type(text, "application/json", &is, &e);
		break;
	}
	return 0;
}
