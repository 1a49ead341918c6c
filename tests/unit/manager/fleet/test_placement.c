/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/fleet/placement.h"
#include "tests/unit.h"

#define GIB   ((uint64_t)1 << 30)
#define PLAIN { true, false, false }
#define SNP   { false, true, false }
#define TDX   { false, false, true }

#define HOST(...) ((struct placement_host){ .is_there = true, __VA_ARGS__ })
#define TEE(...)  .said = __VA_ARGS__, .tees = __VA_ARGS__

static void the_least_used_host_that_may_and_can_takes_it(void **state)
{
	const struct placement_wish plain = { .tees = PLAIN, .cpus = 2, .memory = GIB };
	const struct placement_wish snp = { .tees = SNP, .cpus = 2, .memory = GIB };
	const struct {
		struct placement_host hosts[3];
		const struct placement_wish *wish;
		size_t chosen;
		enum err_code code;
		const char *words;
	} rows[] = {
		{ { HOST(TEE(PLAIN)), HOST(TEE(PLAIN)), HOST(TEE(PLAIN)) }, &plain, 0, 0, NULL },
		{ { HOST(TEE(PLAIN), .used = { 2, GIB, 1 }), HOST(TEE(PLAIN)),
		    HOST(TEE(PLAIN), .used = { 2, GIB, 1 }) },
		  &plain,
		  1,
		  0,
		  NULL },
		/* The part that is used counts, not how much it is. */
		{ { HOST(TEE(PLAIN), .has = { 4, 0, 0 }, .used = { 1, GIB, 1 }),
		    HOST(TEE(PLAIN), .has = { 64, 0, 0 }, .used = { 20, GIB, 9 }),
		    HOST(TEE(PLAIN), .has = { 8, 0, 0 }, .used = { 4, GIB, 2 }) },
		  &plain,
		  1,
		  0,
		  NULL },
		/* And of what there is most used. */
		{ { HOST(TEE(PLAIN), .has = { 100, 10 * GIB, 0 }, .used = { 1, 8 * GIB, 1 }),
		    HOST(TEE(PLAIN), .has = { 100, 10 * GIB, 0 }, .used = { 70, GIB, 1 }),
		    HOST(TEE(PLAIN), .has = { 100, 10 * GIB, 100 }, .used = { 1, GIB, 95 }) },
		  &plain,
		  1,
		  0,
		  NULL },
		{ { HOST(TEE(PLAIN)), HOST(TEE(SNP)), HOST(TEE(TDX)) }, &snp, 1, 0, NULL },
		{ { HOST(TEE(PLAIN), .draining = true), HOST(TEE(PLAIN), .has = { 1, 0, 0 }),
		    HOST(TEE(PLAIN), .has = { 9, 0, 9 }, .used = { 7, 0, 8 }) },
		  &plain,
		  2,
		  0,
		  NULL },
		{ { HOST(TEE(PLAIN), .has = { 9, 0, 0 }, .used = { 8, 0, 0 }),
		    HOST(TEE(PLAIN), .has = { 0, 2 * GIB, 0 }, .used = { 0, GIB + 1, 0 }),
		    HOST(TEE(PLAIN), .has = { 0, 0, 3 }, .used = { 0, 0, 3 }) },
		  &plain,
		  0,
		  ERR_EXHAUSTED,
		  "1 with too few cpus left, 1 with too little memory left, 1 with as many" },
		/* One that has shrunk has nothing left. */
		{ { HOST(TEE(PLAIN), .has = { 4, 0, 0 }, .used = { 8, 0, 0 }),
		    HOST(TEE(SNP)),
		    { TEE(PLAIN) } },
		  &plain,
		  0,
		  ERR_EXHAUSTED,
		  "1 without the TEE, 1 not reachable now, 1 with too few cpus left" },
		{ { { TEE(PLAIN) }, HOST(TEE(PLAIN), .draining = true), HOST(TEE(SNP)) },
		  &plain,
		  0,
		  ERR_UNAVAILABLE,
		  "1 draining, 1 without the TEE, 1 not reachable" },
		/* What the table says and libvirt does not offer, and the other way round. */
		{ { HOST(.said = SNP, .tees = { false }), HOST(TEE(PLAIN)),
		    HOST(TEE(SNP), .draining = true) },
		  &snp,
		  0,
		  ERR_PRECONDITION,
		  "1 draining, 2 without the TEE" },
	};
	size_t chosen;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int failed = placement_choose(rows[i].hosts, 3, rows[i].wish, &chosen, &e);

		if (rows[i].code) {
			assert_refused(failed, e, rows[i].code, rows[i].words);
		} else {
			assert_ok(failed, e);
			assert_int_equal(chosen, rows[i].chosen);
		}
	}
}

