/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count.c — an algorithm of type `bin`: counts bytes, lines and words of each dataset.
 *
 * Static, so that it needs nothing of the image:  cc -O2 -static -o count count.c
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct counts {
	unsigned long long bytes, lines, words;
};

static int count_file(const char *path, struct counts *counts)
{
	FILE *file = fopen(path, "rb");
	int byte, in_word = 0, failed;

	if (!file)
		return -1;
	while ((byte = getc(file)) != EOF) {
		counts->bytes++;
		counts->lines += byte == '\n';
		counts->words += !isspace(byte) && !in_word;
		in_word = !isspace(byte);
	}
	failed = ferror(file);
	fclose(file);
	return failed ? -1 : 0;
}

static int count_all(DIR *datasets, FILE *out)
{
	struct dirent *entry;

	while ((entry = readdir(datasets)) != NULL) {
		struct counts counts = { 0, 0, 0 };
		char path[512];
		struct stat about;

		snprintf(path, sizeof(path), "datasets/%s", entry->d_name);
		if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
			continue;
		if (count_file(path, &counts) < 0) {
			fprintf(stderr, "count: %s: %s\n", path, strerror(errno));
			return 1;
		}
		printf("counted %s\n", entry->d_name);
		fprintf(out, "%s: %llu bytes, %llu lines, %llu words\n", entry->d_name,
			counts.bytes, counts.lines, counts.words);
	}
	return 0;
}

int main(void)
{
	DIR *datasets = opendir("datasets");
	FILE *out = fopen("results/counts.txt", "w");
	int status;

	if (!datasets || !out) {
		fprintf(stderr, "count: %s: %s\n", datasets ? "results/counts.txt" : "datasets",
			strerror(errno));
		return 1;
	}
	status = count_all(datasets, out);
	closedir(datasets);
	if (fclose(out) != 0) {
		fprintf(stderr, "count: results/counts.txt: %s\n", strerror(errno));
		return 1;
	}
	return status;
}
