/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_stop.h — a stop in steps, because what has to end first ends by itself: the keeper's answer,
 * the run, an unpacking in the pool. At each of these ends agent_stop_go_on() is called.
 */
#pragma once

#include "agent/core/agent.h"

/* The computation service asks to stop this computation. It gets the answer when all is wiped. */
void agent_stop(struct agent *agent, const char *computation_id);

/* The next step, if a stop is wanted and nothing is in its way. */
void agent_stop_go_on(struct agent *agent);
