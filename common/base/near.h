/* SPDX-License-Identifier: Apache-2.0 */
/*
 * near.h — how far a name that was mistyped is from one that there is.
 */
#pragma once

#include <stddef.h>

/* How many letters have to be put in, taken away or changed; of long names, of their beginnings. */
size_t near_slips(const char *a, const char *b);
