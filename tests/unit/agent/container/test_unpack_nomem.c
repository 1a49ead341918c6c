/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails once while an image is unpacked. */
#include "agent/container/place.h"
#include "tests/unit/agent/container/kit.h"
#include "tests/unit/nomem/nomem.h"

enum { MOST = 1 << 20 };

struct given {
	const struct kit_world *world;
	int archive;
};

static int attempt(void *data, struct err *e)
{
	const struct given *g = data;
	CLEANUP_WRITER struct writer run = writer_up_to(CONTAINER_RUN_MAX);
	int failed = unpack(g->archive, "amd64", g->world->root, MOST, &run, e);
	struct container_run read;
	struct err ignored;

	nomem_pause();
	if (!failed) {
		assert_ok(container_run_read(run.bytes, run.len, &read, &ignored), ignored);
		assert_int_equal(faccessat(g->world->root, "usr/lib/b", R_OK, 0), 0);
		assert_int_equal(faccessat(g->world->root, "usr/lib/a", F_OK, 0), -1);
	}
	assert_ok(place_empty(g->world->root, &ignored), ignored);
	nomem_go_on();
	return failed;
}

static void an_image_is_unpacked_whole_or_refused(void **state)
{
	CLEANUP_WRITER struct writer archive = writer_up_to(KIT_MAX);
	struct given g = { .world = *state };

	kit_docker(&archive,
		   &(struct kit_image){
			   .run = "{\"Entrypoint\":[\"/bin/run\"],\"Env\":[\"A=b\"]}",
			   .layers = { (const struct kit_entry[]){
					       { .name = "bin/run", .text = "x" },
					       { .name = "lib", .link = "usr/lib", .type = '2' },
					       { .name = "usr/lib/a", .text = "a" },
					       { 0 } },
				       (const struct kit_entry[]){ { .name = "lib/b", .text = "b" },
								   { .name = "lib/.wh.a" },
								   { 0 } } } });
	g.archive = kit_memory(archive.bytes, archive.len);
	nomem_each("unpacked", attempt, &g, 1);
	close(g.archive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_image_is_unpacked_whole_or_refused, kit_enter,
						kit_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
