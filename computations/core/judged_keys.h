/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judged_keys.h — manifests that are judged a key at a time, each key once however many places it has. For the steps of
 * judge_line.h.
 */
#pragma once

#include "common/manifest/manifest.h"

/* Empty when zeroed. */
struct judged_keys {
	void *verdicts; /* tsearch(3) */
	size_t at;      /* of the manifest at hand, the next key; 0: it has not begun */
};

/* One key. 1: there is more of the manifest, which is to be asked for again. 0: it is one that agents take
 * (manifest_check()). Negative: it is none, and another may follow. */
int judged_keys_step(struct judged_keys *keys, const Cvms__ComputationRunReq *manifest,
		     struct err *e) MUST_CHECK;
void judged_keys_done(struct judged_keys *keys);
