/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical form of what is read reads as the same canonical form. */
#include "common/manifest/manifest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL, *again = NULL;
	CLEANUP(free) char *text = NULL, *same = NULL;
	size_t out, out2;
	struct err e;

	if (manifest_from_json(bytes, len, &m, &e) < 0)
		return 0;
	if (manifest_canonical(m, &text, &out, &e) < 0) /* a hash that is missing */
		return 0;
	(void)!manifest_check(m, &e);
	if (out > MANIFEST_MAX)
		return 0;
	assert(manifest_from_json(text, out, &again, &e) == 0);
	assert(manifest_canonical(again, &same, &out2, &e) == 0);
	assert(out == out2 && memcmp(text, same, out) == 0);
	return 0;
}
