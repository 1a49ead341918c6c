/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files of KEY=VALUE lines. */
#include "common/base/settings.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct keyfile file;
	struct err e;

	if (keyfile_parse(bytes, len, &file, &e) < 0)
		return 0;
	if (file.count > KEYFILE_LINES_MAX)
		__builtin_trap();
	/* Each key leads to its own value; an empty one is none. */
	for (size_t i = 0; i < file.count; i++) {
		const char *found = keyfile_get(&file, file.entries[i].key);

		assert(found ? found == file.entries[i].value : !*file.entries[i].value);
	}
	(void)keyfile_get(&file, "ASKED");
	keyfile_done(&file);
	return 0;
}
