/* SPDX-License-Identifier: Apache-2.0 */
/*
 * written.h — whether what a program printed is where it was to go.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* A full disk behind standard output must not look like success: false, with a line on standard error. A write that
 * failed earlier, when the buffer was full, is not tried again. */
bool written_all(const char *program, FILE *out);
