/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvms.h — the link to the computation service (wire.md, 'package cvms'): the agent calls out,
 * keeps one stream open, and calls again for ever when it breaks, with jittered back-off.
 */
#pragma once

#include "common/base/err.h"

struct agent;
struct cvms;

enum {
	CVMS_BACKOFF_MIN_MS = 250,
	CVMS_BACKOFF_MAX_MS = 30000,
	CVMS_CALM_MS = 10000, /* a stream that lived so long was a good one: back-off starts anew */
	CVMS_PING_MS = 2,     /* how soon, and how often, it is tried to ask whether all arrived */
};

/* Reads address and certificates from the agent's configuration, and calls for the first time. */
int cvms_start(struct agent *agent, struct cvms **cvms, struct err *e) MUST_CHECK;
void cvms_free(struct cvms *cvms);

/* Sends what waits in the postbox, as far as the connection takes it. NULL is fine. */
void cvms_flush(struct cvms *cvms);

/* The computation was stopped: ids of manifests may come again. NULL is fine. */
void cvms_forget_manifest(struct cvms *cvms);
