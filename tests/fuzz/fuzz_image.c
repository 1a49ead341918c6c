/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.json: the input, beside the files "kernel" (empty) and "root" (one byte). What opens names files of
 * the folder alone, and texts that a registry, a command line and an operator's terminal can hold.
 */
#include "common/base/file.h"
#include "common/base/utf8.h"
#include "common/manifest/image.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char dir[] = "/tmp/cocos-fuzz-image-XXXXXX", path[64];

static void leave(void)
{
	struct err e;

	(void)!dir_remove(dir, &e);
}

static void prepare(void)
{
	char name[64];
	struct err e;

	assert(mkdtemp(dir));
	atexit(leave);
	snprintf(name, sizeof(name), "%s/kernel", dir);
	assert(file_write(name, "", 0, 0600, &e) == 0);
	snprintf(name, sizeof(name), "%s/root", dir);
	assert(file_write(name, "r", 1, 0600, &e) == 0);
	snprintf(path, sizeof(path), "%s/image.json", dir);
}

static void check_file(const struct image_file *file)
{
	if (!file->path)
		return;
	assert(strncmp(file->path, dir, strlen(dir)) == 0 && file->path[strlen(dir)] == '/');
	assert(!strchr(file->path + strlen(dir) + 1, '/'));
}

static void check_line(const struct image *image, const char *word)
{
	CLEANUP(free) char *line = NULL;
	struct err e;

	assert(image_cmdline(image, word, &line, &e) == 0);
	assert(!utf8_has_control(line, strlen(line)));
	assert(strlen(line) <= IMAGE_CMDLINE_MAX + (word ? 1 + strlen(word) : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(image_free) struct image *image = NULL;
	CLEANUP(free) char *line = NULL;
	char name[IMAGE_NAME_MAX];
	struct err e;

	if (!path[0])
		prepare();
	assert(file_write(path, bytes, len, 0600, &e) == 0);
	if (image_open(dir, &image, &e) < 0) {
		assert(!image && e.text[0]);
		return 0;
	}
	check_file(&image->kernel);
	check_file(&image->initrd);
	check_file(&image->root);
	image_name(image, name);
	assert(strlen(name) == strlen(image->flavour) + 1 + 64 &&
	       !utf8_has_control(name, strlen(name)));
	check_line(image, NULL);
	for (char **word = image->words; *word; word++) {
		assert(**word && !strpbrk(*word, " \t\n"));
		check_line(image, *word);
	}
	assert(image_cmdline(image, "not a word", &line, &e) == -ERR_PRECONDITION);
	assert(image_is_current(image));
	assert(unlink(path) == 0 && !image_is_current(image));
	return 0;
}
