/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judging.h — an algorithm, tried when it arrives: python's zip, its requirements, its wheels; docker's archive, but
 * for its layers; bin's form and interpreter; wasm's imports and exports. What can't be run is refused before anybody's
 * data travels; for this room only.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>

struct upload_call;
struct uploads;

/* The algorithm and what came with it are in their places; the call's stage is UPLOAD_UNPACKING
 * then, and upload_call_placed() or upload_call_finish() follows, where memory is out before this
 * returns. What is refused leaves its places. `bundle`: requirements.zip is to be unpacked first. */
int judging_start(struct upload_call *u, bool bundle, struct err *e) MUST_CHECK;

/* Takes what judging_start() was given out of its places again. */
void judging_drop(struct upload_call *u);

/* It ends soon, as refused. */
void judging_stop(struct uploads *uploads, const struct err *why);
