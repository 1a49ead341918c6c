/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on files fails once while bundles are made and unpacked: nothing half-done is left. */
#include "tests/unit/common/bundle/bundle_world.h"
#include "tests/unit/nofile/nofile.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What libzip says. */
static const char *const also[] = { "Can't open file", "Read error", NULL };

static void fill(struct bundle_world *w)
{
	assert_int_equal(mkdirat(w->in_fd, "d", 0700), 0);
	assert_int_equal(mkdirat(w->in_fd, "d/e", 0700), 0);
	bundle_world_put(w->in_fd, "a", "first");
	bundle_world_put(w->in_fd, "d/b", "second");
	bundle_world_put(w->in_fd, "d/e/c", "third");
}

static int open_out(const struct bundle_world *w)
{
	nofile_pause();
	int fd = open(w->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	nofile_go_on();
	assert_true(fd >= 0);
	return fd;
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
	CLEANUP(close) int out = open_out(w);

	return bundle_extract(w->zip, out, &limits, e);
}

static void is_whole(void *data)
{
	const struct bundle_world *w = data;
	CLEANUP(close) int out = open_out(w);

	bundle_world_holds(out, "a", "first");
	bundle_world_holds(out, "d/b", "second");
	bundle_world_holds(out, "d/e/c", "third");
}

static void a_bundle_is_made_or_refused(void **state)
{
	const struct bundle_world *w = *state;

	fill(*state);
	nofile_each(&(struct nofile){
		.name = "made", .attempt = make, .data = *state, .folder = w->out });
}

static void a_bundle_is_unpacked_whole_or_not_at_all(void **state)
{
	const struct bundle_world *w = *state;

	fill(*state);
	bundle_world_pack(*state);
	nofile_each(&(struct nofile){ .name = "unpacked",
				      .attempt = extract,
				      .done = is_whole,
				      .data = *state,
				      .folder = w->out,
				      .also = also });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUNDLE_WORLD_ROW(a_bundle_is_made_or_refused),
		BUNDLE_WORLD_ROW(a_bundle_is_unpacked_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
