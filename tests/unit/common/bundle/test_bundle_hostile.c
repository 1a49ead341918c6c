/* SPDX-License-Identifier: Apache-2.0 */
/* Archives that are not trusted. */
#include "common/base/file.h"
#include "common/base/writer.h"
#include "tests/unit/common/bundle/bundle_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

/* Hand-made archives: what a hostile author would write. */
struct craft {
	const char *name, *content;
	uint32_t mode; /* Unix mode in the external attributes */
	uint16_t flags, method;
	uint32_t size; /* declared; 0 means the true one */
};

static void craft_header(struct writer *w, const struct craft *c, uint32_t size)
{
	uint32_t true_size = (uint32_t)strlen(c->content);

	writer_le16(w, 20);
	writer_le16(w, c->flags);
	writer_le16(w, c->method);
	writer_le32(w, 0x00210000);
	writer_le32(w, (uint32_t)crc32(0, (const Bytef *)c->content, true_size));
	writer_le32(w, true_size);
	writer_le32(w, size ? size : true_size);
	writer_le16(w, (uint16_t)strlen(c->name));
	writer_le16(w, 0);
}

static void craft_zip(const struct bundle_world *world, const struct craft *crafts, size_t count)
{
	CLEANUP_WRITER struct writer w = writer_up_to(64 << 20), cd = writer_up_to(64 << 20);
	struct err e;

	for (size_t i = 0; i < count; i++) {
		const struct craft *c = &crafts[i];
		uint32_t offset = (uint32_t)w.len;

		writer_le32(&w, 0x04034b50);
		craft_header(&w, c, c->size);
		writer_text(&w, c->name);
		writer_text(&w, c->content);
		writer_le32(&cd, 0x02014b50);
		writer_le16(&cd, 0x0314);
		craft_header(&cd, c, c->size);
		writer_zeros(&cd, 6);
		writer_le32(&cd, c->mode << 16);
		writer_le32(&cd, offset);
		writer_text(&cd, c->name);
	}
	uint32_t start = (uint32_t)w.len;
	writer_bytes(&w, cd.bytes, cd.len);
	writer_le32(&w, 0x06054b50);
	writer_le32(&w, 0);
	writer_le16(&w, (uint16_t)count);
	writer_le16(&w, (uint16_t)count);
	writer_le32(&w, (uint32_t)cd.len);
	writer_le32(&w, start);
	writer_le16(&w, 0);
	assert_ok(writer_check(&w, "zip", &e), e);
	assert_ok(file_write(world->zip, w.bytes, w.len, 0600, &e), e);
}

static void refuses(const struct bundle_world *w, const struct craft *crafts, size_t count,
		    enum err_code code, const char *words)
{
	struct err e;

	craft_zip(w, crafts, count);
	assert_refused(bundle_extract(w->zip, w->out_fd, NULL, &e), e, code, words);
	bundle_world_is_empty(w);
}

