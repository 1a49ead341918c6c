/* SPDX-License-Identifier: Apache-2.0 */
/* Programs as somebody may send them: whatever the file is, one line says what is wrong with it. */
#include "agent/jail/program.h"
#include "common/base/file.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	int file = memfd_create("program", MFD_CLOEXEC);
	struct err e = { 0 };

	assert(file >= 0 && fd_write_all(file, bytes, len, &e) == 0);
	if (program_judge(file, &e) < 0)
		assert(e.text[0] && e.code == ERR_INVALID);
	close(file);
	return 0;
}
