/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modules.h — the kernel modules in the initrd, loaded in the order in which the build wrote them.
 *
 * The list has a line for each: "name.ko" and "needed" or "optional". An optional one may find that
 * its hardware is not there (drivers of the TEEs).
 */
#pragma once

#include "common/base/err.h"

#include <stddef.h>

enum {
	MODULES_MAX = 64,
	MODULES_LIST_MAX = 4096,
	MODULE_NAME_MAX = 63,
};

struct module {
	char name[MODULE_NAME_MAX + 1];
	int optional;
};

struct modules {
	struct module module[MODULES_MAX];
	size_t count;
};

/* Reads a list; -ERR_INVALID names the line that does not have the form above. */
int modules_parse(const char *text, struct modules *modules, struct err *e) MUST_CHECK;

/* Loads what `folder`/list names and removes each file to free its memory. */
int modules_load(const char *folder, struct err *e) MUST_CHECK;