static void paths_that_lead_elsewhere_are_refused(void **state)
{
	static const struct {
		const char *name, *words;
	} bad[] = {
		{ "/etc/x", "absolute" },
		{ "../x", ".." },
		{ "a/../../x", ".." },
		{ "a/..", ".." },
		{ ".", "." },
		{ "./a", "." },
		{ "a//b", "empty name" },
		{ "a\\b", "backslash" },
		{ "a\nb", "control" },
		{ "a\xC2\x9B", "control" },
		{ "a\u202Ebat.sh", "control" },
		{ "\x80", "UTF-8" },
		{ "/", "absolute" },
		{ "a//", "empty name" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct craft crafts[] = { { .name = "fine", .content = "x" },
						{ .name = bad[i].name, .content = "" } };

		refuses(*state, crafts, 2, ERR_INVALID, bad[i].words);
	}
	const struct craft nameless = { .name = "", .content = "x" };
	refuses(*state, &nameless, 1, ERR_INVALID, "empty");
}

static void long_names_at_their_limit(void **state)
{
	struct bundle_world *w = *state;
	char name[BUNDLE_PATH_MAX + 2];
	struct craft c = { .name = name, .content = "x" };
	struct err e;

	memset(name, 'n', sizeof(name));
	name[BUNDLE_NAME_MAX + 1] = '\0';
	refuses(w, &c, 1, ERR_INVALID, "255");
	name[BUNDLE_NAME_MAX] = '\0';
	craft_zip(w, &c, 1);
	assert_ok(bundle_extract(w->zip, w->out_fd, NULL, &e), e);
	unlinkat(w->out_fd, name, 0);

	memset(name, 'n', sizeof(name));
	for (size_t i = 128; i < sizeof(name); i += 128)
		name[i] = '/';
	name[BUNDLE_PATH_MAX] = 'n';
	name[BUNDLE_PATH_MAX + 1] = '\0';
	refuses(w, &c, 1, ERR_INVALID, "1024");
	name[BUNDLE_PATH_MAX] = '\0';
	craft_zip(w, &c, 1);
	assert_ok(bundle_extract(w->zip, w->out_fd, NULL, &e), e);
}

static void links_and_devices_are_refused(void **state)
{
	static const uint32_t kinds[] = { S_IFLNK | 0777, S_IFCHR | 0666,  S_IFBLK | 0666,
					  S_IFIFO | 0666, S_IFSOCK | 0666, S_IFDIR | 0755 };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct craft c = { .name = "l", .content = "/etc", .mode = kinds[i] };

		refuses(*state, &c, 1, ERR_INVALID, "'l' is a link");
	}
	const struct craft not_a_dir = { .name = "d/", .content = "", .mode = S_IFREG | 0644 };
	refuses(*state, &not_a_dir, 1, ERR_INVALID, "another kind");
	const struct craft full = { .name = "d/", .content = "x" };
	refuses(*state, &full, 1, ERR_INVALID, "has content");
}

static void a_path_twice_is_refused(void **state)
{
	const struct craft same[] = { { .name = "a", .content = "1" },
				      { .name = "b", .content = "2" },
				      { .name = "a", .content = "3" } };
	const struct craft both[] = { { .name = "a", .content = "1" },
				      { .name = "a/", .content = "" } };
	const struct craft below[] = { { .name = "a/b/c", .content = "1" },
				       { .name = "a.x", .content = "1" },
				       { .name = "a", .content = "2" } };

	refuses(*state, same, 3, ERR_INVALID, ""); /* libzip sees it first */
	refuses(*state, both, 2, ERR_INVALID, "'a' is there twice");
	refuses(*state, below, 3, ERR_INVALID, "'a' is both a file and a directory");
}

static void encrypted_and_exotic_entries_are_refused(void **state)
{
	const struct craft secret = {
		.name = "a", .content = "123456789012x", .size = 1, .flags = 1
	};
	/* the cipher's header takes twelve bytes */
	const struct craft bzip = { .name = "a", .content = "x", .method = 12 };

	refuses(*state, &secret, 1, ERR_INVALID, "encrypted");
	refuses(*state, &bzip, 1, ERR_INVALID, "method 12");
}

static void a_lie_about_the_size_is_refused(void **state)
{
	const struct craft longer[] = { { .name = "fine", .content = "x" },
					{ .name = "a", .content = "12345", .size = 6 } };
	const struct craft shorter[] = { { .name = "d/fine", .content = "x" },
					 { .name = "e", .content = "12345", .size = 4 } };

	refuses(*state, longer, 2, ERR_INVALID, "");
	refuses(*state, shorter, 2, ERR_INVALID, "");
}

