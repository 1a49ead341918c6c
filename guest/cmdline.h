/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmdline.h — the kernel command line against the table of words that this image expects.
 *
 * The line is measured, but a verifier that only looks for a policy's list of weakening words would
 * miss a word that nobody thought of. So an unknown word stops the boot.
 */
#pragma once

#include "common/base/err.h"

#include <stddef.h>

enum { CMDLINE_MAX = 2048 }; /* the kernel's COMMAND_LINE_SIZE on x86-64 */

enum cmdline_use {
	CMDLINE_ALWAYS,   /* part of the command line that build-image writes into image.json */
	CMDLINE_LAUNCHER, /* the launcher may add it */
	CMDLINE_FIRMWARE, /* firmware adds it by itself */
};

struct cmdline_word {
	const char *word;
	enum cmdline_use use;
	const char *why;
};

extern const struct cmdline_word cmdline_words[];
extern const size_t cmdline_words_count;

/* 0 if `line` (as in /proc/cmdline, `len` bytes, a final newline allowed) holds known words only
 * and each at most once; -ERR_INVALID naming the first that is not. */
int cmdline_check(const char *line, size_t len, struct err *e) MUST_CHECK;
