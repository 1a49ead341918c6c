/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/state.h"
#include "tests/unit.h"

static void every_state_has_words(void **state)
{
	assert_string_equal(state_words(COMPUTATION_WAITING_ALGORITHM), "Waiting for Algorithm");
	assert_string_equal(state_words(COMPUTATION_WAITING_DATASETS), "Waiting for Datasets");
	assert_string_equal(state_words(COMPUTATION_RUNNING), "Running");
	assert_string_equal(state_words(COMPUTATION_COMPLETED), "Completed");
	assert_string_equal(state_words(COMPUTATION_FAILED), "Failed");
	assert_string_equal(state_words(COMPUTATION_CANCELLED), "Cancelled");
	assert_string_equal(state_words(COMPUTATION_STATES), "Unknown");
}

/* wire.md: the events of a normal run, in order. */
static void a_normal_run_goes_through_its_states(void **state)
{
	static const struct {
		const char *type, *status;
		enum computation_state state;
		bool finished;
	} run[] = {
		{ "ReceivingAlgorithm", "InProgress", COMPUTATION_WAITING_ALGORITHM, false },
		{ "ReceivingData", "InProgress", COMPUTATION_WAITING_DATASETS, false },
		{ "Running", "Starting", COMPUTATION_RUNNING, false },
		{ "Running", "InProgress", COMPUTATION_RUNNING, false },
		{ "Running", "Completed", COMPUTATION_RUNNING, false },
		{ "ConsumingResults", "Ready", COMPUTATION_COMPLETED, false },
		{ "Complete", "Completed", COMPUTATION_COMPLETED, true },
		{ "Failed", "Failed", COMPUTATION_FAILED, true },
		{ "Running", "Failed", COMPUTATION_FAILED, true },
		{ "Stopped", "Stopped", COMPUTATION_CANCELLED, true },
	};
	struct state_change change;

	for (size_t i = 0; i < ARRAY_LEN(run); i++) {
		assert_true(state_of_event(run[i].type, run[i].status, &change));
		assert_int_equal(change.state, run[i].state);
		assert_int_equal(change.finished, run[i].finished);
	}
}

static void other_words_change_nothing(void **state)
{
	struct state_change change;

	assert_false(state_of_event("Running", "Warning", &change));
	assert_false(state_of_event("", "", &change));
	assert_false(state_of_event("running", "InProgress", &change));
	assert_false(state_of_agent("Idle", &change));
	assert_false(state_of_agent("ReceivingManifest", &change));
}

static void a_free_agent_waits_for_a_manifest(void **state)
{
	assert_true(state_is_free("Idle"));
	assert_true(state_is_free("ReceivingManifest"));
	assert_false(state_is_free("Complete"));
	assert_false(state_is_free(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_has_words),
		cmocka_unit_test(a_normal_run_goes_through_its_states),
		cmocka_unit_test(other_words_change_nothing),
		cmocka_unit_test(a_free_agent_waits_for_a_manifest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
