/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/state.h"
#include "tests/unit.h"

static void a_normal_run_goes_through_all_states(void **state)
{
	static const struct {
		enum state_event event;
		const char *next;
	} run[] = {
		{ EVENT_BOOTED, "ReceivingManifest" }, { EVENT_MANIFEST, "ReceivingAlgorithm" },
		{ EVENT_ALGORITHM, "ReceivingData" },  { EVENT_DATASET, "ReceivingData" },
		{ EVENT_LAST_DATASET, "Running" },     { EVENT_RAN, "ConsumingResults" },
		{ EVENT_RESULT, "ConsumingResults" },  { EVENT_LAST_RESULT, "Complete" },
		{ EVENT_STOP, "ReceivingManifest" },   { EVENT_MANIFEST, "ReceivingAlgorithm" },
		{ EVENT_ALGORITHM_ONLY, "Running" },   { EVENT_FAILURE, "Failed" },
		{ EVENT_STOP, "ReceivingManifest" },
	};
	enum state s = STATE_IDLE;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(run); i++) {
		assert_ok(state_step(&s, run[i].event, &e), e);
		assert_string_equal(state_name(s), run[i].next);
	}
}

static void what_is_not_in_the_table_changes_nothing(void **state)
{
	size_t taken = 0;
	struct err e;

	for (enum state from = STATE_IDLE; from <= STATE_FAILED; from++) {
		for (enum state_event event = 0; event < EVENT_COUNT; event++) {
			enum state s = from;
			int failed = state_step(&s, event, &e);

			assert_int_equal(failed == 0, state_takes(from, event));
			if (failed) {
				assert_int_equal(failed, -ERR_PRECONDITION);
				assert_int_equal(s, from);
				assert_non_null(strstr(e.text, state_name(from)));
			} else {
				taken++;
			}
		}
	}
	assert_int_equal(taken, 20);
}

static void nothing_leads_out_of_running_but_its_end(void **state)
{
	for (enum state_event event = 0; event < EVENT_COUNT; event++)
		assert_int_equal(state_takes(STATE_RUNNING, event),
				 event == EVENT_RAN || event == EVENT_FAILURE ||
					 event == EVENT_STOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_normal_run_goes_through_all_states),
		cmocka_unit_test(what_is_not_in_the_table_changes_nothing),
		cmocka_unit_test(nothing_leads_out_of_running_but_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
