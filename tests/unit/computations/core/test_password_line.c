/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords that wait to be computed: one at a time, few of one address. */
#include "computations/core/password_line.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

struct room {
	uv_loop_t loop;
	struct password_line *line;
	struct err e;
	unsigned done, matched;
	struct password made;
};

static int enter(void **state)
{
	struct room *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_ok(password_line_new(&f->loop, &f->line, &f->e), f->e);
	*state = f;
	return 0;
}

static int leave(void **state)
{
	struct room *f = *state;

	uv_run(&f->loop, UV_RUN_DEFAULT);
	password_line_free(f->line);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

static void on_done(void *data, const struct password_job *job, const struct err *e)
{
	struct room *f = data;

	assert_null(e);
	f->done++;
	f->matched += job->matches;
	f->made = job->password;
}

static int add(struct room *f, uint8_t from, const char *text, bool is_new)
{
	struct password_job job = { .source = { { from } },
				    .text = strdup(text),
				    .is_new = is_new,
				    .password = f->made,
				    .done = on_done,
				    .data = f };

	if (!is_new && !job.password.memory)
		job.password = (struct password){ .memory = 8, .passes = 1 };
	return password_line_add(f->line, &job, &f->e);
}

static void what_is_made_matches(void **state)
{
	struct room *f = *state;

	assert_ok(add(f, 1, "lamp river copper", true), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->made.memory, PASSWORD_MEMORY_KIB);
	assert_ok(add(f, 1, "lamp river copper", false), f->e);
	assert_ok(add(f, 1, "lamp river coppeR", false), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->done, 3);
	assert_int_equal(f->matched, 1);
}

static void few_of_one_address_wait(void **state)
{
	struct room *f = *state;

	for (int i = 0; i < PASSWORD_LINE_PER_SOURCE; i++)
		assert_ok(add(f, 1, "x", false), f->e);
	assert_refused(add(f, 1, "x", false), f->e, ERR_EXHAUSTED, "from your address");
	assert_ok(add(f, 2, "x", false), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->done, PASSWORD_LINE_PER_SOURCE + 1);
	assert_ok(add(f, 1, "x", false), f->e);
}

static void the_line_has_an_end(void **state)
{
	struct room *f = *state;

	for (int i = 0; i < PASSWORD_LINE_MAX; i++)
		assert_ok(add(f, (uint8_t)(1 + i / PASSWORD_LINE_PER_SOURCE), "x", false), f->e);
	assert_refused(add(f, 200, "x", false), f->e, ERR_EXHAUSTED, "others who sign in");
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->done, PASSWORD_LINE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_made_matches, enter, leave),
		cmocka_unit_test_setup_teardown(few_of_one_address_wait, enter, leave),
		cmocka_unit_test_setup_teardown(the_line_has_an_end, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
