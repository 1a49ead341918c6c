/* SPDX-License-Identifier: Apache-2.0 */
/* Python's requirements files. */
#include "common/python/requirements.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What is accepted is one line each, and reads the same again: it is what pip will see. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct python_target target = { 11, 36, "x86_64" };
	struct requirements all, again;
	struct err e;

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
