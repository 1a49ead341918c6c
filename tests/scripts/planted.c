/* SPDX-License-Identifier: Apache-2.0 */
/* One mistake of each kind that the sanitizers are there for, by its name. The build with sanitizers
 * has to end this program at each of them; a stage that can't fail says nothing (sanitizers.py). After
 * 'serve' it is a daemon that makes the mistake when it is told to end; after 'child' another process
 * makes it, without an environment, as the agent's do (sanitized_daemons.py). */
#include "common/base/cleanup.h"

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Volatile, so that no compiler computes the mistake away. */
static volatile int one = 1, most = INT_MAX;
static void *volatile nowhere;

static int signed_overflow(void)
{
	return most + one;
}

static int wide_shift(void)
{
	return one << (one + 31);
}

static int index_beyond(void)
{
	volatile int few[2] = { 0, 0 };

	return few[one + 1];
}

static int null_argument(void)
{
	memcpy(nowhere, nowhere, (size_t)one - 1);
	return 0;
}

static int misaligned(void)
{
	_Alignas(uint64_t) char bytes[16] = { 0 };

	return (int)*(uint64_t *)(void *)(bytes + one);
}

static int heap_overflow(void)
{
	volatile char *bytes = malloc(8);

	return bytes ? bytes[7 + one] : 0;
}

static int use_after_free(void)
{
	volatile char *bytes = malloc(8);

	free((void *)bytes);
	return bytes ? bytes[0] : 0;
}

static int double_free(void)
{
	void *volatile bytes = malloc(8);

	free(bytes);
	free(bytes);
	return 0;
}

static int leak(void)
{
	nowhere = malloc(8);
	nowhere = NULL;
	return 0;
}

static int none(void)
{
	return 0;
}

static const struct {
	const char *name;
	int (*make)(void);
} mistakes[] = {
	{ "none", none },
	{ "signed-overflow", signed_overflow },
	{ "wide-shift", wide_shift },
	{ "index-beyond", index_beyond },
	{ "null-argument", null_argument },
	{ "misaligned", misaligned },
	{ "heap-overflow", heap_overflow },
	{ "use-after-free", use_after_free },
	{ "double-free", double_free },
	{ "leak", leak },
};

static int make(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++)
		if (strcmp(name, mistakes[i].name) == 0) {
			mistakes[i].make();
			return 0;
		}
	return 2;
}

/* Until SIGTERM. */
static void serve(void)
{
	sigset_t ends;
	int number;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	fputs("ready\n", stderr);
	sigwait(&ends, &number);
}

static void in_a_child(char *self, char *name)
{
	char *args[] = { self, name, NULL }, *none[] = { NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execve("/proc/self/exe", args, none);
		_exit(2);
	}
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0) {
		serve();
		return make(argv[2]);
	}
	if (argc == 3 && strcmp(argv[1], "child") == 0) {
		in_a_child(argv[0], argv[2]);
		serve();
		return 0;
	}
	return argc == 2 ? make(argv[1]) : 2;
}
