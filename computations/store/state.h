/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h — the state of a computation in words for people, from what its agent reports.
 */
#pragma once

#include <stdbool.h>

enum computation_state {
	COMPUTATION_CREATED, /* no CVM has it */
	COMPUTATION_WAITING_ALGORITHM,
	COMPUTATION_WAITING_DATASETS,
	COMPUTATION_RUNNING,
	COMPUTATION_COMPLETED,
	COMPUTATION_FAILED,
	COMPUTATION_CANCELLED,
	COMPUTATION_STATES,
};

/* "Waiting for Algorithm" */
const char *state_words(enum computation_state state);

struct state_change {
	enum computation_state state;
	bool finished; /* nothing the agent says changes it any more */
};

/* What an agent's state ("ReceivingData") or an event's type means; false for a word that says
 * nothing about a computation. */
bool state_of_agent(const char *word, struct state_change *change);

/* The same for an event with its status. */
bool state_of_event(const char *type, const char *status, struct state_change *change);

/* The agent waits for a manifest. */
bool state_is_free(const char *word);
