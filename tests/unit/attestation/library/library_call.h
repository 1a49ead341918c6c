/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library_call.h — a whole verification in the making (verify_build.h) as calls of the installed
 * library's interface.
 */
#pragma once

#include "attestation/library/library_objects.h"
#include "tests/unit/attestation/verify/verify_build.h"

struct library_call {
	struct cocos_request *request;
	struct cocos_endorsements *endorsements;
	struct cocos_policy policy; /* the build's, which owns what is in it */
	bool without_policy;        /* judged so: it is to be genuine only */
	struct cocos_error error;
};

/* Request and endorsements as the build's input says. 0, or the first code that was not; in any case
 * library_call_done() it. */
int library_call_make(struct library_call *c, const struct verify_build *b, enum cocos_mode mode);
void library_call_done(struct library_call *c);

/* Judges; fails the test where that can't be done. cocos_verdict_free() it. */
struct cocos_verdict *library_call_judge(struct library_call *c);
