/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_manifest.h — from a manifest's bytes to the open listener: decoded, judged, measured, and only
 * then served.
 */
#pragma once

#include "agent/core/agent.h"

/* `subject` names it in a refusal of what cannot be decoded. False if it was refused, which has been
 * answered. What is found out later is answered then. */
bool agent_manifest_take(struct agent *agent, struct postbox_subject subject, const void *bytes,
			 size_t len);

/* Its bytes did not come whole. */
void agent_manifest_refuse(struct agent *agent, struct postbox_subject subject,
			   const struct err *e);
