/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bundle of a folder is byte for byte the zip that stock Cocos makes of it.
 *
 * The digests and bytes below were made by running Cocos's own ZipDirectoryToMemory()
 * (internal/zip.go at commit 747aaaa5, TZ=UTC) with Go 1.26.8 over the same trees, the bytes at the
 * limits of 32 bits by the archive/zip package of that Go. They must never change: manifests hold
 * such digests.
 */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/bundle/bundle_header.h"
#include "common/crypto/digest.h"
#include "tests/unit/common/bundle/bundle_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	const char *path, *text;
	mode_t mode;
};

struct tree {
	const char *name, *digest;
	const char *dirs[4]; /* parents first */
	struct file files[6];
};

/* clang-format off */
static const struct tree trees[] = {
	{ "nested", "369d4218a48e4d64000a1e096dc9e303f5a74ff8e232bd7c51e4da804f4b6569",
	  { "b", "d", "d/deeper" },
	  { { "b.csv", "1,2\n", 0644 }, { "b/z", "zz", 0644 }, { "d/deeper/x", "inner", 0640 },
	    { "b-c", "", 0644 } } },
	{ "empty files", "8dddedecb8205c95d38abf933f0c89ce6a90deb09def435c14b8a77e9685311b",
	  { 0 }, { { "a", "", 0644 }, { "b", "", 0644 } } },
	{ "executable", "94aeccc4df7a8335080d17d57235dfff7cb29ec987b30289390259305791ce38",
	  { 0 }, { { "run", "#!/bin/sh\n", 0755 }, { "data", "1", 0644 } } },
	{ "not executable", "1b871a5563f5906c1aa9d909012e3bbadb72f4045901cbdcd4e46f5cef97d94d",
	  { 0 }, { { "run", "#!/bin/sh\n", 0644 }, { "data", "1", 0644 } } },
	{ "unwritable", "5788d2fb3e2b1029025a4baec0d70e352a718fccc50571861ae7c08f8dd58e8b",
	  { 0 }, { { "r", "1", 0444 }, { "s", "1", 0600 } } },
	{ "special bits", "0dfe92a7c5579484bb59575654966eb8eb84fef7a14c9ebe534337dd2526f204",
	  { 0 }, { { "s", "1", S_ISUID | 0755 }, { "g", "1", S_ISGID | 0755 },
		   { "t", "1", S_ISVTX | 0644 } } },
	{ "unicode", "96c886dacdaf916a3b64eb319842c8a31bf81ea26dc88fcba8ce9e9567ae7a39",
	  { 0 }, { { "ü ", "", 0644 }, { "日本.csv", "1\n", 0644 }, { "𝄞", "x", 0644 },
		   { "plain", "p", 0644 } } },
	{ "tilde", "0ae96b2ef367e316381e862e574d5dd1e1c1412cdce244c06d7e8ed98e24e060",
	  { 0 }, { { "a~", "x", 0644 }, { "}", "y", 0644 } } },
	{ "empty folders", "c90924f3a875cdc0f081f21bd5793773615c2c961e208a875182758b2622dbaa",
	  { "e", "e/f", "g" }, { { "a", "x", 0644 } } },
	{ "nothing", "942f09b04d8453fdeac9b24f7a224b82a6724bd829fbede9a9e46360333050c2",
	  { "e" }, { { 0 } } },
	{ "order", "06e2fb1693de8c2662deee0f2997db63c14b0367279da6298b7241287d55579c",
	  { "a", "aa", "aa/b" },
	  { { "a/b", "1", 0644 }, { "a.b", "2", 0644 }, { "a0", "3", 0644 }, { "A", "4", 0644 },
	    { "aa/b/c", "5", 0644 } } },
};

/* The whole zip of the tree 'nested'. */
static const char nested[] =
	"504b0304140008000000000021ec00000000000000000000000003000900622d63555405000100000000"
	"504b0708000000000000000000000000"
	"504b0304140008000000000021ec00000000000000000000000005000900622e637376"
	"555405000100000000312c320a504b0708334221550400000004000000"
	"504b0304140008000000000021ec00000000000000000000000003000900622f7a555405000100000000"
	"7a7a504b0708a11bd9240200000002000000"
	"504b0304140008000000000021ec0000000000000000000000000a000900642f6465657065722f78"
	"555405000100000000696e6e6572504b0708c90b316d0500000005000000"
	"504b01021403140008000000000021ec00000000000000000000000003000900000000000000"
	"0000a48100000000622d63555405000100000000"
	"504b01021403140008000000000021ec33422155040000000400000005000900000000000000"
	"0000a4813a000000622e637376555405000100000000"
	"504b01021403140008000000000021eca11bd924020000000200000003000900000000000000"
	"0000a4817a000000622f7a555405000100000000"
	"504b01021403140008000000000021ecc90b316d05000000050000000a000900000000000000"
	"0000a081b6000000642f6465657065722f78555405000100000000"
	"504b05060000000004000400f1000000fc0000000000";
