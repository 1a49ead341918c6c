/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a daemon: leaks, and nothing else (sanitized_daemons.py). */
#include <stdlib.h>

void *planted_leak(void);

__attribute__((constructor)) static void leak(void)
{
	void *volatile lost = planted_leak();

	lost = NULL;
	(void)lost;
}

/* Not inlined: nothing of the constructor's frame may keep the address. */
__attribute__((noinline)) void *planted_leak(void)
{
	return malloc(57005);
}