/* The folder that holds everything, and no other, is left out. */
static void a_folder_around_all_is_stripped(void **state)
{
	struct bundle_world *w = *state;
	const struct bundle_limits limits = { .strip = "h1" };
	const struct craft within[] = { { .name = "h1/", .content = "" },
					{ .name = "h1/x", .content = "x" },
					{ .name = "h1/h1/y", .content = "y" } };
	const struct craft beside[] = { { .name = "h1/z", .content = "z" },
					{ .name = "h1x/z", .content = "zz" } };
	const struct craft file = { .name = "h1", .content = "a file" };
	const struct craft out[] = { { .name = "h1/../../out", .content = "x" } };
	const struct craft twice[] = { { .name = "h1/t", .content = "1" },
				       { .name = "h1/t", .content = "2" } };
	struct err e;

	craft_zip(w, within, 3);
	assert_ok(bundle_extract(w->zip, w->out_fd, &limits, &e), e);
	bundle_world_holds(w->out_fd, "x", "x");
	bundle_world_holds(w->out_fd, "h1/y", "y");
	craft_zip(w, beside, 2);
	assert_ok(bundle_extract(w->zip, w->out_fd, &limits, &e), e);
	bundle_world_holds(w->out_fd, "h1/z", "z");
	bundle_world_holds(w->out_fd, "h1x/z", "zz");
	craft_zip(w, &file, 1);
	assert_refused(bundle_extract(w->zip, w->out_fd, &limits, &e), e, ERR_EXISTS,
		       "'h1' is here already");
	craft_zip(w, out, 1);
	assert_refused(bundle_extract(w->zip, w->out_fd, &limits, &e), e, ERR_INVALID, "out");
	craft_zip(w, twice, 2);
	assert_refused(bundle_extract(w->zip, w->out_fd, &limits, &e), e, ERR_INVALID, "");
}

static void what_is_there_is_never_replaced(void **state)
{
	struct bundle_world *w = *state;
	const struct craft crafts[] = { { .name = "d/new", .content = "new" },
					{ .name = "d/old", .content = "evil" } };
	struct err e;

	mkdirat(w->out_fd, "d", 0700);
	bundle_world_put(w->out_fd, "d/old", "old");
	craft_zip(w, crafts, 2);
	assert_refused(bundle_extract(w->zip, w->out_fd, NULL, &e), e, ERR_EXISTS, "'d/old'");
	bundle_world_holds(w->out_fd, "d/old", "old");
	assert_int_equal(faccessat(w->out_fd, "d/new", F_OK, 0), -1);
	assert_int_equal(errno, ENOENT);

	const struct craft dir_on_file = { .name = "d/old/", .content = "" };
	craft_zip(w, &dir_on_file, 1);
	assert_refused(bundle_extract(w->zip, w->out_fd, NULL, &e), e, ERR_EXISTS, "'d/old'");

	craft_zip(w, crafts, 1); /* a directory that is there is used, and keeps its mode */
	assert_ok(bundle_extract(w->zip, w->out_fd, NULL, &e), e);
	bundle_world_holds(w->out_fd, "d/new", "new");
}

static void a_link_that_is_there_is_never_followed(void **state)
{
	struct bundle_world *w = *state;
	const struct craft c = { .name = "l/x", .content = "x" };
	const struct craft over = { .name = "l", .content = "x" };
	struct err e;

	assert_int_equal(symlinkat("../in", w->out_fd, "l"), 0);
	craft_zip(w, &c, 1);
	assert_true(bundle_extract(w->zip, w->out_fd, NULL, &e) < 0);
	craft_zip(w, &over, 1);
	assert_true(bundle_extract(w->zip, w->out_fd, NULL, &e) < 0);
	assert_int_equal(rmdir(w->in), 0); /* nothing went through it */
	mkdir(w->in, 0700);
}

static void limits_hold_exactly(void **state)
{
	struct bundle_world *w = *state;
	const struct craft crafts[] = { { .name = "a", .content = "12345" },
					{ .name = "b", .content = "678" } };
	struct bundle_limits limits = { .entries = 2, .bytes = 8 };
	struct err e;

	craft_zip(w, crafts, 2);
	limits.entries = 1;
	assert_refused(bundle_extract(w->zip, w->out_fd, &limits, &e), e, ERR_EXHAUSTED,
		       "2 entries: the limit is 1");
	limits.entries = 2;
	limits.bytes = 7;
	assert_refused(bundle_extract(w->zip, w->out_fd, &limits, &e), e, ERR_EXHAUSTED, "7 bytes");
	bundle_world_is_empty(w);
	limits.bytes = 8;
	assert_ok(bundle_extract(w->zip, w->out_fd, &limits, &e), e);
}

