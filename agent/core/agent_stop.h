/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_stop.h — a stop in steps, because what has to end first ends by itself: the keeper's answer,
 * the run, an unpacking in the pool. At each of these ends agent_stop_go_on() is called.
 */
#pragma once

#include "agent/core/agent.h"

/* The computation service asks to stop this computation. It gets the answer when all is wiped. */
void agent_stop(struct agent *agent, const char *computation_id);

/* A manifest can't be served whose parties have not seen a listener: its folder is wiped, and only then `undone`
 * called, perhaps from within; `e`: assets may be left in there. What owners let be kept stays. */
typedef void agent_stop_undone_fn(struct agent *agent, const struct err *e);
void agent_stop_undo(struct agent *agent, agent_stop_undone_fn *undone);

/* All is wiped: the computation is over, and the next manifest may come. `asked`: by a stop, which is answered. */
void agent_stop_end(struct agent *agent, bool asked);

/* The next step, if a stop is wanted and nothing is in its way. */
void agent_stop_go_on(struct agent *agent);
