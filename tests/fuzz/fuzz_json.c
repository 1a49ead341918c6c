/* SPDX-License-Identifier: Apache-2.0 */
/* JSON. */
#include "common/base/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* Bytes that the texts below take up, each with its final zero. */
static size_t texts(const struct json *v)
{
	size_t sum = (v->text ? strlen(v->text) + 1 : 0) + (v->key ? strlen(v->key) + 1 : 0);

	for (size_t i = 0; i < v->count; i++)
		sum += texts(&v->items[i]);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct json *root, *with_zeros;
	struct err e;
	bool taken = json_parse(bytes, len, &root, &e) == 0;

	must(taken || !strstr(e.text, "longer than the input"));
	if (json_parse_zeros(bytes, len, &with_zeros, &e) == 0) {
		must(texts(with_zeros) <= len + 1);
		json_free(with_zeros);
	} else {
		must(!taken && !strstr(e.text, "longer than the input"));
	}
	if (!taken)
		return 0;
	must(root->end <= len && texts(root) <= len + 1);
	json_free(root);
	return 0;
}
