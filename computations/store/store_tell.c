/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_tell.h"

#include "common/base/clock.h"
#include "computations/hook/hook_tell.h"
#include "computations/store/state.h"

static const char *word(int64_t state)
{
	return state_words((enum computation_state)state);
}

static const enum hook_event events[COMPUTATION_STATES] = {
	[COMPUTATION_CREATED] = HOOK_COMPUTATION_CREATED,
	[COMPUTATION_WAITING_ALGORITHM] = HOOK_COMPUTATION_WAITING,
	[COMPUTATION_WAITING_DATASETS] = HOOK_COMPUTATION_WAITING,
	[COMPUTATION_RUNNING] = HOOK_COMPUTATION_RUNNING,
	[COMPUTATION_COMPLETED] = HOOK_COMPUTATION_COMPLETED,
	[COMPUTATION_FAILED] = HOOK_COMPUTATION_FAILED,
	[COMPUTATION_CANCELLED] = HOOK_COMPUTATION_CANCELLED,
};

static int64_t now(void)
{
	return clock_ms(CLOCK_REALTIME);
}

static int told(bool *has_told, int failed, size_t added)
{
	*has_told = *has_told || added;
	return failed;
}

int store_tell(struct db *db, bool *has_told, const char *computation, struct err *e)
{
	static const struct hook_states states = { word, events, COMPUTATION_STATES };
	size_t added = 0;
	int failed;

	/* What is to be told has changed now. */
	if (db_run(db, e, "UPDATE computations SET changed = ? WHERE id = ? AND told <> state + 1",
		   "it", now(), computation) < 0)
		return err_code(e);
	failed = hook_tell_computation(db, &states, computation, now(), &added, e);
	return told(has_told, failed, added);
}

int store_tell_removed(struct db *db, bool *has_told, const char *computation, struct err *e)
{
	size_t added = 0;
	int failed = hook_tell_removed(db, computation, now(), &added, e);

	return told(has_told, failed, added);
}

int store_tell_machine(struct db *db, bool *has_told, int64_t workspace, const char *place,
		       const char *name, enum hook_event event, struct err *e)
{
	size_t added = 0;
	int failed = hook_tell_machine(db, workspace, place, name, event, now(), &added, e);

	return told(has_told, failed, added);
}

int store_tell_usage(struct db *db, bool *has_told, int64_t workspace, bool spent,
		     const char *month, struct err *e)
{
	size_t added = 0;
	int failed =
		hook_tell_usage(db, workspace, month, spent ? HOOK_USAGE_LIMIT : HOOK_USAGE_WARNING,
				now(), &added, e);

	return told(has_told, failed, added);
}
