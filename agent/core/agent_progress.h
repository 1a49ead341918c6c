/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_progress.h — how far uploads are and what the run uses (proto/cvms.proto, Progress), for a service that shows it
 * and for Status.
 */
#pragma once

#include "agent/core/agent.h"
#include "common/manifest/manifest.h"

enum { AGENT_PROGRESS_GRAIN = 1 << 20 }; /* bytes of memory that nobody is told more exactly */

/* Its messages point into it. */
struct agent_progress {
	Cvms__ClientStreamMessage message;
	Cvms__Progress progress;
	Cvms__UploadProgress uploads[MANIFEST_DATASETS_MAX + 1];
	Cvms__UploadProgress *pointers[MANIFEST_DATASETS_MAX + 1];
	Cvms__RunProgress run;
};

/* Of agent->computation. `with_run`: what the run uses, too; while there is one. */
void agent_progress_fill(const struct agent *agent, bool with_run, struct agent_progress *p);

/* For the service: NULL where it knows that already, or there is no computation. `anew`: it knows nothing. Lent until the
 * next call. */
const Cvms__ClientStreamMessage *agent_progress_next(struct agent *agent, bool anew);
void agent_progress_free(struct agent *agent);
