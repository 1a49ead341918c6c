/* SPDX-License-Identifier: Apache-2.0 */
/* make_usage.h — how the programs that write inputs are called. */
#pragma once

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* -1: all is well, argv[1] is tests/fuzz. Otherwise the status to exit with; nothing was written. */
static inline int make_usage(int argc, char **argv, const char *program, const char *what)
{
	char corpus[4096];
	struct stat st;

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		printf("usage: %s tests/fuzz\n%s\nExit status: 0; 2 called wrongly.\n", program,
		       what);
		return 0;
	}
	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: %s tests/fuzz\n", program);
		return 2;
	}
	snprintf(corpus, sizeof(corpus), "%s/corpus", argv[1]);
	if (stat(corpus, &st) != 0 || !S_ISDIR(st.st_mode)) {
		fprintf(stderr, "%s: no folder %s; usage: %s tests/fuzz\n", program, corpus,
			program);
		return 2;
	}
	return -1;
}
