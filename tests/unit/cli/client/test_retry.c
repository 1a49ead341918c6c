/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer is tried again only where its connection had worked, and not for ever. */
#include "cli/client/retry.h"
#include "tests/unit.h"

/* What each attempt comes to; the last row is repeated. */
struct attempt {
	enum err_code code;
	uint64_t moved;
	bool hints; /* at what to do */
};

struct transfer {
	struct cli *cli;
	const struct attempt *attempts;
	size_t count, done;
	uint64_t moved;
};

static unsigned slept;

/* Linked in place of the system's. */
unsigned __wrap_sleep(unsigned seconds);
unsigned __wrap_sleep(unsigned seconds)
{
	slept += seconds;
	return 0;
}

static int attempt(void *data, struct err *e)
{
	struct transfer *t = data;
	const struct attempt *a = &t->attempts[t->done < t->count ? t->done : t->count - 1];

	t->done++;
	t->moved = a->moved;
	if (a->hints)
		cli_hint(t->cli, "of an attempt");
	return a->code ? err_set(e, a->code, "broken") : 0;
}

/* How many attempts were made; `*code` is what came of them, `*hinted` whether the user gets a hint. */
static size_t run(const struct attempt *attempts, size_t count, enum err_code *code, bool *hinted)
{
	struct cli cli = { .hint = "" };
	struct client client = { .cli = &cli, .peer = CLIENT_AGENT };
	struct transfer t = { .cli = &cli, .attempts = attempts, .count = count };
	const struct retry retry = { attempt, &t, &t.moved, "trying again" };
	struct err e = { .code = ERR_OK };

	slept = 0;
	*code = retry_run(&client, &retry, &e) < 0 ? e.code : ERR_OK;
	*hinted = cli.hint[0] != 0;
	return t.done;
}

static void what_succeeds_is_not_repeated(void **state)
{
	enum err_code code;
	bool hinted;

	assert_int_equal(run((struct attempt[]){ { ERR_OK, 5, false } }, 1, &code, &hinted), 1);
	assert_int_equal(code, ERR_OK);
	assert_int_equal(slept, 0);
}

static void a_connection_that_worked_is_worth_another_one(void **state)
{
	const struct attempt attempts[] = { { ERR_UNAVAILABLE, 1, true },
					    { ERR_UNAVAILABLE, 0, true },
					    { ERR_OK, 9, false } };
	enum err_code code;
	bool hinted;

	assert_int_equal(run(attempts, 3, &code, &hinted), 3);
	assert_int_equal(code, ERR_OK);
	assert_int_equal(slept, 1 + 2);
	/* The hint of an attempt that was repeated says nothing any more. */
	assert_false(hinted);
}

static void one_that_moved_nothing_is_not(void **state)
{
	enum err_code code;
	bool hinted;

	assert_int_equal(
		run((struct attempt[]){ { ERR_UNAVAILABLE, 0, false } }, 1, &code, &hinted), 1);
	assert_int_equal(code, ERR_UNAVAILABLE);
	assert_true(hinted);
}

static void a_refusal_is_final(void **state)
{
	const enum err_code codes[] = { ERR_DENIED, ERR_DATA_LOSS, ERR_DEADLINE, ERR_ABORTED,
					ERR_INTERNAL };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		enum err_code code;
		bool hinted;

		assert_int_equal(run(&(struct attempt){ codes[i], 7, false }, 1, &code, &hinted),
				 1);
		assert_int_equal(code, codes[i]);
	}
}

static void it_gives_up_after_so_many_connections(void **state)
{
	enum err_code code;
	bool hinted;

	assert_int_equal(
		run((struct attempt[]){ { ERR_UNAVAILABLE, 7, false } }, 1, &code, &hinted),
		RETRY_MAX);
	assert_int_equal(code, ERR_UNAVAILABLE);
	assert_true(hinted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_succeeds_is_not_repeated),
		cmocka_unit_test(a_connection_that_worked_is_worth_another_one),
		cmocka_unit_test(one_that_moved_nothing_is_not),
		cmocka_unit_test(a_refusal_is_final),
		cmocka_unit_test(it_gives_up_after_so_many_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
