/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/state.h"

#include "common/base/cleanup.h"

static const char *const state_names[] = {
	[STATE_IDLE] = "Idle",
	[STATE_RECEIVING_MANIFEST] = "ReceivingManifest",
	[STATE_RECEIVING_ALGORITHM] = "ReceivingAlgorithm",
	[STATE_RECEIVING_DATA] = "ReceivingData",
	[STATE_RUNNING] = "Running",
	[STATE_CONSUMING_RESULTS] = "ConsumingResults",
	[STATE_COMPLETE] = "Complete",
	[STATE_FAILED] = "Failed",
};

static const char *const event_names[EVENT_COUNT] = {
	[EVENT_BOOTED] = "a measured boot configuration",
	[EVENT_MANIFEST] = "a manifest",
	[EVENT_ALGORITHM] = "an algorithm",
	[EVENT_ALGORITHM_ONLY] = "an algorithm",
	[EVENT_DATASET] = "a dataset",
	[EVENT_LAST_DATASET] = "a dataset",
	[EVENT_RAN] = "the end of a run",
	[EVENT_RESULT] = "a fetched result",
	[EVENT_LAST_RESULT] = "a fetched result",
	[EVENT_FAILURE] = "a failure",
	[EVENT_STOP] = "a stop",
};

static const struct row {
	enum state state;
	enum state_event event;
	enum state next;
} rows[] = {
	{ STATE_IDLE, EVENT_BOOTED, STATE_RECEIVING_MANIFEST },

	{ STATE_RECEIVING_MANIFEST, EVENT_MANIFEST, STATE_RECEIVING_ALGORITHM },
	{ STATE_RECEIVING_MANIFEST, EVENT_FAILURE, STATE_FAILED },

	{ STATE_RECEIVING_ALGORITHM, EVENT_ALGORITHM, STATE_RECEIVING_DATA },
	{ STATE_RECEIVING_ALGORITHM, EVENT_ALGORITHM_ONLY, STATE_RUNNING },
	{ STATE_RECEIVING_ALGORITHM, EVENT_FAILURE, STATE_FAILED },
	{ STATE_RECEIVING_ALGORITHM, EVENT_STOP, STATE_RECEIVING_MANIFEST },

	{ STATE_RECEIVING_DATA, EVENT_DATASET, STATE_RECEIVING_DATA },
	{ STATE_RECEIVING_DATA, EVENT_LAST_DATASET, STATE_RUNNING },
	{ STATE_RECEIVING_DATA, EVENT_FAILURE, STATE_FAILED },
	{ STATE_RECEIVING_DATA, EVENT_STOP, STATE_RECEIVING_MANIFEST },

	{ STATE_RUNNING, EVENT_RAN, STATE_CONSUMING_RESULTS },
	{ STATE_RUNNING, EVENT_FAILURE, STATE_FAILED },
	{ STATE_RUNNING, EVENT_STOP, STATE_RECEIVING_MANIFEST },

	{ STATE_CONSUMING_RESULTS, EVENT_RESULT, STATE_CONSUMING_RESULTS },
	{ STATE_CONSUMING_RESULTS, EVENT_LAST_RESULT, STATE_COMPLETE },
	{ STATE_CONSUMING_RESULTS, EVENT_FAILURE, STATE_FAILED },
	{ STATE_CONSUMING_RESULTS, EVENT_STOP, STATE_RECEIVING_MANIFEST },

	{ STATE_COMPLETE, EVENT_STOP, STATE_RECEIVING_MANIFEST },
	{ STATE_FAILED, EVENT_STOP, STATE_RECEIVING_MANIFEST },
};

const char *state_name(enum state state)
{
	return state_names[state];
}

static const struct row *find(enum state state, enum state_event event)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].state == state && rows[i].event == event)
			return &rows[i];
	}
	return NULL;
}

bool state_takes(enum state state, enum state_event event)
{
	return find(state, event) != NULL;
}

int state_step(enum state *state, enum state_event event, struct err *e)
{
	const struct row *row = find(*state, event);

	if (!row)
		return err_set(e, ERR_PRECONDITION, "%s is not expected in state %s",
			       event_names[event], state_names[*state]);
	*state = row->next;
	return 0;
}
