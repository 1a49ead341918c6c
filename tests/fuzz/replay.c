/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c — runs a fuzz target over saved inputs, so that each past crash remains a test.
 *
 * Arguments are files, or folders of which all files are used. Each input is also run cut in half
 * and empty, since parsers fail first at the end of their input.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { INPUT_MAX = 16 << 20 };

/* Copied to a block of exactly its length, so that a sanitizer sees a read past the end. */
static int run(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) uint8_t *exact = malloc(len ? len : 1);

	if (!exact)
		return -1;
	memcpy(exact, bytes, len);
	return LLVMFuzzerTestOneInput(exact, len);
}

static int replay_file(const char *path)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	if (file_read(path, INPUT_MAX, &bytes, &len, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return -1;
	}
	return run(bytes, len) | run(bytes, len / 2) | run(bytes, 0);
}

static int replay(const char *path, unsigned *count)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode)) {
		++*count;
		return replay_file(path);
	}
	DIR *dir = opendir(path);
	struct dirent *entry;
	int failed = dir ? 0 : -1;
	while (dir && (entry = readdir(dir))) {
		CLEANUP(free) char *inside = NULL;
		struct err e;

		if (entry->d_name[0] == '.')
			continue;
		if (text_format(&inside, &e, "%s/%s", path, entry->d_name) < 0 ||
		    replay(inside, count) != 0)
			failed = -1;
	}
	if (dir)
		closedir(dir);
	return failed;
}

int main(int argc, char **argv)
{
	unsigned count = 0;
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i], &count);
	if (!count)
		fprintf(stderr, "nothing to replay\n");
	return failed || !count ? EXIT_FAILURE : EXIT_SUCCESS;
}