/* clang-format on */

/* Whatever the umask is. */
static void grow(struct bundle_world *w, const struct tree *tree)
{
	for (size_t i = 0; tree->dirs[i]; i++)
		assert_int_equal(mkdirat(w->in_fd, tree->dirs[i], 0755), 0);
	for (size_t i = 0; tree->files[i].path; i++) {
		const struct file *file = &tree->files[i];

		bundle_world_put(w->in_fd, file->path, file->text);
		assert_int_equal(fchmodat(w->in_fd, file->path, file->mode, 0), 0);
	}
}

static void fell(struct bundle_world *w, const struct tree *tree)
{
	for (size_t i = 0; tree->files[i].path; i++)
		assert_int_equal(unlinkat(w->in_fd, tree->files[i].path, 0), 0);
	for (size_t i = 4; i-- > 0;)
		if (tree->dirs[i])
			assert_int_equal(unlinkat(w->in_fd, tree->dirs[i], AT_REMOVEDIR), 0);
}

static void a_folder_has_the_digest_that_stock_cocos_gives_it(void **state)
{
	struct bundle_world *w = *state;

	for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++) {
		uint8_t digest_[BUNDLE_DIGEST_LEN];
		char text[2 * BUNDLE_DIGEST_LEN + 1];
		struct err e;

		grow(w, &trees[i]);
		assert_ok(bundle_digest(w->in_fd, NULL, digest_, &e), e);
		hex_encode(digest_, sizeof(digest_), text);
		if (strcmp(text, trees[i].digest) != 0)
			fail_msg("%s: %s instead of %s", trees[i].name, text, trees[i].digest);
		fell(w, &trees[i]);
	}
}

static void its_zip_is_that_of_stock_cocos_byte_by_byte(void **state)
{
	struct bundle_world *w = *state;
	CLEANUP(free) uint8_t *zip = NULL;
	char text[sizeof(nested)];
	struct err e;
	size_t len;

	grow(w, &trees[0]);
	bundle_world_pack(w);
	assert_ok(file_read(w->zip, sizeof(nested), &zip, &len, &e), e);
	assert_int_equal(2 * len + 1, sizeof(nested));
	hex_encode(zip, len, text);
	assert_string_equal(text, nested);
}

static void a_zip_of_stock_cocos_is_unpacked(void **state)
{
	struct bundle_world *w = *state;
	uint8_t zip[sizeof(nested) / 2];
	struct err e;
	size_t len;

	assert_ok(hex_decode_up_to(nested, zip, sizeof(zip), &len, &e), e);
	int fd = open(w->zip, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, zip, len), len);
	close(fd);
	assert_ok(bundle_extract(w->zip, w->out_fd, NULL, &e), e);
	bundle_world_holds(w->out_fd, "b-c", "");
	bundle_world_holds(w->out_fd, "b.csv", "1,2\n");
	bundle_world_holds(w->out_fd, "b/z", "zz");
	bundle_world_holds(w->out_fd, "d/deeper/x", "inner");
}

/* Two files: `first` of so many zeros, and one of one byte behind it. What follows the content. */
struct limit {
	uint64_t size;
	uint32_t crc;
	bool second;
	const char *bytes;
};

