/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls.h — one function for each target's corpus, and what they share. */
#pragma once

#include "common/base/writer.h"

enum { CALLS_INPUT_MAX = 1 << 20 };

/* To corpus/NAME; `w` is done with. */
void calls_save(const char *name, struct writer *w);

void calls_store_rows(void);
