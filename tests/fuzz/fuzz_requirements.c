/* SPDX-License-Identifier: Apache-2.0 */
/* Python's requirements files, and what packages say that they require. */
#include "common/python/requirements.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct python_target target = { 11, 36, "x86_64" };

/* Which extra is asked for decides whether a dependency counts, not whether it is one. */
static void as_dependency(const uint8_t *bytes, size_t len)
{
	char *text = strndup((const char *)bytes, len);
	bool applies;
	int failed[2];

	assert(text);
	for (int i = 0; i < 2; i++) {
		struct requirement r = { 0 };
		struct err e;

		failed[i] = requirement_parse_dependency(text, &target, i ? "dev" : "", &r,
							 &applies, &e);
		if (!failed[i])
			requirement_done(&r);
	}
	assert(!failed[0] == !failed[1]);
	free(text);
}

/* What is accepted is one line each, and reads the same again: it is what pip will see. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct requirements all, again;
	struct err e;

	as_dependency(bytes, len);
	if (requirements_parse(bytes, len, &target, &all, &e) < 0)
		return 0;
	for (size_t i = 0; i < all.count; i++) {
		const struct requirement *r = &all.items[i];

		assert(!strpbrk(r->line, "\n\r\\#;@") && r->line[0] != '-');
		assert(requirements_parse(r->line, strlen(r->line), &target, &again, &e) == 0);
		assert(again.count == 1 && strcmp(again.items[0].name, r->name) == 0);
		assert(again.items[0].hash_count == r->hash_count);
		assert(strcmp(again.items[0].extras, r->extras) == 0);
		requirement_met(r, "1.24.2rc1");
		requirements_done(&again);
	}
	requirements_done(&all);
	return 0;
}
