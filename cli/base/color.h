/* SPDX-License-Identifier: Apache-2.0 */
/*
 * color.h — colours of a word on a terminal, by --color and NO_COLOR (no-color.org).
 */
#pragma once

#include "cli/base/command.h"

enum color { COLOR_GOOD, COLOR_CAUTION, COLOR_BAD };

/* Prints the text in that colour where `out` is to have colours, else as it is. Of --color, auto is a terminal
 * that has colours, unless NO_COLOR is set and not empty. */
void color_print(const struct cli *cli, FILE *out, enum color color, const char *text);
