/* SPDX-License-Identifier: Apache-2.0 */
/* Who gives way, beside a model that looks at everybody. */
#include "common/rpc/places.h"
#include "tests/unit.h"

#include <string.h>

enum { ADDRESSES = 7, PLACES = 60, STEPS = 20000 };

static struct places_key key_of(unsigned address)
{
	struct places_key key = { { '4', 127, 0, 0, (uint8_t)address } };

	return key;
}

static void enter(struct places *p, struct place *at, unsigned address, unsigned class)
{
	const struct places_key key = key_of(address);
	struct err e;

	assert_ok(places_enter(p, at, &key, class, &e), e);
}

static void the_oldest_of_one_address(void **state)
{
	struct places p = { 0 };
	struct place at[3] = { 0 };

	assert_null(places_victim(&p, 0));
	for (unsigned i = 0; i < 3; i++)
		enter(&p, &at[i], 1, 0);
	assert_ptr_equal(places_victim(&p, 0), &at[0]);
	places_leave(&p, &at[0]);
	places_leave(&p, &at[0]); /* not there: fine */
	assert_ptr_equal(places_victim(&p, 0), &at[1]);
	assert_int_equal(places_count(&p, 0), 2);
	places_leave(&p, &at[1]);
	places_leave(&p, &at[2]);
	assert_null(places_victim(&p, 0));
	places_done(&p);
}

static void the_address_with_most_before_the_oldest(void **state)
{
	struct places p = { 0 };
	struct place old = { 0 }, many[5] = { 0 };

	enter(&p, &old, 1, 0);
	assert_ptr_equal(places_victim(&p, 0), &old);
	for (unsigned i = 0; i < 5; i++)
		enter(&p, &many[i], 2, 0);
	/* Down to one each; then the oldest of all. */
	for (unsigned i = 0; i < 4; i++) {
		assert_ptr_equal(places_victim(&p, 0), &many[i]);
		places_leave(&p, &many[i]);
	}
	assert_ptr_equal(places_victim(&p, 0), &old);
	places_leave(&p, &old);
	assert_ptr_equal(places_victim(&p, 0), &many[4]);
	places_leave(&p, &many[4]);
	places_done(&p);
}

static void classes_are_apart(void **state)
{
	struct places p = { 0 };
	struct place a[3] = { 0 }, b = { 0 };

	for (unsigned i = 0; i < 3; i++)
		enter(&p, &a[i], 1, 0);
	enter(&p, &b, 2, 1);
	assert_ptr_equal(places_victim(&p, 0), &a[0]);
	assert_ptr_equal(places_victim(&p, 1), &b);
	assert_null(places_victim(&p, 2));
	/* The youngest of the class that it comes to. */
	places_move(&p, &a[0], 1);
	assert_ptr_equal(places_victim(&p, 0), &a[1]);
	assert_ptr_equal(places_victim(&p, 1), &b);
	places_move(&p, &a[1], 1);
	assert_ptr_equal(places_victim(&p, 1), &a[0]);
	assert_int_equal(places_count(&p, 0), 1);
	assert_int_equal(places_count(&p, 1), 3);
	for (unsigned i = 0; i < 3; i++)
		places_leave(&p, &a[i]);
	places_leave(&p, &b);
	places_done(&p);
}

/* ---- the model ---- */

struct model {
	struct place at;
	bool is_in;
	unsigned address, class;
	uint64_t number;
};

static unsigned count_of(const struct model *all, unsigned address, unsigned class)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PLACES; i++)
		count += all[i].is_in && all[i].address == address && all[i].class == class;
	return count;
}

static const struct model *model_victim(const struct model *all, unsigned class)
{
	const struct model *found = NULL;
	unsigned most = 0;

	for (unsigned i = 0; i < PLACES; i++) {
		const struct model *m = &all[i];
		unsigned count =
			m->is_in && m->class == class ? count_of(all, m->address, class) : 0;

		if (count > most || (count && count == most && m->number < found->number)) {
			found = m;
			most = count;
		}
	}
	return found;
}

static unsigned next_random(uint32_t *seed, unsigned below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

static void whatever_happens_it_is_as_the_model_says(void **state)
{
	static struct model all[PLACES];
	struct places p = { 0 };
	uint32_t seed = 1;
	uint64_t number = 0;

	for (unsigned step = 0; step < STEPS; step++) {
		struct model *m = &all[next_random(&seed, PLACES)];
		unsigned class = next_random(&seed, PLACES_CLASSES);

		if (!m->is_in) {
			m->address = next_random(&seed, ADDRESSES);
			enter(&p, &m->at, m->address, class);
			m->is_in = true;
		} else if (next_random(&seed, 2)) {
			places_move(&p, &m->at, class);
		} else {
			places_leave(&p, &m->at);
			m->is_in = false;
		}
		m->class = class;
		m->number = ++number;
		for (unsigned i = 0; i < PLACES_CLASSES; i++) {
			const struct model *v = model_victim(all, i);

			assert_ptr_equal(places_victim(&p, i), v ? &v->at : NULL);
		}
	}
	for (unsigned i = 0; i < PLACES; i++)
		places_leave(&p, &all[i].at);
	places_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_of_one_address),
		cmocka_unit_test(the_address_with_most_before_the_oldest),
		cmocka_unit_test(classes_are_apart),
		cmocka_unit_test(whatever_happens_it_is_as_the_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