/* clang-format off */
static const struct limit limits[] = {
	/* the largest that 32 bits hold; its directory begins where they end */
	{ 0xfffffffe, 0x0f6a7026, false,
	  "504b070826706a0ffefffffffeffffff"
	  "504b01021403140008000000000021ec26706a0ffefffffffeffffff01000900000000000000"
	  "0000a4810000000061555405000100000000"
	  "504b06062c000000000000002d002d000000000000000000010000000000000001000000000000003800000000"
	  "0000003600000001000000504b0607000000006e0000000100000001000000"
	  "504b050600000000ffffffffffffffffffffffff0000" },
	/* one byte more */
	{ 0xffffffff, 0, false,
	  "504b070800000000ffffffff00000000ffffffff00000000"
	  "504b010214032d0008000000000021ec00000000ffffffffffffffff01002500000000000000"
	  "0000a481000000006155540500010000000001001800ffffffff00000000ffffffff00000000"
	  "0000000000000000"
	  "504b06062c000000000000002d002d000000000000000000010000000000000001000000000000005400000000"
	  "0000003f00000001000000504b060700000000930000000100000001000000"
	  "504b050600000000ffffffffffffffffffffffff0000" },
	/* the second file begins at the last offset that 32 bits hold */
	{ 0xffffffff - 57, 0x841efb0e, true,
	  "504b07088def02d20100000001000000"
	  "504b01021403140008000000000021ec0efb1e84c6ffffffc6ffffff01000900000000000000"
	  "0000a4810000000061555405000100000000"
	  "504b01021403140008000000000021ec8def02d2010000000100000001000900000000000000"
	  "0000a481feffffff62555405000100000000"
	  "504b06062c000000000000002d002d000000000000000000020000000000000002000000000000007000000000"
	  "0000003700000001000000504b060700000000a70000000100000001000000"
	  "504b050600000000ffffffffffffffffffffffff0000" },
	/* and at the next */
	{ 0xffffffff - 56, 0x353edc71, true,
	  "504b07088def02d20100000001000000"
	  "504b01021403140008000000000021ec71dc3e35c7ffffffc7ffffff01000900000000000000"
	  "0000a4810000000061555405000100000000"
	  "504b01021403140008000000000021ec8def02d2ffffffffffffffff01002500000000000000"
	  "0000a481ffffffff625554050001000000000100180001000000000000000100000000000000"
	  "ffffffff00000000"
	  "504b06062c000000000000002d002d000000000000000000020000000000000002000000000000008c00000000"
	  "0000003800000001000000504b060700000000c40000000100000001000000"
	  "504b050600000000ffffffffffffffffffffffff0000" },
	/* both in one directory */
	{ 0xffffffff, 0, true,
	  "504b07088def02d20100000001000000"
	  "504b010214032d0008000000000021ec00000000ffffffffffffffff01002500000000000000"
	  "0000a481000000006155540500010000000001001800ffffffff00000000ffffffff00000000"
	  "0000000000000000"
	  "504b01021403140008000000000021ec8def02d2ffffffffffffffff01002500000000000000"
	  "0000a481ffffffff625554050001000000000100180001000000000000000100000000000000"
	  "3f00000001000000"
	  "504b06062c000000000000002d002d00000000000000000002000000000000000200000000000000a800000000"
	  "0000007800000001000000504b060700000000200100000100000001000000"
	  "504b050600000000ffffffffffffffffffffffff0000" },
};
/* clang-format on */

enum { LOCAL_LEN = 40 }; /* of a file with a name of one letter */

static uint64_t behind(const struct bundle_entry *entry)
{
	return entry->offset + LOCAL_LEN + entry->size + (entry->size >= 0xffffffff ? 24 : 16);
}

static void the_limits_of_32_bits_are_where_stock_cocos_has_them(void **state)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		const struct limit *limit = &limits[i];
		CLEANUP_WRITER struct writer w = writer_up_to(4096);
		struct bundle_entry a = { "a", 0644, limit->crc, limit->size, 0 };
		struct bundle_entry b = { "b", 0644, 0xd202ef8d, 1, behind(&a) };
		const struct bundle_entry *last = limit->second ? &b : &a;
		char text[2048];
		struct err e;

		bundle_header_descriptor(&w, last);
		size_t descriptor = w.len;
		bundle_header_central(&w, &a);
		if (limit->second)
			bundle_header_central(&w, &b);
		uint64_t start = behind(last);
		bundle_header_end(&w, limit->second ? 2 : 1, start, start + w.len - descriptor);
		assert_ok(writer_check(&w, "headers", &e), e);
		assert_true(2 * w.len < sizeof(text));
		hex_encode(w.bytes, w.len, text);
		assert_string_equal(text, limit->bytes);
	}
}

static void the_longest_header_fits(void **state)
{
	char path[BUNDLE_PATH_MAX + 1];
	struct bundle_entry entry = { path, 0644, 0, UINT64_MAX, UINT64_MAX };
	struct err e;

	memset(path, 'n', BUNDLE_PATH_MAX);
	path[BUNDLE_PATH_MAX] = '\0';
	CLEANUP_WRITER struct writer w = writer_up_to(BUNDLE_HEADER_MAX);
	bundle_header_central(&w, &entry);
	assert_ok(writer_check(&w, "header", &e), e);
	CLEANUP_WRITER struct writer end = writer_up_to(BUNDLE_HEADER_MAX);
	bundle_header_end(&end, UINT64_MAX, 0, UINT64_MAX);
	assert_ok(writer_check(&end, "end", &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUNDLE_WORLD_ROW(a_folder_has_the_digest_that_stock_cocos_gives_it),
		BUNDLE_WORLD_ROW(its_zip_is_that_of_stock_cocos_byte_by_byte),
		BUNDLE_WORLD_ROW(a_zip_of_stock_cocos_is_unpacked),
		cmocka_unit_test(the_limits_of_32_bits_are_where_stock_cocos_has_them),
		cmocka_unit_test(the_longest_header_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
