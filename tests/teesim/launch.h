/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.h — QEMU's command line as a TEE's hardware would see it: what to measure, and what to
 * give to a QEMU without that hardware instead.
 *
 * An option that is not known here is refused: it might change what runs without being measured.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { LAUNCH_ARGS_MAX = 1024 };

struct json;
struct launch {
	const char *kernel, *initrd, *append, *firmware; /* argv's */
	const char *cpu;                                 /* its name alone; malloc'ed */
	bool emulated;                                   /* QEMU has no KVM here */
	unsigned cpus;
	unsigned long memory_mib;
	struct json *tee; /* the TEE's object; NULL: there is none, and nothing here counts */
	char *rest[LAUNCH_ARGS_MAX + 1]; /* malloc'ed: for the real QEMU; NULL at the end */
	size_t count;
};

/* Refused: what is unknown, given twice, or missing for a measured launch. launch_done() it. */
int launch_read(int argc, char *const argv[], struct launch *launch, struct err *e) MUST_CHECK;
void launch_done(struct launch *launch);

/* Adds a word to the rest. */
int launch_add(struct launch *launch, const char *word, struct err *e) MUST_CHECK;
