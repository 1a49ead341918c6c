/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_billing.c — accounts that pay for workspaces: the corpus of fuzz_billing_calls. */
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_billing.h"

#include <stdio.h>

static void order(struct writer *w, unsigned fails, enum billing_order what, enum billing_name name,
		  enum billing_name word, uint8_t operand)
{
	writer_u8(w, (uint8_t)(what | fails << BILLING_FAILS_SHIFT));
	writer_u8(w, (uint8_t)name);
	writer_u8(w, (uint8_t)word);
	writer_u8(w, operand);
}

static struct writer begin(void)
{
	struct writer w = writer_up_to(CALLS_INPUT_MAX);

	order(&w, 0, BILLING_WORKSPACE, BILLING_ACME, BILLING_LAB, 0);
	order(&w, 0, BILLING_CREATE, BILLING_ACME, BILLING_SMALL, 0);
	order(&w, 0, BILLING_CREATE, BILLING_ZETA, BILLING_LARGE, 0);
	order(&w, 0, BILLING_GIVE, BILLING_ACME, BILLING_LAB, 0);
	order(&w, 0, BILLING_METER, BILLING_ACME, BILLING_LAB, 9);
	return w;
}

static void save_life(void)
{
	struct writer w = begin();

	for (unsigned name = 0; name < BILLING_NAMES; name++) {
		order(&w, 0, BILLING_CREATE, name, BILLING_SMALL, 0);
		order(&w, 0, BILLING_CREATE, BILLING_ZETA, name, 0);
		order(&w, 0, BILLING_SHOW, name, BILLING_SMALL, 0);
		order(&w, 0, BILLING_SET_PLAN, BILLING_ACME, name, 0);
		order(&w, 0, BILLING_GIVE, BILLING_ZETA, name, 0);
	}
	order(&w, 0, BILLING_GIVE, BILLING_ACME, BILLING_DEFAULT, 0);
	order(&w, 0, BILLING_GIVE, BILLING_ACME, BILLING_DEFAULT, 0);
	order(&w, 0, BILLING_TAKE, BILLING_ACME, BILLING_DEFAULT, 0);
	order(&w, 0, BILLING_TAKE, BILLING_ACME, BILLING_DEFAULT, 0);
	for (uint8_t limit = 0; limit < 3; limit++)
		order(&w, 0, BILLING_LIST, BILLING_EMPTY, BILLING_LAB, limit);
	order(&w, 0, BILLING_LIST, BILLING_ACME, BILLING_LAB, 1);
	order(&w, 0, BILLING_PLANS, BILLING_ACME, BILLING_LAB, 0);
	order(&w, 0, BILLING_USAGE, BILLING_ACME, BILLING_LAB, 0);
	order(&w, 0, BILLING_USAGE, BILLING_ACME, BILLING_LAB, 1);
	order(&w, 0, BILLING_USAGE, BILLING_ACME, BILLING_LAB, BILLING_GONE);
	order(&w, 0, BILLING_USAGE, BILLING_BAD, BILLING_LAB, 0);
	calls_save("billing_calls/life", &w);

	/* What is removed, and stays on statements. */
	w = begin();
	order(&w, 0, BILLING_WORKSPACE, BILLING_ACME, BILLING_LAB, BILLING_GONE);
	order(&w, 0, BILLING_SHOW, BILLING_ACME, BILLING_LAB, 0);
	order(&w, 0, BILLING_REMOVE, BILLING_ACME, BILLING_LAB, 0);
	order(&w, 0, BILLING_REMOVE, BILLING_ZETA, BILLING_LAB, 0);
	order(&w, 0, BILLING_REMOVE, BILLING_ZETA, BILLING_LAB, 0);
	for (uint8_t months = 0; months < 4; months++)
		for (uint8_t back = 0; back < 4; back++)
			order(&w, 0, BILLING_STATEMENTS, BILLING_ACME, BILLING_LAB,
			      (uint8_t)(back << 4 | months));
	for (int twice = 0; twice < 2; twice++) {
		order(&w, 0, BILLING_LIMIT, BILLING_ACME, BILLING_LAB, 0);
		order(&w, 0, BILLING_LIMIT, BILLING_ACME, BILLING_LAB, BILLING_GONE);
	}
	calls_save("billing_calls/gone", &w);

	w = begin();
	for (unsigned what = 0; what <= BILLING_USAGE; what++)
		order(&w, 0, what, BILLING_ACME, BILLING_LAB, BILLING_WRONG_TOKEN);
	calls_save("billing_calls/nobody", &w);
}

/* Each with the database failing at each of its statements. */
static void save_failing(void)
{
	for (unsigned what = 0; what < BILLING_STRANGE; what++) {
		struct writer w = begin();
		char path[64];

		if (what == BILLING_WORKSPACE || what == BILLING_METER)
			continue;
		for (unsigned fails = 1; fails < 16; fails++)
			order(&w, fails, what,
			      what == BILLING_CREATE ? BILLING_LARGE : BILLING_ACME,
			      what == BILLING_CREATE || what == BILLING_SET_PLAN ? BILLING_SMALL
			      : what == BILLING_GIVE                             ? BILLING_DEFAULT
										 : BILLING_LAB,
			      what == BILLING_STATEMENTS ? 0x11 : 0);
		/* One that pays for nothing, too. */
		for (unsigned fails = 1; fails < 16; fails++)
			order(&w, fails, what, BILLING_ZETA, BILLING_LAB, BILLING_GONE);
		snprintf(path, sizeof(path), "billing_calls/failing-%u", what);
		calls_save(path, &w);
	}
}

/* As somebody else wrote it. */
static void save_strange(void)
{
	for (uint8_t how = 0; how < 8; how++) {
		struct writer w = begin();
		char path[64];

		order(&w, 0, BILLING_STRANGE, BILLING_ACME, BILLING_LAB, how);
		for (unsigned what = BILLING_LIST; what < BILLING_STRANGE; what++)
			order(&w, 0, what, BILLING_ACME, BILLING_DEFAULT,
			      what == BILLING_STATEMENTS ? 0x11 : 2);
		snprintf(path, sizeof(path), "billing_calls/strange-%u", how);
		calls_save(path, &w);
	}
}

void calls_billing_calls(void)
{
	save_life();
	save_failing();
	save_strange();
}