/* A folder that has no entry of its own is one more thing on the disk. */
static void folders_of_paths_are_entries(void **state)
{
	struct bundle_world *w = *state;
	const struct craft crafts[] = { { .name = "a/b/c/x", .content = "1" },
					{ .name = "a/b/y", .content = "2" },
					{ .name = "a/b/", .content = "" } };
	struct bundle_limits limits = { .entries = 4 };
	struct err e;

	craft_zip(w, crafts, 3); /* and the folders a, a/b/c */
	assert_refused(bundle_extract(w->zip, w->out_fd, &limits, &e), e, ERR_EXHAUSTED,
		       "5 entries: the limit is 4");
	bundle_world_is_empty(w);
	limits.entries = 5;
	assert_ok(bundle_extract(w->zip, w->out_fd, &limits, &e), e);
}

/* With libzip itself as the author. */
static void pack(const struct bundle_world *w, const void *bytes, size_t len)
{
	zip_t *zip = zip_open(w->zip, ZIP_CREATE | ZIP_TRUNCATE, NULL);

	assert_non_null(zip);
	assert_int_equal(zip_file_add(zip, "z", zip_source_buffer(zip, bytes, len, 0), 0), 0);
	assert_int_equal(zip_set_file_compression(zip, 0, ZIP_CM_DEFLATE, 9), 0);
	assert_int_equal(zip_close(zip), 0);
}

static void a_bomb_is_refused_before_it_is_unpacked(void **state)
{
	struct bundle_world *w = *state;
	const size_t len = 8 << 20;
	char *zeros = calloc(1, len);
	struct bundle_limits generous = { .ratio = 1100 };
	struct err e;

	pack(w, zeros, len);
	free(zeros);
	assert_refused(bundle_extract(w->zip, w->out_fd, NULL, &e), e, ERR_EXHAUSTED, "200 times");
	bundle_world_is_empty(w);
	assert_ok(bundle_extract(w->zip, w->out_fd, &generous, &e), e);
}

static void every_truncation_is_refused_and_leaves_nothing(void **state)
{
	struct bundle_world *w = *state;
	const struct craft crafts[] = { { .name = "d/a", .content = "12345" },
					{ .name = "b", .content = "678" } };
	uint8_t *bytes;
	size_t len;
	struct err e;

	craft_zip(w, crafts, 2);
	assert_ok(file_read(w->zip, 4096, &bytes, &len, &e), e);
	for (size_t cut = 0; cut < len; cut++) {
		assert_ok(file_write(w->zip, bytes, cut, 0600, &e), e);
		assert_int_equal(bundle_extract(w->zip, w->out_fd, NULL, &e), -ERR_INVALID);
		bundle_world_is_empty(w);
	}
	free(bytes);
}

/* Whichever byte is changed, everything comes out or nothing. A CRC covers the content. */
static void every_flipped_byte_leaves_all_or_nothing(void **state)
{
	struct bundle_world *w = *state;
	const struct craft crafts[] = { { .name = "a", .content = "12345" },
					{ .name = "b", .content = "678" } };
	uint8_t *bytes;
	size_t len;
	struct err e;

	craft_zip(w, crafts, 2);
	assert_ok(file_read(w->zip, 4096, &bytes, &len, &e), e);
	for (size_t at = 0; at < len; at++) {
		bytes[at] ^= 0x41;
		assert_ok(file_write(w->zip, bytes, len, 0600, &e), e);
		if (bundle_extract(w->zip, w->out_fd, NULL, &e) == 0) {
			assert_ok(dir_remove(w->out, &e), e);
			mkdir(w->out, 0700);
		}
		bundle_world_is_empty(w);
		bytes[at] ^= 0x41;
	}
	free(bytes);
}

static void damaged_content_is_refused(void **state)
{
	struct bundle_world *w = *state;
	const struct craft crafts[] = { { .name = "d/a", .content = "abcdefgh" } };
	uint8_t *bytes;
	size_t len;
	struct err e;

	craft_zip(w, crafts, 1);
	assert_ok(file_read(w->zip, 4096, &bytes, &len, &e), e);
	uint8_t *content = memmem(bytes, len, "abcdefgh", 8);
	content[3] ^= 1;
	assert_ok(file_write(w->zip, bytes, len, 0600, &e), e);
	assert_refused(bundle_extract(w->zip, w->out_fd, NULL, &e), e, ERR_INVALID, "'d/a'");
	bundle_world_is_empty(w);
	free(bytes);
}

