/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h — whether the kernel would execute a `bin` algorithm, told before anybody sends data for it.
 *
 * As Linux has it (fs/binfmt_elf.c, fs/binfmt_script.c): nothing is refused that would start in the sandbox.
 * What a program needs beside its interpreter shows when it runs.
 */
#pragma once

#include "common/base/err.h"

enum {
	PROGRAM_LINE_MAX = 256,         /* BINPRM_BUF_SIZE: what is looked at of a script */
	PROGRAM_HEADERS_MAX = 1170,     /* 64 KiB of program headers */
	PROGRAM_INTERPRETER_MAX = 4096, /* PATH_MAX, with the zero behind it */
};

/* An ELF program for this machine, or a script; its interpreter is one of the machine's, or may be one that
 * comes with a dataset. ERR_INVALID with what is wrong. */
int program_judge(int file, struct err *e) MUST_CHECK;
int program_judge_file(const char *path, struct err *e) MUST_CHECK;
