/* SPDX-License-Identifier: Apache-2.0 */
/*
 * door.h — the agent's gRPC server as a manifest wants it: plain, TLS, mTLS or attested TLS (with a
 * client CA: maTLS), with health and reflection beside. It exists from the moment the manifest is measured until a stop.
 */
#pragma once

#include "common/base/err.h"

struct agent;
struct agent_config;
struct door;

int door_open(struct agent *agent, const struct agent_config *config, struct door **door,
	      struct err *e) MUST_CHECK;

/* Closes everything at once; calls that are open are told ABORTED and why. NULL is fine. */
void door_close(struct door *door, const char *why);
