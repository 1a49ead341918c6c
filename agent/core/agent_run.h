/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_run.h — the run: from the last asset to the zip of the results, or to a failure; and who has
 * fetched them.
 */
#pragma once

#include "agent/core/agent.h"

/* An asset is in its place. With the last one the algorithm starts. */
void agent_run_algorithm_in(struct agent *agent);
void agent_run_dataset_in(struct agent *agent);

/* A consumer has the results. With the last one the computation is complete. */
void agent_run_result_fetched(struct agent *agent, struct consumer *consumer);
