/* SPDX-License-Identifier: Apache-2.0 */
/* How often each of many may come, in a table that is smaller than they are. */
#include "common/crypto/keyed_rate.h"
#include "tests/unit.h"

#include <stdlib.h>

enum { EVERY = 100, BURST = 3, SETS = 16, WAYS = 4, PLACES = SETS * WAYS };

static const struct keyed_rate_form own = { .each = { EVERY, BURST }, .sets = SETS, .ways = WAYS };
static const struct keyed_rate_form inherited = {
	.each = { EVERY, BURST }, .sets = SETS, .ways = WAYS, .inherits = true
};

static struct keyed_rate *enter(const struct keyed_rate_form *form)
{
	struct keyed_rate *rate = NULL;
	struct err e;

	assert_ok(keyed_rate_new(form, &rate, &e), e);
	return rate;
}

static int64_t asked(struct keyed_rate *rate, unsigned who, int64_t now)
{
	int64_t wait = -1;
	struct err e;

	assert_ok(keyed_rate_wait(rate, &who, sizeof(who), now, &wait, &e), e);
	return wait;
}

static int64_t take(struct keyed_rate *rate, unsigned who, int64_t now)
{
	int64_t first = asked(rate, who, now), wait = -1;
	struct err e;

	assert_ok(keyed_rate_take(rate, &who, sizeof(who), now, &wait, &e), e);
	assert_int_equal(wait, first); /* asking says the same, and counts nothing */
	return wait;
}

/* How many are taken at that moment, of `most`. */
static unsigned taken(struct keyed_rate *rate, unsigned who, int64_t now, unsigned most)
{
	unsigned count = 0;

	while (count < most && !take(rate, who, now))
		count++;
	return count;
}

static void some_at_once_and_then_one_by_one(void **state)
{
	const struct keyed_rate_form *const forms[] = { &own, &inherited };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct keyed_rate *rate = enter(forms[i]);

		assert_int_equal(taken(rate, 1, 1000, BURST - 1), BURST - 1);
		assert_int_equal(taken(rate, 1, 1000, 2), 1);
		assert_int_equal(take(rate, 1, 1000), EVERY);
		assert_int_equal(take(rate, 1, 1000 + EVERY - 1), 1);
		assert_int_equal(taken(rate, 1, 1000 + EVERY, 2), 1);
		assert_int_equal(taken(rate, 2, 1000 + EVERY, 100), BURST);
		/* What was not used is not kept. */
		assert_int_equal(taken(rate, 1, 1000 + 100 * EVERY, 100), BURST);
		keyed_rate_free(rate);
	}
	keyed_rate_free(NULL);
}

static void all_together_have_theirs(void **state)
{
	const struct keyed_rate_form form = {
		.each = { EVERY, BURST }, .all = { 5, 6 }, .sets = SETS, .ways = WAYS
	};
	struct keyed_rate *rate = enter(&form);

	for (unsigned who = 1; who <= 6; who++)
		assert_int_equal(take(rate, who, 1000), 0);
	assert_int_equal(take(rate, 7, 1000), 5);
	/* Who was refused has lost nothing of his own. */
	for (int64_t now = 1005; now <= 1015; now += 5)
		assert_int_equal(take(rate, 7, now), 0);
	/* Nor have all, by who has used up his own. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(take(rate, 7, 1016), 1005 + EVERY - 1016);
	assert_int_equal(take(rate, 8, 1019), 1);
	assert_int_equal(taken(rate, 8, 1020, 100), 1);
	keyed_rate_free(rate);
}

static void who_began_well_has_his_back(void **state)
{
	struct keyed_rate *rate = enter(&own);
	const unsigned who = 1, other = 2;
	struct err e;

	assert_int_equal(taken(rate, who, 1000, 100), BURST);
	assert_ok(keyed_rate_give_back(rate, &who, sizeof(who), &e), e);
	assert_int_equal(taken(rate, who, 1000, 100), 1);
	assert_ok(keyed_rate_forget(rate, &other, sizeof(other), &e), e);
	assert_ok(keyed_rate_give_back(rate, &other, sizeof(other), &e), e);
	assert_int_equal(taken(rate, who, 1000, 100), 0);
	assert_int_equal(taken(rate, other, 1000, 100), BURST);
	assert_ok(keyed_rate_forget(rate, &who, sizeof(who), &e), e);
	assert_int_equal(taken(rate, who, 1000, 100), BURST);
	/* More is not to be had so. */
	for (int i = 0; i < 2 * BURST; i++)
		assert_ok(keyed_rate_give_back(rate, &who, sizeof(who), &e), e);
	assert_int_equal(taken(rate, who, 1000, 100), BURST);
	keyed_rate_free(rate);
}

/* Who asks, is given back, or is refused for all, takes no way. Else who has used up his own were forgotten: there is one way here. */
static void only_what_is_counted_takes_a_way(void **state)
{
	const struct keyed_rate_form form = {
		.each = { EVERY, BURST }, .all = { 10, BURST }, .sets = 1, .ways = 1
	};
	struct keyed_rate *rate = enter(&form);
	struct err e;

	assert_int_equal(taken(rate, 1, 1000, 100), BURST);
	for (unsigned who = 2; who < 100; who++) {
		assert_int_equal(take(rate, who, 1000), 10);
		assert_ok(keyed_rate_give_back(rate, &who, sizeof(who), &e), e);
		assert_ok(keyed_rate_forget(rate, &who, sizeof(who), &e), e);
	}
	/* What all have is there again, and none of his. */
	assert_int_equal(asked(rate, 2, 1050), 0);
	assert_int_equal(take(rate, 1, 1050), EVERY - 50);
	keyed_rate_free(rate);
}

