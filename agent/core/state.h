/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h — where the agent stands, as a table of {state, event, next state}. What is not in the
 * table is refused and changes nothing.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>

enum state {
	STATE_IDLE,
	STATE_RECEIVING_MANIFEST,
	STATE_RECEIVING_ALGORITHM,
	STATE_RECEIVING_DATA,
	STATE_RUNNING,
	STATE_CONSUMING_RESULTS,
	STATE_COMPLETE,
	STATE_FAILED,
};

enum state_event {
	EVENT_BOOTED,         /* the boot configuration is measured */
	EVENT_MANIFEST,       /* a manifest is measured */
	EVENT_ALGORITHM,      /* the algorithm is in, datasets are wanted */
	EVENT_ALGORITHM_ONLY, /* the algorithm is in, and there are no datasets */
	EVENT_DATASET,        /* a dataset is in, more are wanted */
	EVENT_LAST_DATASET,
	EVENT_RAN,         /* the algorithm ended well */
	EVENT_RESULT,      /* a consumer fetched it, others have not */
	EVENT_LAST_RESULT, /* all consumers have it, or there are none */
	EVENT_FAILURE,
	EVENT_STOP,
	EVENT_COUNT,
};

/* The spelling on the wire: "ReceivingManifest". */
const char *state_name(enum state state);

/* Would the event be taken? */
bool state_takes(enum state state, enum state_event event);

/* Takes it, or ERR_PRECONDITION with both named and `*state` as it was. */
int state_step(enum state *state, enum state_event event, struct err *e) MUST_CHECK;
