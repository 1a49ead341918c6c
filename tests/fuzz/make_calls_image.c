/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_image.c — image.json, good ones and others. */
#include "tests/fuzz/make_calls.h"

#include <stdio.h>

static struct writer begin(void)
{
	return writer_up_to(CALLS_INPUT_MAX);
}

#define EMPTY_FILE                         \
	"{\"file\":\"kernel\",\"size\":0," \
	"\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}"
#define ROOT_FILE                        \
	"{\"file\":\"root\",\"size\":1," \
	"\"sha256\":\"454349e422f05297191ead13e21d3db520e5abef52055e4964b82fb213f593a1\"}"

#define LAUNCH "\"version\":1,\"flavour\":\"a\",\"cmdline\":\"a\",\"min_memory_mib\":0"
#define DISK   ",\"boot_disk\":{\"version\":1,\"serial\":\"cocos-boot\",\"size\":266240}"

static void save_image(const char *name, const char *launch, const char *kernel, const char *more)
{
	struct writer w = begin();
	char path[64];

	writer_printf(&w, "{%s,\"kernel\":%s,\"initrd\":" EMPTY_FILE "%s}", launch, kernel, more);
	snprintf(path, sizeof(path), "image/%s", name);
	calls_save(path, &w);
}

void calls_image(void)
{
	static const char good_launch[] =
		"\"version\":1,\"flavour\":\"base\",\"cmdline\":\"console=ttyS0 quiet\","
		"\"min_memory_mib\":512,\"cmdline_words\":[\"cocos.role_signature\"]" DISK;

	save_image("good", good_launch, EMPTY_FILE, "");
	save_image("root", good_launch, EMPTY_FILE, ",\"root\":" ROOT_FILE);
	save_image("root-other", good_launch, EMPTY_FILE,
		   ",\"root\":{\"file\":\"root\",\"size\":2,\"sha256\":\"00\"}");
	save_image("digest", good_launch, ROOT_FILE, ",\"root\":" EMPTY_FILE);
	save_image("size", good_launch,
		   "{\"file\":\"kernel\",\"size\":7,\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427"
		   "ae41e4649b934ca495991b7852b855\"}",
		   "");
	save_image(
		"outside", good_launch,
		"{\"file\":\"../root\",\"size\":0,\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427"
		"ae41e4649b934ca495991b7852b855\"}",
		"");
	save_image(
		"missing", good_launch,
		"{\"file\":\"nothing\",\"size\":0,\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427"
		"ae41e4649b934ca495991b7852b855\"}",
		"");
	save_image("folder", good_launch,
		   "{\"file\":\"\",\"size\":0,\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427"
		   "ae41e4649b934ca495991b7852b855\"}",
		   "");
	save_image("version", "\"version\":2", EMPTY_FILE, "");
	save_image("no-words",
		   "\"version\":1,\"flavour\":\"base\",\"cmdline\":\"\",\"min_memory_mib\":0" DISK,
		   EMPTY_FILE, "");
	save_image("words",
		   "\"version\":1,\"flavour\":\"base\",\"cmdline\":\"a\",\"min_memory_mib\":0,"
		   "\"cmdline_words\":[1]",
		   EMPTY_FILE, "");
	save_image("words-two",
		   "\"version\":1,\"flavour\":\"base\",\"cmdline\":\"a\",\"min_memory_mib\":0,"
		   "\"cmdline_words\":[\"a b\",\"\"]",
		   EMPTY_FILE, "");
	save_image("words-many",
		   "\"version\":1,\"flavour\":\"base\",\"cmdline\":\"a\",\"min_memory_mib\":0,"
		   "\"cmdline_words\":[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
		   "\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
		   "\"\",\"\",\"\",\"\",\"\",\"\"]",
		   EMPTY_FILE, "");
	save_image("flavour-long",
		   "\"version\":1,\"flavour\":\"012345678901234567890123456789012\","
		   "\"cmdline\":\"a\",\"min_memory_mib\":0" DISK,
		   EMPTY_FILE, "");
	save_image("flavour-control",
		   "\"version\":1,\"flavour\":\"a\\u001b[2J\",\"cmdline\":\"a\","
		   "\"min_memory_mib\":0" DISK,
		   EMPTY_FILE, "");
	save_image(
		"cmdline-control",
		"\"version\":1,\"flavour\":\"a\",\"cmdline\":\"a\\nb\",\"min_memory_mib\":0" DISK,
		EMPTY_FILE, "");
	save_image("lines", good_launch, "[]", "");
	save_image("shares", LAUNCH ",\"shares\":[\"env_share\",\"certs_share\"]", EMPTY_FILE, "");
	save_image("shares-others", LAUNCH ",\"shares\":[\"env_share\",\"other\"]", EMPTY_FILE, "");
	save_image("shares-and-disk", LAUNCH DISK ",\"shares\":[]", EMPTY_FILE, "");
	save_image("disk-other",
		   LAUNCH ",\"boot_disk\":{\"version\":2,\"serial\":\"x\",\"size\":1}", EMPTY_FILE,
		   "");
	save_image("disk-none", LAUNCH, EMPTY_FILE, "");

	struct writer w = begin();

	writer_text(&w, "{\"version\":1,\"flavour\":\"base\",\"min_memory_mib\":0,\"cmdline\":\"");
	for (int i = 0; i < 201; i++)
		writer_text(&w, "0123456789");
	writer_text(&w, "\"" DISK "}");
	calls_save("image/cmdline-long", &w);
	w = begin();
	writer_text(&w, "{\"version\":");
	calls_save("image/cut", &w);
}