/* Those who come once do not make one forgotten who has used up his own. */
static void a_crowd_makes_nobody_forgotten_who_did_more(void **state)
{
	struct keyed_rate *rate = enter(&own);

	assert_int_equal(taken(rate, 1, 1000, 100), BURST);
	for (unsigned who = 2; who < 100 * PLACES; who++)
		assert_int_equal(take(rate, who, 1000), 0);
	assert_int_equal(taken(rate, 1, 1000, 100), 0);
	keyed_rate_free(rate);
}

static void strangers_never_wait_for_others(void **state)
{
	struct keyed_rate *rate = enter(&own);

	for (unsigned who = 1; who < 100 * PLACES; who++)
		assert_int_equal(taken(rate, who, 1000, 100), BURST);
	keyed_rate_free(rate);
}

/* Nor is any way left out: all that is taken is what so many have. */
static void nobody_known_is_freed_by_others(void **state)
{
	struct keyed_rate *rate = enter(&inherited);
	unsigned sum = 0;

	for (int round = 0; round < 2; round++)
		for (unsigned who = 1; who < 20 * PLACES; who++)
			sum += taken(rate, who, 1000, 100);
	assert_int_equal(sum, PLACES * BURST);
	keyed_rate_free(rate);
}

/* Whichever way the clock goes, nobody waits longer than for one. */
static void a_clock_that_goes_back_makes_nobody_wait(void **state)
{
	const struct keyed_rate_form form = {
		.each = { EVERY, BURST }, .all = { EVERY, 2 * BURST }, .sets = SETS, .ways = WAYS
	};
	const int64_t now = 1000000;
	struct keyed_rate *rate = enter(&form);

	assert_int_equal(rate_wait(&form.each, 0, now), EVERY);
	assert_int_equal(taken(rate, 1, now, 100), BURST);
	assert_int_equal(taken(rate, 2, now, 100), BURST);
	for (int64_t back = 1; back < now; back *= 10) {
		assert_int_equal(take(rate, 1, now - back), EVERY);
		assert_int_equal(take(rate, 3, now - back), EVERY);
	}
	/* Nor is anything given away by that. */
	assert_int_equal(take(rate, 1, now - 100000 + EVERY - 1), 1);
	assert_int_equal(taken(rate, 1, now - 100000 + EVERY, 100), 1);
	keyed_rate_free(rate);
}

/* ---- against a model, that has a place for each ---- */

enum { PEOPLE = 40, STEPS = 20000 };

struct model {
	int64_t ahead[PEOPLE]; /* of what each has to wait off */
	int64_t now;
};

static void go_on(struct model *m)
{
	int64_t ms = rand() % 64 ? rand() % 4 : rand() % (4 * EVERY);

	m->now += ms;
	for (unsigned i = 0; i < PEOPLE; i++)
		m->ahead[i] = m->ahead[i] > ms ? m->ahead[i] - ms : 0;
}

static bool may(const struct model *m, unsigned who)
{
	return m->ahead[who] <= (int64_t)(BURST - 1) * EVERY;
}

/* With a place for each they are the same; with fewer, who begins anew never waits where he would not have to, and who inherits is
 * never let in where he should wait. */
static void model(const struct keyed_rate_form *form, unsigned people)
{
	struct keyed_rate *rate = enter(form);
	const bool is_exact = people <= form->ways;
	struct model m = { .now = 1000 };
	struct err e;

	for (int i = 0; i < STEPS; i++) {
		unsigned who = (unsigned)rand() % (rand() % 2 ? WAYS : people);
		bool is_in;

		go_on(&m);
		if (is_exact && rand() % 16 == 0) {
			assert_ok(keyed_rate_forget(rate, &who, sizeof(who), &e), e);
			m.ahead[who] = 0;
		}
		is_in = !take(rate, who, m.now);
		if (is_exact || (!form->inherits && !is_in) || (form->inherits && is_in))
			assert_int_equal(is_in, may(&m, who));
		if (is_in)
			m.ahead[who] += EVERY;
	}
	keyed_rate_free(rate);
}

static void it_does_as_a_model_does(void **state)
{
	const struct keyed_rate_form few = { .each = own.each, .sets = 2, .ways = WAYS }, heirs = {
		.each = own.each, .sets = 2, .ways = WAYS, .inherits = true
	};
	const unsigned seed = 20;

	srand(seed);
	model(&few, WAYS);
	model(&heirs, WAYS);
	model(&few, PEOPLE);
	model(&heirs, PEOPLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_at_once_and_then_one_by_one),
		cmocka_unit_test(all_together_have_theirs),
		cmocka_unit_test(who_began_well_has_his_back),
		cmocka_unit_test(only_what_is_counted_takes_a_way),
		cmocka_unit_test(a_crowd_makes_nobody_forgotten_who_did_more),
		cmocka_unit_test(strangers_never_wait_for_others),
		cmocka_unit_test(nobody_known_is_freed_by_others),
		cmocka_unit_test(a_clock_that_goes_back_makes_nobody_wait),
		cmocka_unit_test(it_does_as_a_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
