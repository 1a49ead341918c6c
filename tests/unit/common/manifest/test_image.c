/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/manifest/image.h"
#include "tests/unit/folder.h"

static void put(const char *name, const char *text)
{
	char path[128];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", test_folder, name);
	assert_ok(file_write(path, text, strlen(text), 0600, &e), e);
}

static void describe(char *out, size_t room, const char *key, const char *file, const char *text)
{
	uint8_t sha256[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	struct err e;

	assert_ok(digest(DIGEST_SHA256, text, strlen(text), sha256, &e), e);
	hex_encode(sha256, sizeof(sha256), hex);
	snprintf(out, room, "\"%s\":{\"file\":\"%s\",\"size\":%zu,\"sha256\":\"%s\"}", key, file,
		 strlen(text), hex);
}

/* A small image; `head` are the members before the files. */
static void put_image(const char *head, const char *kernel_file)
{
	char kernel[256], initrd[256], root[256], json[2048];

	put("vmlinuz", "kernel");
	put("initrd.img", "initrd");
	put("root.img", "root");
	describe(kernel, sizeof(kernel), "kernel", kernel_file, "kernel");
	describe(initrd, sizeof(initrd), "initrd", "initrd.img", "initrd");
	describe(root, sizeof(root), "root", "root.img", "root");
	snprintf(json, sizeof(json), "{%s,%s,%s,%s}", head, kernel, initrd, root);
	put("image.json", json);
}

#define LAUNCH                                                                                     \
	"\"version\":1,\"flavour\":\"base\",\"cmdline\":\"console=ttyS0\",\"min_memory_mib\":512," \
	"\"packages\":[]"
#define DISK   ",\"boot_disk\":{\"version\":1,\"serial\":\"cocos-boot\",\"size\":266240}"
#define SHARES ",\"shares\":[\"env_share\",\"certs_share\"]"
#define HEAD   LAUNCH DISK
#define WORDS  ",\"cmdline_words\":[\"cocos.role_signature\"]"

static void a_whole_image_is_read(void **state)
{
	CLEANUP(image_free) struct image *image = NULL;
	CLEANUP(free) char *plain = NULL, *with = NULL;
	char name[IMAGE_NAME_MAX];
	struct err e;

	put_image(HEAD WORDS, "vmlinuz");
	assert_ok(image_open(test_folder, &image, &e), e);
	assert_int_equal(image->min_memory_mib, 512);
	assert_false(image->own_kernel);
	assert_true(image_is_current(image));
	assert_ok(image_cmdline(image, NULL, &plain, &e), e);
	assert_string_equal(plain, "console=ttyS0");
	assert_ok(image_cmdline(image, "cocos.role_signature", &with, &e), e);
	assert_string_equal(with, "console=ttyS0 cocos.role_signature");
	image_name(image, name);
	assert_int_equal(strncmp(name, "base ", 5), 0);
	assert_int_equal(strlen(name), 5 + 2 * SHA256_LEN);
}

static void an_image_says_whether_its_kernel_is_our_own(void **state)
{
	CLEANUP(image_free) struct image *image = NULL;
	struct image *again;
	struct err e;

	put_image(HEAD ",\"own_kernel\":{\"config\":\"00\"}", "vmlinuz");
	assert_ok(image_open(test_folder, &image, &e), e);
	assert_true(image->own_kernel);
	put_image(HEAD ",\"own_kernel\":false", "vmlinuz");
	assert_refused(image_open(test_folder, &again, &e), e, ERR_INVALID, "own_kernel");
}

static void an_image_for_developers_alone_is_refused(void **state)
{
	struct image *image;
	struct err e;

	put_image(HEAD ",\"own_kernel\":{\"config\":\"00\"},\"reach\":true", "vmlinuz");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_PRECONDITION, "--kernel own");
	put_image(HEAD ",\"reach\":false", "vmlinuz");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_PRECONDITION, "reach");
}

