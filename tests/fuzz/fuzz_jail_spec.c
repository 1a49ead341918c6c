/* SPDX-License-Identifier: Apache-2.0 */
/* The description of a run, as the jail reads it. */
#include "agent/jail/jail_spec.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What was read has everything in place; written again it is the same. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP_WRITER struct writer w = writer_up_to(JAIL_SPEC_MAX);
	struct jail_spec_box *box;
	struct err e;

	if (jail_spec_read(bytes, len, &box, &e) < 0)
		return 0;
	assert(jail_spec_of(box)->argv[0]);
	if (jail_spec_write(jail_spec_of(box), &w, &e) == 0)
		assert(w.len == len);
	jail_spec_free(box);
	return 0;
}
