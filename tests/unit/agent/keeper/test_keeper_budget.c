/* SPDX-License-Identifier: Apache-2.0 */
/* How often the keeper lets its devices be asked, by a clock of the test's own. */
#include "agent/keeper/keeper_state.h"
#include "tests/unit.h"

#define CHANNELS_NAME   "evidence for channels and runs"
#define QUESTIONS_NAME  "questions to the devices"
#define SIGNATURES_NAME "signatures"

static const struct use {
	enum keeper_use use;
	const char *name;
	uint64_t at_once, per_second, in_all;
} uses[] = {
	{ KEEPER_USE_CHANNELS, CHANNELS_NAME, 1024, 64, UINT64_C(1) << 31 },
	{ KEEPER_USE_QUESTIONS, QUESTIONS_NAME, 256, 16, UINT64_C(1) << 29 },
	{ KEEPER_USE_SIGNATURES, SIGNATURES_NAME, 1024, 256, UINT64_C(1) << 33 },
};

static void take(struct keeper_budget *budget, const struct use *use, uint64_t count, int64_t now)
{
	struct err e;

	for (uint64_t i = 0; i < count; i++)
		assert_ok(keeper_budget_take(budget, use->use, now, &e), e);
}

static void refuse(struct keeper_budget *budget, const struct use *use, int64_t now,
		   const char *words)
{
	struct err e;

	assert_refused(keeper_budget_take(budget, use->use, now, &e), e, ERR_EXHAUSTED, use->name);
	assert_non_null(strstr(e.text, words));
}

static void so_many_at_once_and_not_one_more(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
		struct keeper_budget budget = { 0 };

		take(&budget, &uses[i], uses[i].at_once, 5);
		refuse(&budget, &uses[i], 5, "at once");
		/* what was refused has cost nothing */
		assert_int_equal(budget.shares[uses[i].use].used, uses[i].at_once);
	}
}

static void then_so_many_a_second(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
		const struct use *use = &uses[i];
		int64_t first = (1000 + (int64_t)use->per_second - 1) / (int64_t)use->per_second;
		struct keeper_budget budget = { 0 };

		take(&budget, use, use->at_once, 7);
		refuse(&budget, use, 7 + first - 1, "a second");
		take(&budget, use, 1, 7 + first);
		refuse(&budget, use, 7 + first, "a second");
		/* a second later it is a second's worth, and however long nobody asks, never more than
		 * at once */
		take(&budget, use, use->per_second, 7 + first + 1000);
		refuse(&budget, use, 7 + first + 1000, "a second");
		for (int64_t pause = INT64_C(1) << 20; pause < INT64_C(1) << 42; pause <<= 8) {
			take(&budget, use, use->at_once, pause);
			refuse(&budget, use, pause, "at once");
		}
	}
}

static void so_many_in_all_and_not_one_more(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
		struct keeper_budget budget = { 0 };

		budget.shares[uses[i].use].used = uses[i].in_all - 1;
		take(&budget, &uses[i], 1, 9);
		refuse(&budget, &uses[i], 9, "restart");
		refuse(&budget, &uses[i], INT64_C(1) << 50, "restart");
	}
}

static void what_anybody_asks_takes_nothing_from_channels(void **state)
{
	struct keeper_budget budget = { 0 };

	take(&budget, &uses[1], uses[1].at_once, 1);
	refuse(&budget, &uses[1], 1, "at once");
	take(&budget, &uses[0], uses[0].at_once, 1);
}

static void a_clock_that_stands_gives_nothing_back(void **state)
{
	struct keeper_budget budget = { 0 };

	take(&budget, &uses[1], uses[1].at_once, 1000);
	refuse(&budget, &uses[1], 1000, "at once");
	refuse(&budget, &uses[1], 0, "at once");
}

/* Who asks only when it need not wait is never refused, even if each answer comes late. */
static void who_waits_as_told_is_never_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
		struct keeper_budget own = { 0 }, keepers = { 0 };
		const struct use *use = &uses[i];
		uint64_t waited = 0;
		int64_t now = 0;

		for (uint64_t n = 0; n < 4 * use->at_once; n++) {
			int64_t wait = keeper_budget_wait(&own, use->use, now);

			waited += wait > 0;
			now += wait;
			assert_int_equal(keeper_budget_wait(&own, use->use, now), 0);
			take(&own, use, 1, now);
			/* by turns the keeper hears of it at once and two seconds late */
			take(&keepers, use, 1, now + (n / 64 % 2 ? 0 : 2000));
		}
		assert_true(waited > 3 * use->at_once);
	}
}

static int64_t standing(void)
{
	return 1;
}

/* The table itself: which requests are counted, and that a refusal changes nothing. */
static void the_keepers_table_counts_what_uses_devices(void **state)
{
	static const struct {
		uint8_t type; /* an enum keeper_request, as on the wire */
		enum keeper_use use;
	} rows[] = {
		{ KEEPER_CHECK, KEEPER_USE_QUESTIONS },
		{ KEEPER_LOG, KEEPER_USE_NONE },
		{ KEEPER_RUN, KEEPER_USE_CHANNELS },
		{ KEEPER_CHANNEL, KEEPER_USE_CHANNELS },
		{ KEEPER_NONCE, KEEPER_USE_QUESTIONS },
		{ KEEPER_IMA, KEEPER_USE_QUESTIONS },
		{ KEEPER_ENDORSEMENT, KEEPER_USE_QUESTIONS },
		{ KEEPER_ACTIVATE, KEEPER_USE_QUESTIONS },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) struct keeper_state *keeper = calloc(1, sizeof(*keeper));
		CLEANUP_WRITER struct writer out = writer_up_to(KEEPER_CONTENT_MAX);
		struct reader nothing = reader_over("", 0);
		struct keeper_share *share = &keeper->budget.shares[rows[i].use];
		struct err e;

		keeper_state_init(keeper);
		keeper->now_ms = standing;
		keeper->permitted = UINT32_MAX;
		keeper->development = true;
		(void)!keeper_dispatch(keeper, rows[i].type, &nothing, &out, &e);
		if (rows[i].use == KEEPER_USE_NONE) {
			for (size_t k = 0; k < ARRAY_LEN(keeper->budget.shares); k++)
				assert_int_equal(keeper->budget.shares[k].used, 0);
			continue;
		}
		/* malformed as it was, it is counted */
		assert_int_equal(share->used, 1);
		share->used = UINT64_MAX;
		uint32_t permitted = keeper->permitted;
		assert_refused(keeper_dispatch(keeper, rows[i].type, &nothing, &out, &e), e,
			       ERR_EXHAUSTED, "restart");
		assert_int_equal(keeper->permitted, permitted);
		/* out of order, it is not */
		share->used = 5;
		keeper->permitted = 0;
		assert_refused(keeper_dispatch(keeper, rows[i].type, &nothing, &out, &e), e,
			       ERR_PRECONDITION, "order");
		assert_int_equal(share->used, 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_at_once_and_not_one_more),
		cmocka_unit_test(then_so_many_a_second),
		cmocka_unit_test(so_many_in_all_and_not_one_more),
		cmocka_unit_test(what_anybody_asks_takes_nothing_from_channels),
		cmocka_unit_test(a_clock_that_stands_gives_nothing_back),
		cmocka_unit_test(who_waits_as_told_is_never_refused),
		cmocka_unit_test(the_keepers_table_counts_what_uses_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
