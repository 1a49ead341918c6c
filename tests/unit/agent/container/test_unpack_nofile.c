/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on files fails once while an image is unpacked: never is the image blamed. */
#include "agent/container/place.h"
#include "tests/unit/agent/container/kit.h"
#include "tests/unit/nofile/nofile.h"

enum { MOST = 1 << 20 };

struct given {
	char root[96];
	struct writer archive;
};

/* What began is taken away whole, by whoever called. */
static int attempt(void *data, struct err *e)
{
	const struct given *g = data;
	CLEANUP_WRITER struct writer run = writer_up_to(CONTAINER_RUN_MAX);
	struct container_run read;
	struct err ignored;

	nofile_pause();
	CLEANUP(close) int archive = kit_memory(g->archive.bytes, g->archive.len);
	CLEANUP(close) int root = open(g->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	nofile_go_on();
	int failed = unpack(archive, "amd64", root, MOST, &run, e);
	nofile_pause();
	if (failed)
		assert_ok(place_empty(root, &ignored), ignored);
	else
		assert_ok(container_run_read(run.bytes, run.len, &read, &ignored), ignored);
	nofile_go_on();
	return failed;
}

static void an_image_is_unpacked_whole_or_refused(void **state)
{
	const struct kit_world *world = *state;
	struct given g = { .archive = writer_up_to(KIT_MAX) };

	snprintf(g.root, sizeof(g.root), "%s/root", world->top);
	kit_docker(
		&g.archive,
		&(struct kit_image){
			.run = "{\"Entrypoint\":[\"/bin/run\"],\"WorkingDir\":\"/srv/here\"}",
			.layers = {
				(const struct kit_entry[]){
					{ .name = "bin/run", .text = "x" },
					{ .name = "lib", .link = "usr/lib", .type = '2' },
					{ .name = "usr/lib/a", .text = "a" },
					{ .name = "usr/lib/c", .link = "usr/lib/a", .type = '1' },
					{ .name = "gone/a", .text = "a" },
					{ .name = "hidden/a", .text = "a" },
					{ 0 } },
				(const struct kit_entry[]){ { .name = "lib/b", .text = "b" },
							    { .name = "lib/.wh.a" },
							    { .name = ".wh.gone" },
							    { .name = "hidden/.wh..wh..opq" },
							    { .name = "bin/run", .text = "y" },
							    { 0 } } } });
	nofile_each(&(struct nofile){
		.name = "unpacked", .attempt = attempt, .data = &g, .folder = g.root });
	writer_done(&g.archive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_image_is_unpacked_whole_or_refused, kit_enter,
						kit_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
