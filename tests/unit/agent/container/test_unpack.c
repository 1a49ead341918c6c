/* SPDX-License-Identifier: Apache-2.0 */
/* Whole images: layers on each other, and what is refused in them. */
#include "agent/container/layer.h"
#include "agent/container/place.h"
#include "agent/jail/runner_prepare.h"
#include "common/base/file.h"
#include "tests/unit/agent/container/kit.h"

enum { MOST = 8 << 20 };

static int run_unpack(struct kit_world *w, const struct kit_image *image, uint64_t most,
		      struct err *e)
{
	CLEANUP_WRITER struct writer archive = writer_up_to(KIT_MAX), run = writer_up_to(KIT_MAX);

	kit_docker(&archive, image);
	CLEANUP(close) int fd = kit_memory(archive.bytes, archive.len);
	return unpack(fd, "amd64", w->root, most, &run, e);
}

/* One layer with these entries, and a file after them. */
#define LAYER(...)                 \
	(const struct kit_entry[]) \
	{                          \
		__VA_ARGS__, { 0 } \
	}

static bool is_there(const struct kit_world *w, const char *path)
{
	return faccessat(w->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_text(const struct kit_world *w, const char *path, const char *text)
{
	CLEANUP(close) int fd = openat(w->root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char found[64] = "";

	assert_true(fd >= 0 && read(fd, found, sizeof(found) - 1) >= 0);
	assert_string_equal(found, text);
}

static void layers_lie_on_each_other(void **state)
{
	struct kit_world *w = *state;
	struct stat st;
	struct err e;
	const struct kit_image image = {
		.layers = { LAYER({ .name = "./", .type = '5' }, { .name = "bin/", .type = '5' },
				  { .name = "bin/run", .text = "one", .mode = 04755 },
				  { .name = "lib", .link = "usr/lib", .type = '2' },
				  { .name = "usr/lib/a", .text = "a" },
				  { .name = "etc/gone", .text = "x" },
				  { .name = "opt/x/y", .text = "y" },
				  { .name = "was-file", .text = "f" },
				  { .name = "was-dir/in", .text = "i" }),
			    LAYER({ .name = "bin/run", .text = "two", .mode = 02755 },
				  { .name = "lib/b", .text = "b" }, { .name = "etc/.wh.gone" },
				  { .name = "opt/z", .text = "z" }, { .name = "opt/.wh..wh..opq" },
				  { .name = "was-file/now", .text = "n", .type = '0' },
				  { .name = "hard", .link = "bin/run", .type = '1' }) },
	};
	const struct kit_image fixed = {
		.layers = { image.layers[0],
			    LAYER({ .name = "bin/run", .text = "two", .mode = 02755 },
				  { .name = "lib/b", .text = "b" }, { .name = "etc/.wh.gone" },
				  { .name = "opt/z", .text = "z" }, { .name = "opt/.wh..wh..opq" },
				  { .name = "was-file/", .type = '5' },
				  { .name = "was-file/now", .text = "n" },
				  { .name = "was-dir", .text = "d" },
				  { .name = "hard", .link = "bin/run", .type = '1' }) },
	};

	assert_refused(run_unpack(w, &image, MOST, &e), e, ERR_INVALID, "no folder");
	assert_ok(place_empty(w->root, &e), e);
	assert_ok(run_unpack(w, &fixed, MOST, &e), e);
	assert_text(w, "bin/run", "two");
	assert_text(w, "hard", "two");
	assert_text(w, "usr/lib/b", "b"); /* through the link below */
	assert_text(w, "was-file/now", "n");
	assert_text(w, "was-dir", "d");
	assert_text(w, "opt/z", "z"); /* an opaque mark means what is below, wherever it stands */
	assert_false(is_there(w, "opt/x"));
	assert_false(is_there(w, "etc/gone"));
	assert_false(is_there(w, "etc/.wh.gone"));
	assert_true(is_there(w, "cocos/datasets") && is_there(w, "cocos/results"));
	assert_int_equal(fstatat(w->root, "bin/run", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755); /* no set-user-ID */
	assert_int_equal(st.st_mtime, 1);
}

static void what_leads_outside_is_refused(void **state)
{
	struct kit_world *w = *state;
	static const struct {
		struct kit_entry entry;
		const char *words;
	} rows[] = {
		{ { .name = "../out", .text = "x" }, "'..'" },
		{ { .name = "a/../../out", .text = "x" }, "'..'" },
		{ { .name = "/out", .text = "x" }, "absolute" },
		{ { .name = "a", .link = "../out", .type = '1' }, "'..'" },
		{ { .name = "a", .link = "/etc/passwd", .type = '1' }, "absolute" },
		{ { .name = "a", .link = "nothing", .type = '1' }, "nothing" },
		{ { .name = "a", .type = '3' }, "device" },
		{ { .name = "a", .type = '4' }, "device" },
		{ { .name = "a", .type = '6' }, "device" },
		{ { .name = "a", .type = 'S' }, "unknown type" },
		{ { .name = ".", .text = "x" }, "root" },
		{ { .name = ".wh.", .text = "" }, "names nothing" },
		{ { .name = ".wh...", .text = "" }, "names nothing" },
		{ { .name = ".wh..wh.plnk", .text = "" }, "names nothing" },
		{ { .name = ".wh.x", .text = "x" }, "no empty file" },
		{ { .name = ".wh.x/y", .text = "x" }, "in a whiteout" },
		{ { .name = "a/.wh.x/y", .text = "x" }, "in a whiteout" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct kit_image image = { .layers = { LAYER(rows[i].entry) } };

		assert_int_not_equal(run_unpack(w, &image, MOST, &e), 0);
		if (!strstr(e.text, rows[i].words))
			fail_msg("%s: '%s' does not speak of '%s'", rows[i].entry.name, e.text,
				 rows[i].words);
		assert_true(strstr(e.text, "layer 1"));
	}
}

/* Symbolic links mean inside what they say, from a root that is the container's. */
static void a_link_stays_inside(void **state)
{
	struct kit_world *w = *state;
	char path[144], outside[128];
	struct err e;

	snprintf(outside, sizeof(outside), "%s/outside", w->top);
	assert_int_equal(mkdir(outside, 0755), 0);
	const struct kit_image image = {
		.layers = { LAYER({ .name = "up", .link = "../../../..", .type = '2' },
				  { .name = "abs", .link = "/etc", .type = '2' },
				  { .name = "etc/", .type = '5' }),
			    LAYER({ .name = "up/outside/evil", .text = "x" },
				  { .name = "abs/hosts", .text = "h" }) },
	};
	assert_ok(run_unpack(w, &image, MOST, &e), e);
	assert_text(w, "outside/evil", "x");
	assert_text(w, "etc/hosts", "h");
	snprintf(path, sizeof(path), "%s/evil", outside);
	assert_int_equal(access(path, F_OK), -1);
}

static void chains_of_links_end(void **state)
{
	struct kit_world *w = *state;
	struct kit_entry entries[64] = { 0 };
	char names[64][8], links[64][8];
	struct err e;

	for (int i = 0; i < 60; i++) {
		snprintf(names[i], sizeof(names[i]), "l%d", i);
		snprintf(links[i], sizeof(links[i]), "l%d", i + 1);
		entries[i] = (struct kit_entry){ .name = names[i], .link = links[i], .type = '2' };
	}
	entries[60] = (struct kit_entry){ .name = "l60/", .type = '5' };
	entries[61] = (struct kit_entry){ .name = "l30/in", .text = "x" };
	const struct kit_image honest = { .layers = { entries } };
	assert_ok(run_unpack(w, &honest, MOST, &e), e);
	assert_text(w, "l60/in", "x");
	assert_ok(place_empty(w->root, &e), e);
	entries[61].name = "l0/in";
	assert_refused(run_unpack(w, &honest, MOST, &e), e, ERR_INVALID, "too many links");
	assert_ok(place_empty(w->root, &e), e);
	entries[60] = (struct kit_entry){ .name = "l60", .link = "l0", .type = '2' };
	assert_refused(run_unpack(w, &honest, MOST, &e), e, ERR_INVALID, "too many links");
	entries[60] = (struct kit_entry){ .name = "away", .link = "none/none", .type = '2' };
	entries[61].name = "away/in";
	assert_ok(place_empty(w->root, &e), e);
	assert_refused(run_unpack(w, &honest, MOST, &e), e, ERR_INVALID, "link to nothing");
}

static void folders_are_so_deep_and_no_deeper(void **state)
{
	struct kit_world *w = *state;
	struct err e;

	const struct kit_image image = {
		.layers = { LAYER(
			{ .name = "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/"
				  "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d",
			  .type = '5' },
			{ .name = "t",
			  .link = "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/"
				  "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d",
			  .type = '2' },
			{ .name = "t/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/in", .text = "x" },
			{ .name = "t/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/f/in", .text = "x" }) },
	};
	/* 45 names behind the link, and 19 or 20 */
	assert_refused(run_unpack(w, &image, MOST, &e), e, ERR_INVALID, "too deep");
	assert_text(w, "t/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/in", "x");
}

static void nothing_is_there_twice(void **state)
{
	struct kit_world *w = *state;
	struct err e;
	const struct kit_image twice = { .layers = { LAYER({ .name = "a", .text = "1" },
							   { .name = "./a", .text = "2" }) } };
	const struct kit_image both = { .layers = { LAYER({ .name = "a", .text = "1" },
							  { .name = "a/", .type = '5' }) } };
	const struct kit_image folders = { .layers = { LAYER({ .name = "a/", .type = '5' },
							     { .name = "./a", .type = '5' }) } };

	assert_refused(run_unpack(w, &twice, MOST, &e), e, ERR_INVALID, "'a' is there twice");
	assert_refused(run_unpack(w, &both, MOST, &e), e, ERR_INVALID, "'a' is there twice");
	assert_ok(run_unpack(w, &folders, MOST, &e), e);
}

/* Two names that have the same hash of a kind without a key (FNV-1a of 64 bits): anybody can look for such. */
static void names_that_were_chosen_to_meet_are_two(void **state)
{
	struct kit_world *w = *state;
	struct err e;
	const struct kit_image image = {
		.layers = { LAYER({ .name = "8yn0iYCKYHlIj4-BwPqk", .text = "1" },
				  { .name = "GReLUrM4wMqfg9yzV3KQ", .text = "2" }) }
	};

	assert_ok(run_unpack(w, &image, MOST, &e), e);
	assert_text(w, "8yn0iYCKYHlIj4-BwPqk", "1");
	assert_text(w, "GReLUrM4wMqfg9yzV3KQ", "2");
}

/* The run's own places have names that an image may have, too. */
static void an_image_may_have_a_folder_of_layers(void **state)
{
	struct kit_world *w = *state;
	struct err e;
	const struct kit_image image = { .layers = { LAYER({ .name = "layers/", .type = '5' },
							   { .name = "layers/a", .text = "1" }),
						     LAYER({ .name = "layers/b", .text = "2" },
							   { .name = "layers/.wh.a" }) } };

	assert_ok(run_unpack(w, &image, MOST, &e), e);
	assert_text(w, "layers/b", "2");
	assert_false(is_there(w, "layers/a"));
}

static void digests_are_held_against_the_layers(void **state)
{
	struct kit_world *w = *state;
	struct err e;
	const struct kit_image image = { .layers = { LAYER({ .name = "a", .text = "1" }) },
					 .wrong_diff_id = true };
	const struct kit_image other = { .layers = { LAYER({ .name = "a", .text = "1" }) },
					 .machine = "s390x" };

	assert_refused(run_unpack(w, &image, MOST, &e), e, ERR_INVALID, "layer 1: its diff_id");
	assert_false(is_there(w, "a")); /* nothing is written before it is known to be right */
	assert_refused(run_unpack(w, &other, MOST, &e), e, ERR_INVALID, "'s390x'");
}

static void a_bomb_is_stopped_at_its_limit(void **state)
{
	struct kit_world *w = *state;
	struct err e;
	const struct kit_image image = { .layers = { LAYER({ .name = "a", .size = 1 << 20 }) } };
	const uint64_t whole = (1 << 20) + 512 + 1024, folders = 3 * PLACE_COST;

	assert_ok(run_unpack(w, &image, whole + PLACE_COST + folders, &e), e);
	assert_ok(place_empty(w->root, &e), e);
	assert_refused(run_unpack(w, &image, whole + PLACE_COST + folders - 1, &e), e,
		       ERR_EXHAUSTED, "each takes 4096 bytes");
	assert_ok(place_empty(w->root, &e), e);
	assert_refused(run_unpack(w, &image, whole + PLACE_COST - 1, &e), e, ERR_EXHAUSTED,
		       "4096 for each entry");
	assert_refused(run_unpack(w, &image, whole - 1, &e), e, ERR_EXHAUSTED, "larger than");
	assert_false(is_there(w, "a"));
	/* the sum over the layers counts */
	const struct kit_image two = { .layers = { image.layers[0], image.layers[0] } };
	assert_ok(run_unpack(w, &two, 2 * (whole + PLACE_COST) + folders, &e), e);
	assert_ok(place_empty(w->root, &e), e);
	assert_refused(run_unpack(w, &two, 2 * (whole + PLACE_COST) - 1, &e), e, ERR_EXHAUSTED,
		       "layer 2");
}

static int apply_within(struct kit_world *w, const struct kit_image *image, struct place_room *room,
			struct err *e)
{
	CLEANUP_WRITER struct writer archive = writer_up_to(KIT_MAX);
	CLEANUP_CONTAINER struct container container = { 0 };

	assert_ok(place_empty(w->root, e), *e);
	kit_docker(&archive, image);
	CLEANUP(close) int fd = kit_memory(archive.bytes, archive.len);
	assert_ok(container_open(fd, "amd64", NULL, &container, e), *e);
	return layer_apply(&container, 0, w->root, room, e);
}

/* What stands only in paths costs as much as what has an entry. */
static void folders_of_paths_are_counted(void **state)
{
	struct kit_world *w = *state;
	struct err e;
	const struct kit_image image = { .layers = { LAYER({ .name = "a/b/c/d/e", .text = "x" },
							   { .name = "a/b/f", .text = "y" },
							   { .name = "a/g/.wh.h" }) } };
	/* three entries, four folders; five blocks with content or headers, two at the end */
	const struct place_room exact = { .entries = 7, .bytes = 7 * 512 + 7 * PLACE_COST };
	struct place_room room = exact;

	assert_ok(apply_within(w, &image, &room, &e), e);
	assert_int_equal(room.entries, 0);
	assert_int_equal(room.bytes, 0);
	room = exact;
	room.entries--;
	assert_refused(apply_within(w, &image, &room, &e), e, ERR_EXHAUSTED, "entries and folders");
	room = exact;
	room.bytes--;
	assert_refused(apply_within(w, &image, &room, &e), e, ERR_EXHAUSTED,
		       "each takes 4096 bytes");
	assert_false(is_there(w, "a/b/c/d"));
	room = exact;
	room.entries = 2; /* of the entries themselves: before anything is written */
	assert_refused(apply_within(w, &image, &room, &e), e, ERR_EXHAUSTED, "entries and folders");
	assert_false(is_there(w, "a"));
}

static void places_for_data_are_no_links(void **state)
{
	struct kit_world *w = *state;
	static const struct kit_entry bad[] = {
		{ .name = "cocos/datasets", .link = "/etc", .type = '2' },
		{ .name = "cocos/results", .text = "x" },
		{ .name = "cocos", .link = "etc", .type = '2' },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct kit_image image = {
			.layers = { LAYER({ .name = "etc/datasets/", .type = '5' }, bad[i]) }
		};

		assert_ok(place_empty(w->root, &e), e);
		assert_refused(run_unpack(w, &image, MOST, &e), e, ERR_INVALID, "no folder");
	}
}

static void what_it_runs_is_told(void **state)
{
	struct kit_world *w = *state;
	CLEANUP_WRITER struct writer archive = writer_up_to(KIT_MAX), bytes = writer_up_to(KIT_MAX);
	struct container_run run;
	struct err e;
	const struct kit_image image = {
		.layers = { LAYER({ .name = "a", .text = "1" }) },
		.run = "{\"Entrypoint\":[\"/a\",\"-x\"],\"Cmd\":[\"y\"],\"Env\":[\"A=b=c\",\"B=\"],"
		       "\"User\":\"1000\",\"WorkingDir\":\"/srv/here\",\"ExposedPorts\":{\"80/tcp\":{}}}",
	};

	kit_docker(&archive, &image);
	CLEANUP(close) int fd = kit_memory(archive.bytes, archive.len);
	assert_ok(unpack(fd, "amd64", w->root, MOST, &bytes, &e), e);
	assert_true(is_there(w, "srv/here"));
	assert_ok(container_run_read(bytes.bytes, bytes.len, &run, &e), e);
	assert_int_equal(run.entrypoint.count, 2);
	assert_string_equal(run.entrypoint.items[1], "-x");
	assert_string_equal(run.command.items[0], "y");
	assert_string_equal(run.env.items[0], "A=b=c");
	assert_string_equal(run.folder, "/srv/here");
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(container_run_read(bytes.bytes, len, &run, &e), -ERR_INVALID);
}

/* Cut anywhere it is refused, and never read past its end. */
static void every_truncation_is_refused(void **state)
{
	struct kit_world *w = *state;
	CLEANUP_WRITER struct writer archive = writer_up_to(KIT_MAX);
	const struct kit_image image = { .layers = { LAYER({ .name = "a", .text = "1" }) } };
	struct err e;

	kit_docker(&archive, &image);
	size_t end = archive.len - 1024 + 512; /* one block of zeros is an end */
	for (size_t len = 0; len < archive.len; len++) {
		CLEANUP_WRITER struct writer run = writer_up_to(KIT_MAX);
		CLEANUP(close) int fd = kit_memory(archive.bytes, len);
		int failed = unpack(fd, "amd64", w->root, MOST, &run, &e);

		assert_int_equal(failed == 0, len >= end);
		assert_ok(place_empty(w->root, &e), e);
	}
}

/* A stop that comes while an archive is judged ends that, before its next entry. */
static void judging_it_stops_when_it_is_told(void **state)
{
	struct kit_world *w = *state;
	CLEANUP_WRITER struct writer archive = writer_up_to(KIT_MAX);
	CLEANUP_CONTAINER struct container container = { 0 };
	const struct kit_image image = { .layers = { LAYER({ .name = "a", .text = "1" }) } };
	atomic_bool cancel = true;
	char path[96];
	struct err e;

	kit_docker(&archive, &image);
	snprintf(path, sizeof(path), "%s/archive", w->top);
	assert_ok(file_write(path, archive.bytes, archive.len, 0600, &e), e);
	const struct runner_spec spec = { .kind = RUNNER_DOCKER, .algorithm = path };
	assert_refused(runner_prepare_try(&spec, &cancel, &e), e, ERR_CANCELLED, "image: stopped");
	CLEANUP(close) int fd = kit_memory(archive.bytes, archive.len);
	atomic_store(&cancel, false);
	assert_ok(container_open(fd, "amd64", &cancel, &container, &e), e);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, kit_enter, kit_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(layers_lie_on_each_other),
		ROW(what_leads_outside_is_refused),
		ROW(a_link_stays_inside),
		ROW(chains_of_links_end),
		ROW(folders_are_so_deep_and_no_deeper),
		ROW(nothing_is_there_twice),
		ROW(names_that_were_chosen_to_meet_are_two),
		ROW(an_image_may_have_a_folder_of_layers),
		ROW(digests_are_held_against_the_layers),
		ROW(a_bomb_is_stopped_at_its_limit),
		ROW(folders_of_paths_are_counted),
		ROW(places_for_data_are_no_links),
		ROW(what_it_runs_is_told),
		ROW(every_truncation_is_refused),
		ROW(judging_it_stops_when_it_is_told),
	};

	umask(077); /* the jail's may be so: nothing may depend on it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
