/* SPDX-License-Identifier: Apache-2.0 */
/* wasm_look.c — a program for WASI that says what it was started with; wasm.py compiles it. */
#include <stdio.h>
#include <wasi/api.h>

extern char **environ;

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++)
		printf("%s[%s]", i > 1 ? " " : "", argv[i]);
	while (environ && environ[count])
		count++;
	printf("\nenvironment: %d\n", count);
	for (__wasi_fd_t fd = 3; fd < 100; fd++) {
		__wasi_prestat_t about;
		char name[64] = "";

		if (__wasi_fd_prestat_get(fd, &about) != 0)
			continue;
		if (about.u.dir.pr_name_len >= sizeof(name) ||
		    __wasi_fd_prestat_dir_name(fd, (uint8_t *)name, about.u.dir.pr_name_len) != 0)
			return 1;
		printf("%u: %s\n", fd, name);
	}
	fflush(stdout);
	fprintf(stderr, "to stderr\n");
	return 0;
}
