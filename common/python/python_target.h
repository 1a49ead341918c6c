/* SPDX-License-Identifier: Apache-2.0 */
/* python_target.h — the Python and the machine that requirements and wheels are judged for. */
#pragma once

enum { PYTHON_MINOR_MAX = 999, PYTHON_MACHINE_MAX = 32 };

struct python_target {
	unsigned int minor; /* CPython 3.<minor> */
	unsigned int glibc; /* GNU libc 2.<glibc>; 0: unknown, no manylinux wheel fits */
	char machine[PYTHON_MACHINE_MAX]; /* as uname -m: "x86_64" */
};
