/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on files fails once while a bundle of wheels is unpacked and held against its lock. */
#include "agent/container/place.h"
#include "agent/python/requirement_bundle.h"
#include "tests/unit/agent/python/wheel_kit.h"
#include "tests/unit/nofile/nofile.h"

/* What libzip says. */
static const char *const also[] = { "Can't open file", "Read error", NULL };

struct given {
	const struct wheel_kit *kit;
	char folder[96];
};

/* What is refused is taken away whole, by whoever called. */
static int attempt(void *data, struct err *e)
{
	const struct given *g = data;
	struct err ignored;

	nofile_pause();
	CLEANUP(close) int out = open(g->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(out >= 0);
	nofile_go_on();
	struct requirement_wheels wheels = { .count = 0 };
	int failed =
		requirement_bundle_open(g->kit->zip, out, &wheel_kit_env.target, NULL, &wheels, e);
	requirement_wheels_done(&wheels);
	nofile_pause();
	if (failed)
		assert_ok(place_empty(out, &ignored), ignored);
	nofile_go_on();
	return failed;
}

static void no_bundle_is_blamed_and_none_passes_unread(void **state)
{
	struct given g = { .kit = *state };

	snprintf(g.folder, sizeof(g.folder), "%s/unpacked", g.kit->top);
	wheel_kit_bundle(*state, "x.py", NULL);
	nofile_each(&(struct nofile){ .name = "opened",
				      .attempt = attempt,
				      .data = &g,
				      .folder = g.folder,
				      .also = also });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WHEEL_KIT_ROW(no_bundle_is_blamed_and_none_passes_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