/* A claim of four thousand million entries must not become an allocation. */
static void a_huge_claimed_count_is_refused_early(void **state)
{
	struct bundle_world *w = *state;
	CLEANUP_WRITER struct writer z = writer_up_to(4096);
	struct err e;

	writer_le32(&z, 0x06064b50);
	writer_le64(&z, 44);
	writer_le32(&z, 0x002d002d);
	writer_zeros(&z, 8);
	writer_le64(&z, 0xFFFFFFFF);
	writer_le64(&z, 0xFFFFFFFF);
	writer_zeros(&z, 16);
	writer_le32(&z, 0x07064b50);
	writer_zeros(&z, 12);
	writer_le32(&z, 1);
	writer_le32(&z, 0x06054b50);
	writer_zeros(&z, 4);
	writer_le32(&z, 0xFFFFFFFF);
	writer_le32(&z, 0xFFFFFFFF);
	writer_le32(&z, 0xFFFFFFFF);
	writer_le16(&z, 0);
	assert_ok(file_write(w->zip, z.bytes, z.len, 0600, &e), e);
	assert_refused(bundle_extract(w->zip, w->out_fd, NULL, &e), e, ERR_EXHAUSTED,
		       "4294967295 entries");
}

/* As a model of torch is one, laid into an archive without compression: its locator leads into the middle
 * of the outer archive. */
static void an_archive_within_is_content(void **state)
{
	struct bundle_world *w = *state;
	CLEANUP_WRITER struct writer z = writer_up_to(4096);
	zip_t *zip = zip_open(w->zip, ZIP_CREATE | ZIP_TRUNCATE, NULL);
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	for (size_t i = 0; i < 200; i++)
		writer_u8(&z, 0x12);
	writer_le32(&z, 0x07064b50);
	writer_le32(&z, 0);
	writer_le64(&z, 64);
	writer_le32(&z, 1);
	writer_le32(&z, 0x06054b50);
	writer_zeros(&z, 18);
	assert_non_null(zip);
	assert_int_equal(zip_file_add(zip, "z", zip_source_buffer(zip, z.bytes, z.len, 0), 0), 0);
	assert_int_equal(zip_set_file_compression(zip, 0, ZIP_CM_STORE, 0), 0);
	assert_int_equal(zip_close(zip), 0);
	assert_ok(file_read(w->zip, 4096, &bytes, &len, &e), e);
	assert_non_null(memmem(bytes, len, z.bytes, z.len));
	assert_ok(bundle_extract(w->zip, w->out_fd, NULL, &e), e);
	assert_int_equal(faccessat(w->out_fd, "z", F_OK, 0), 0);
}

/* Each by the first name of a path; a name that only begins like it is another. */
static void names_of_others_are_refused(void **state)
{
	static const char *const reserved[] = { "iris.csv", "b", NULL };
	static const struct {
		const char *name;
		bool good;
	} cases[] = {
		{ "iris.csv", false },  { "iris.csv/x", false }, { "b/", false },
		{ "b/c/d", false },     { "iris.csv2", true },   { "iris.cs", true },
		{ "a/iris.csv", true }, { "B", true },
	};
	const struct bundle_limits limits = { .reserved = reserved };
	struct bundle_world *w = *state;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct craft crafts[] = { { .name = "fine", .content = "x" },
						{ .name = cases[i].name, .content = "" } };

		craft_zip(w, crafts, ARRAY_LEN(crafts));
		if (cases[i].good) {
			assert_ok(bundle_extract(w->zip, w->out_fd, &limits, &e), e);
			assert_ok(dir_remove(w->out, &e), e);
			assert_int_equal(mkdir(w->out, 0700), 0);
			close(w->out_fd);
			w->out_fd = open(w->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			continue;
		}
		assert_refused(bundle_extract(w->zip, w->out_fd, &limits, &e), e, ERR_INVALID,
			       "belongs to others");
		bundle_world_is_empty(w);
	}
}

