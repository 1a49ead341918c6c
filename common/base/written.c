/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/written.h"

#include <errno.h>
#include <string.h>

bool written_all(const char *program, FILE *out)
{
	bool failed = ferror(out) != 0;

	errno = EIO;
	if (fflush(out) == 0 && !failed)
		return true;
	fprintf(stderr, "%s: standard output: %s\n", program,
		failed ? "not everything could be written" : strerror(errno));
	return false;
}