static void an_image_says_how_it_is_given_its_configuration(void **state)
{
	static const struct {
		const char *head, *says;
		enum err_code code;
	} wrong[] = {
		{ LAUNCH, "boot_disk: is missing", ERR_INVALID },
		{ LAUNCH DISK SHARES, "only one of both", ERR_INVALID },
		{ LAUNCH ",\"shares\":true", "shares", ERR_INVALID },
		{ LAUNCH ",\"shares\":[]", "shares", ERR_INVALID },
		{ LAUNCH ",\"shares\":[\"env_share\",1]", "shares", ERR_INVALID },
		{ LAUNCH ",\"shares\":[\"env_share\",\"more\"]", "shares", ERR_INVALID },
		{ LAUNCH ",\"shares\":[\"env_share\",\"certs_share\",\"more\"]", "shares",
		  ERR_INVALID },
		{ LAUNCH ",\"boot_disk\":1", "boot_disk", ERR_INVALID },
		{ LAUNCH ",\"boot_disk\":{\"version\":1,\"size\":266240}", "serial",
		  ERR_NOT_FOUND },
		{ LAUNCH ",\"boot_disk\":{\"version\":2,\"serial\":\"cocos-boot\",\"size\":266240}",
		  "version 2", ERR_PRECONDITION },
		{ LAUNCH ",\"boot_disk\":{\"version\":1,\"serial\":\"cocos-boot\",\"size\":266241}",
		  "266241 bytes", ERR_PRECONDITION },
		{ LAUNCH ",\"boot_disk\":{\"version\":1,\"serial\":\"cocos\",\"size\":266240}",
		  "'cocos'", ERR_PRECONDITION },
	};
	CLEANUP(image_free) struct image *disk = NULL, *shares = NULL;
	struct image *again;
	struct err e;

	put_image(LAUNCH DISK, "vmlinuz");
	assert_ok(image_open(test_folder, &disk, &e), e);
	assert_true(disk->boot_disk);
	put_image(LAUNCH SHARES, "vmlinuz");
	assert_ok(image_open(test_folder, &shares, &e), e);
	assert_false(shares->boot_disk);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		put_image(wrong[i].head, "vmlinuz");
		assert_refused(image_open(test_folder, &again, &e), e, wrong[i].code,
			       wrong[i].says);
	}
}

static void an_unknown_word_is_refused(void **state)
{
	CLEANUP(image_free) struct image *image = NULL;
	char *cmdline;
	struct err e;

	put_image(HEAD, "vmlinuz");
	assert_ok(image_open(test_folder, &image, &e), e);
	assert_refused(image_cmdline(image, "cocos.role_signature", &cmdline, &e), e,
		       ERR_PRECONDITION, "does not know");
}

static void a_changed_image_is_noticed_and_refused(void **state)
{
	CLEANUP(image_free) struct image *image = NULL;
	struct image *again;
	struct err e;

	put_image(HEAD, "vmlinuz");
	assert_ok(image_open(test_folder, &image, &e), e);
	put("initrd.img", "Initrd");
	assert_false(image_is_current(image));
	assert_refused(image_open(test_folder, &again, &e), e, ERR_PRECONDITION, "initrd.img");
	put("initrd.img", "longer initrd");
	assert_refused(image_open(test_folder, &again, &e), e, ERR_PRECONDITION, "initrd.img");
}

static void what_is_no_image_is_refused(void **state)
{
	struct image *image;
	struct err e;

	assert_refused(image_open("/proc/nowhere", &image, &e), e, ERR_NOT_FOUND, "image.json");
	put_image(HEAD, "../vmlinuz");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_INVALID, "plain file name");
	put_image(HEAD, "missing");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_NOT_FOUND, "missing");
	put_image("\"version\":2,\"flavour\":\"base\"", "vmlinuz");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_INVALID, "version 2");
	put_image("\"version\":1,\"flavour\":\"base\",\"min_memory_mib\":1", "vmlinuz");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_NOT_FOUND, "cmdline");
	put_image(HEAD ",\"cmdline_words\":[1]", "vmlinuz");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_INVALID, "cmdline_words");
	put_image(HEAD ",\"cmdline_words\":[\"two words\"]", "vmlinuz");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_INVALID, "not one word");
	put_image(HEAD ",\"cmdline_words\":[\"\"]", "vmlinuz");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_INVALID, "not one word");
	put_image("\"version\":1,\"flavour\":\"base\",\"cmdline\":\"a\\nb\","
		  "\"min_memory_mib\":1" DISK,
		  "vmlinuz");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_INVALID, "control characters");
	put_image("\"version\":1,\"flavour\":\"\\u001b[2J\",\"cmdline\":\"a\","
		  "\"min_memory_mib\":1" DISK,
		  "vmlinuz");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_INVALID, "control characters");
	put("image.json", "{\"version\":1,");
	assert_refused(image_open(test_folder, &image, &e), e, ERR_INVALID, "json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_image_is_read),
		cmocka_unit_test(an_image_says_whether_its_kernel_is_our_own),
		cmocka_unit_test(an_image_for_developers_alone_is_refused),
		cmocka_unit_test(an_image_says_how_it_is_given_its_configuration),
		cmocka_unit_test(an_unknown_word_is_refused),
		cmocka_unit_test(a_changed_image_is_noticed_and_refused),
		cmocka_unit_test(what_is_no_image_is_refused),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
