/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restoring.h — what was retained of a run that failed, laid where the next one looks for it, as far as
 * its owners allowed that (retained.h).
 */
#pragma once

#include "agent/upload/retained.h"

#include <uv.h>

struct restoring_end {
	size_t restored, wiped;
};

/* Before anybody may upload anything to `c`: of what is retained, a dataset that is the manifest's, of
 * the same owner, and whose owner's leave covers this manifest, is read again, compared with its digest,
 * and put in its place; then the asset is `received`, and `kept` says how it came. Every other one is
 * removed. `ended` follows, never from within. */
int restoring_start(uv_loop_t *loop, struct retained *retained, struct computation *c,
		    void (*ended)(void *data, const struct restoring_end *end), void *data,
		    struct err *e) MUST_CHECK;

/* It ends soon; what is not restored yet is removed. */
void restoring_stop(struct retained *retained);
