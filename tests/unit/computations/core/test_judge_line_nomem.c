/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails once while a place is taken, and while a manifest's keys are judged. */
#include "computations/core/judge_line.h"
#include "computations/core/judged_keys.h"
#include "tests/unit.h"
#include "tests/unit/nomem/nomem.h"

#include <string.h>

/* An Ed25519 SPKI: RFC 8410's prefix and a key that OpenSSL takes. */
#define KEY  "\"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\""
#define HASH "\"0101010101010101010101010101010101010101010101010101010101010101\""

static const char text[] = "{\"id\":\"c-1\",\"datasets\":[{\"hash\":" HASH ",\"user_key\":" KEY
			   "}],\"algorithm\":{\"hash\":" HASH ",\"user_key\":" KEY "}}";

static int judge(void *data, struct err *e)
{
	struct judged_keys keys = { NULL, 0 };
	int more;

	while ((more = judged_keys_step(&keys, data, e)) > 0)
		continue;
	judged_keys_done(&keys);
	return more;
}

static void a_manifest_is_judged_or_not(void **state)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	struct err e;

	assert_ok(manifest_from_json(text, strlen(text), &m, &e), e);
	nomem_each("judged keys", judge, m, 1);
}

struct place {
	struct judge_place *place;
	struct err why;
	int steps, done;
};

static bool step(void *data)
{
	return --((struct place *)data)->steps > 0;
}

static void done(void *data, const struct err *e)
{
	struct place *p = data;

	p->done++;
	p->why.code = ERR_OK;
	if (e)
		p->why = *e;
	judge_line_leave(p->place);
}

/* Whoever got a place is told its end, once. */
static int take_turns(void *data, struct err *e)
{
	uv_loop_t *loop = data;
	struct place p = { .steps = 3 };
	const struct judge_job job = { .step = step, .done = done, .data = &p, .bytes = 1 };
	struct judge_line *line = NULL;
	int failed;

	if (judge_line_new(loop, &line, e) < 0)
		return err_code(e);
	failed = judge_line_add(line, &job, &p.place, e);
	if (!failed) {
		uv_run(loop, UV_RUN_DEFAULT);
		assert_int_equal(p.done, 1);
		*e = p.why;
		failed = p.why.code == ERR_OK ? 0 : err_code(e);
	} else {
		assert_int_equal(p.done, 0);
	}
	judge_line_free(line);
	return failed;
}

static void a_place_is_taken_or_not(void **state)
{
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	nomem_each("line", take_turns, &loop, 1);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manifest_is_judged_or_not),
		cmocka_unit_test(a_place_is_taken_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
