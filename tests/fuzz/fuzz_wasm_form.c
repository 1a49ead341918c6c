/* SPDX-License-Identifier: Apache-2.0 */
/* Modules of WebAssembly as somebody may send them: one that is taken is taken again with a custom section
 * behind it, and not with a byte that is none. */
#include "agent/wasm/wasm_form.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err e = { 0 };

	if (wasm_form_judge(bytes, len, NULL, &e) < 0) {
		assert(e.text[0] && e.code == ERR_INVALID);
		return 0;
	}
	uint8_t *longer = malloc(len + 3);
	assert(longer);
	memcpy(longer, bytes, len);
	memcpy(longer + len, "\0\1", 3); /* an empty name: its length alone */
	assert(wasm_form_judge(longer, len + 3, NULL, &e) == 0);
	assert(wasm_form_judge(longer, len + 1, NULL, &e) < 0);
	free(longer);
	return 0;
}