static void nothing_protects_only_who_asks_for_that(void **state)
{
	const struct placement_host mixed[] = { HOST(TEE(PLAIN)), { TEE(SNP) } };
	const struct placement_host plain[] = { HOST(TEE(PLAIN)) };
	static const struct {
		enum config_tee wanted, wish;
		bool allow_plain, is_mixed;
		bool tees[HOST_TEES];
		const char *words;
	} rows[] = {
		{ CONFIG_TEE_NONE, CONFIG_TEE_AUTO, false, true, PLAIN, NULL },
		{ CONFIG_TEE_SNP, CONFIG_TEE_AUTO, true, true, SNP, NULL },
		{ CONFIG_TEE_TDX, CONFIG_TEE_AUTO, true, false, TDX, NULL },
		{ CONFIG_TEE_AUTO, CONFIG_TEE_NONE, true, true, PLAIN, NULL },
		{ CONFIG_TEE_AUTO, CONFIG_TEE_SNP, true, false, SNP, NULL },
		/* The one with the TEE is lost; the other one is not taken for it. */
		{ CONFIG_TEE_AUTO, CONFIG_TEE_AUTO, true, true, { false, true, true }, NULL },
		{ CONFIG_TEE_AUTO, CONFIG_TEE_AUTO, true, false, PLAIN, NULL },
		{ CONFIG_TEE_AUTO, CONFIG_TEE_AUTO, false, false, PLAIN, "MANAGER_ALLOW_PLAIN" },
		{ CONFIG_TEE_SIMULATED_SNP, CONFIG_TEE_SNP, false, false, PLAIN, NULL },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config config = { .wanted = rows[i].wanted,
					 .allow_plain = rows[i].allow_plain };
		bool tees[HOST_TEES];
		int failed = placement_tees(&config, rows[i].wish, rows[i].is_mixed ? mixed : plain,
					    rows[i].is_mixed ? 2 : 1, tees, &e);

		if (rows[i].words) {
			assert_refused(failed, e, ERR_PRECONDITION, rows[i].words);
		} else {
			assert_ok(failed, e);
			assert_memory_equal(tees, rows[i].tees, sizeof(tees));
		}
	}
}

static void a_cvm_gets_the_best_tee_that_it_may_have(void **state)
{
	const struct placement_host both = HOST(TEE({ true, true, true })), snp = HOST(TEE(SNP));
	const struct placement_wish any = { .tees = { false, true, true } },
				    plain = { .tees = PLAIN };

	assert_int_equal(placement_tee(&both, &any), DOMAIN_TDX);
	assert_int_equal(placement_tee(&snp, &any), DOMAIN_SNP);
	assert_int_equal(placement_tee(&both, &plain), DOMAIN_PLAIN);
}

static uint64_t seed = 20261122;

static uint64_t pick(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

static bool takes(const struct placement_host *h, const struct placement_wish *w)
{
	bool tee = false;

	for (size_t t = 0; t < HOST_TEES; t++)
		tee |= h->tees[t] && h->said[t] && w->tees[t];
	return h->is_there && !h->draining && tee &&
	       (!h->has.cpus || h->used.cpus + w->cpus <= h->has.cpus) &&
	       (!h->has.memory || h->used.memory + w->memory <= h->has.memory) &&
	       (!h->has.machines || h->used.machines < h->has.machines);
}

/* Against a model that knows no more than what each word means: whoever is chosen takes it, and somebody is chosen
 * if anybody does; and hosts that are alike are filled evenly. */
static void random_fleets_are_as_the_model_says(void **state)
{
	for (int round = 0; round < 20000; round++) {
		struct placement_host hosts[6];
		size_t count = 1 + pick(6), chosen = count;
		struct placement_wish wish = { .cpus = 1 + pick(4), .memory = (1 + pick(4)) * GIB };
		bool any = false;
		struct err e;

		for (size_t t = 0; t < HOST_TEES; t++)
			wish.tees[t] = pick(2);
		for (size_t i = 0; i < count; i++) {
			hosts[i] = (struct placement_host){
				.is_there = pick(4) > 0,
				.draining = pick(4) == 0,
				.has = { pick(9), pick(9) * GIB, pick(5) },
				.used = { pick(9), pick(9) * GIB, pick(5) },
			};
			for (size_t t = 0; t < HOST_TEES; t++) {
				hosts[i].said[t] = pick(2);
				hosts[i].tees[t] = hosts[i].said[t] && pick(4);
			}
			any |= takes(&hosts[i], &wish);
		}
		if (placement_choose(hosts, count, &wish, &chosen, &e) == 0)
			assert_true(takes(&hosts[chosen], &wish));
		else
			assert_true(!any && e.text[0]);
	}
	for (size_t count = 1; count <= 6; count++) {
		struct placement_host hosts[6] = { 0 };
		struct placement_wish wish = { .tees = PLAIN, .cpus = 1, .memory = GIB };
		size_t chosen;
		struct err e;

		for (size_t i = 0; i < count; i++)
			hosts[i] = HOST(TEE(PLAIN), .has = { 7, 9 * GIB, 8 });
		for (size_t n = 0; n < 7 * count; n++) {
			assert_ok(placement_choose(hosts, count, &wish, &chosen, &e), e);
			assert_int_equal(chosen, n % count);
			hosts[chosen].used.cpus++;
			hosts[chosen].used.memory += GIB;
			hosts[chosen].used.machines++;
		}
		assert_refused(placement_choose(hosts, count, &wish, &chosen, &e), e, ERR_EXHAUSTED,
			       "too few cpus");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_used_host_that_may_and_can_takes_it),
		cmocka_unit_test(nothing_protects_only_who_asks_for_that),
		cmocka_unit_test(a_cvm_gets_the_best_tee_that_it_may_have),
		cmocka_unit_test(random_fleets_are_as_the_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
