/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/state.h"

#include "common/base/cleanup.h"

#include <stddef.h>
#include <string.h>

static const char *const words[COMPUTATION_STATES] = {
	[COMPUTATION_CREATED] = "Created",
	[COMPUTATION_WAITING_ALGORITHM] = "Waiting for Algorithm",
	[COMPUTATION_WAITING_DATASETS] = "Waiting for Datasets",
	[COMPUTATION_RUNNING] = "Running",
	[COMPUTATION_COMPLETED] = "Completed",
	[COMPUTATION_FAILED] = "Failed",
	[COMPUTATION_CANCELLED] = "Cancelled",
};

/* The agent's states as wire.md spells them; as types of events they mean the same. */
static const struct {
	const char *word;
	struct state_change change;
} agent_states[] = {
	{ "ReceivingAlgorithm", { COMPUTATION_WAITING_ALGORITHM, false } },
	{ "ReceivingData", { COMPUTATION_WAITING_DATASETS, false } },
	{ "Running", { COMPUTATION_RUNNING, false } },
	/* The run succeeded; a stop can still lose the results. */
	{ "ConsumingResults", { COMPUTATION_COMPLETED, false } },
	{ "Complete", { COMPUTATION_COMPLETED, true } },
	{ "Failed", { COMPUTATION_FAILED, true } },
	{ "Stopped", { COMPUTATION_CANCELLED, true } },
};

const char *state_words(enum computation_state state)
{
	return (unsigned)state < COMPUTATION_STATES ? words[state] : "Unknown";
}

bool state_of_agent(const char *word, struct state_change *change)
{
	for (size_t i = 0; i < ARRAY_LEN(agent_states); i++)
		if (strcmp(agent_states[i].word, word) == 0) {
			*change = agent_states[i].change;
			return true;
		}
	return false;
}

bool state_of_event(const char *type, const char *status, struct state_change *change)
{
	/* A warning reports something that did not stop the run. */
	if (strcmp(status, "Warning") == 0)
		return false;
	if (strcmp(status, "Failed") == 0)
		type = "Failed";
	else if (strcmp(status, "Stopped") == 0)
		type = "Stopped";
	return state_of_agent(type, change);
}

bool state_is_free(const char *word)
{
	return strcmp(word, "Idle") == 0 || strcmp(word, "ReceivingManifest") == 0;
}
