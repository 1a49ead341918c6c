/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails once while bundles are made and unpacked: nothing half-done is left. */
#include "tests/unit/common/bundle/bundle_world.h"
#include "tests/unit/nomem/nomem.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void fill(struct bundle_world *w)
{
	assert_int_equal(mkdirat(w->in_fd, "d", 0700), 0);
	assert_int_equal(mkdirat(w->in_fd, "d/e", 0700), 0);
	bundle_world_put(w->in_fd, "a", "first");
	bundle_world_put(w->in_fd, "d/b", "second");
	bundle_world_put(w->in_fd, "d/e/c", "third");
}

static int make(void *data, struct err *e)
{
	const struct bundle_world *w = data;
	uint8_t digest[BUNDLE_DIGEST_LEN];
	uint64_t size;

	return bundle_make(w->in_fd, -1, NULL, &size, digest, e);
}

static int extract(void *data, struct err *e)
{
	const struct bundle_limits limits = { .entries = 10 };
	const struct bundle_world *w = data;
	int failed = bundle_extract(w->zip, w->out_fd, &limits, e);

	nomem_pause();
	if (!failed) {
		bundle_world_holds(w->out_fd, "a", "first");
		bundle_world_holds(w->out_fd, "d/b", "second");
		bundle_world_holds(w->out_fd, "d/e/c", "third");
		assert_int_equal(unlinkat(w->out_fd, "a", 0), 0);
		assert_int_equal(unlinkat(w->out_fd, "d/b", 0), 0);
		assert_int_equal(unlinkat(w->out_fd, "d/e/c", 0), 0);
		assert_int_equal(unlinkat(w->out_fd, "d/e", AT_REMOVEDIR), 0);
		assert_int_equal(unlinkat(w->out_fd, "d", AT_REMOVEDIR), 0);
	}
	bundle_world_is_empty(w);
	nomem_go_on();
	return failed;
}

static void a_bundle_is_made_or_refused(void **state)
{
	fill(*state);
	nomem_each("made", make, *state, 1);
}

static void a_bundle_is_unpacked_whole_or_not_at_all(void **state)
{
	fill(*state);
	bundle_world_pack(*state);
	nomem_each("unpacked", extract, *state, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUNDLE_WORLD_ROW(a_bundle_is_made_or_refused),
		BUNDLE_WORLD_ROW(a_bundle_is_unpacked_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
