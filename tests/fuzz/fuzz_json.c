/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct json *root;
	struct err e;

	if (json_parse(bytes, len, &root, &e) < 0)
		return 0;
	if (root->end > len)
		__builtin_trap();
	json_free(root);
	return 0;
}
