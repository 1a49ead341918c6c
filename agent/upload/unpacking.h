/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpacking.h — datasets that are zips, unpacked to where the algorithm finds them: one at a time,
 * in the order in which they came, so that the pool stays free for other uploads; for this room
 * only.
 */
#pragma once

#include "common/base/err.h"
#include "common/manifest/manifest_place.h"

#include <sys/queue.h>

struct upload_call;
struct uploads;

/* Takes the call's whole upload, to be unpacked at a place that is no file; its stage is
 * UPLOAD_UNPACKING then, and upload_call_placed() or upload_call_finish() follows, where memory is out
 * before this returns. Nothing is unpacked over another dataset, nor more than the disk has room for. */
int unpacking_start(struct upload_call *u, const struct manifest_place *place,
		    struct err *e) MUST_CHECK;

/* Those that wait end with `why` now, the one that is being unpacked as soon as its thread hears of
 * it; what it made is removed then. For the former nobody is told that they are released: who stops
 * them looks for himself. */
void unpacking_stop(struct uploads *uploads, const struct err *why);