static void what_is_not_wanted_any_more_ends(void **state)
{
	const struct craft crafts[] = { { .name = "a", .content = "x" },
					{ .name = "d/b", .content = "y" } };
	atomic_bool cancel = true;
	const struct bundle_limits limits = { .cancel = &cancel };
	struct bundle_world *w = *state;
	struct err e;

	craft_zip(w, crafts, ARRAY_LEN(crafts));
	assert_refused(bundle_extract(w->zip, w->out_fd, &limits, &e), e, ERR_CANCELLED, "");
	bundle_world_is_empty(w);
	cancel = false;
	assert_ok(bundle_extract(w->zip, w->out_fd, &limits, &e), e);
	bundle_world_holds(w->out_fd, "d/b", "y");
}

/* 256 TiB, by what it declares: no disk has room, and nothing is begun. */
static void more_than_is_free_is_refused_before_anything_is_written(void **state)
{
	enum { ENTRIES = 65534, NAME = 8 };
	CLEANUP(free) struct craft *crafts = calloc(ENTRIES, sizeof(*crafts));
	CLEANUP(free) char *names = calloc(ENTRIES, NAME);
	const struct bundle_limits limits = { .bytes = UINT64_MAX, .ratio = UINT64_MAX };
	struct bundle_world *w = *state;
	struct err e;

	for (size_t i = 0; i < ENTRIES; i++) {
		snprintf(names + i * NAME, NAME, "%05zu", i);
		crafts[i] = (struct craft){ .name = names + i * NAME,
					    .content = "x",
					    .method = 8,
					    .size = UINT32_MAX - 1 };
	}
	craft_zip(w, crafts, ENTRIES);
	assert_refused(bundle_extract(w->zip, w->out_fd, &limits, &e), e, ERR_EXHAUSTED,
		       "are free");
	bundle_world_is_empty(w);
}

static void what_is_no_file_is_refused(void **state)
{
	struct bundle_world *w = *state;
	struct err e;

	assert_refused(bundle_extract(w->zip, w->out_fd, NULL, &e), e, ERR_NOT_FOUND, "x.zip");
	assert_refused(bundle_extract(w->in, w->out_fd, NULL, &e), e, ERR_INVALID, "not a file");
	assert_int_equal(mkfifo(w->zip, 0600), 0);
	assert_refused(bundle_extract(w->zip, w->out_fd, NULL, &e), e, ERR_INVALID, "not a file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUNDLE_WORLD_ROW(paths_that_lead_elsewhere_are_refused),
		BUNDLE_WORLD_ROW(long_names_at_their_limit),
		BUNDLE_WORLD_ROW(links_and_devices_are_refused),
		BUNDLE_WORLD_ROW(a_path_twice_is_refused),
		BUNDLE_WORLD_ROW(encrypted_and_exotic_entries_are_refused),
		BUNDLE_WORLD_ROW(a_lie_about_the_size_is_refused),
		BUNDLE_WORLD_ROW(a_folder_around_all_is_stripped),
		BUNDLE_WORLD_ROW(what_is_there_is_never_replaced),
		BUNDLE_WORLD_ROW(a_link_that_is_there_is_never_followed),
		BUNDLE_WORLD_ROW(limits_hold_exactly),
		BUNDLE_WORLD_ROW(folders_of_paths_are_entries),
		BUNDLE_WORLD_ROW(a_bomb_is_refused_before_it_is_unpacked),
		BUNDLE_WORLD_ROW(every_truncation_is_refused_and_leaves_nothing),
		BUNDLE_WORLD_ROW(every_flipped_byte_leaves_all_or_nothing),
		BUNDLE_WORLD_ROW(damaged_content_is_refused),
		BUNDLE_WORLD_ROW(a_huge_claimed_count_is_refused_early),
		BUNDLE_WORLD_ROW(an_archive_within_is_content),
		BUNDLE_WORLD_ROW(names_of_others_are_refused),
		BUNDLE_WORLD_ROW(what_is_not_wanted_any_more_ends),
		BUNDLE_WORLD_ROW(more_than_is_free_is_refused_before_anything_is_written),
		BUNDLE_WORLD_ROW(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
