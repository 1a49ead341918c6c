/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files of KEY=VALUE lines. */
#include "common/base/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct keyfile file;
	struct err e;

	if (keyfile_parse(bytes, len, &file, &e) == 0) {
		if (file.count > KEYFILE_LINES_MAX)
			__builtin_trap();
		keyfile_done(&file);
	}
	return 0;
}
