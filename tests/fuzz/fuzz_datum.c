/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR. */
#include "common/base/datum.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct datum *root;
	struct err e;

	if (datum_parse(bytes, len, &root, &e) < 0)
		return 0;
	if (root->start != 0 || root->end != len)
		__builtin_trap();
	datum_free(root);
	return 0;
}
