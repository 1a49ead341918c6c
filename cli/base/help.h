/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help.h — what the table of commands looks like to a person.
 */
#pragma once

#include "cli/base/command.h"

/* Options of every command: -h, -v. Ends with a row that has no name. */
extern const struct cli_option help_common_options[];

void help_overview(FILE *out);

/* The commands of the group that these words name ("policy", "policy create-corim"); false if there
 * is no such group. */
bool help_group(int count, const char *const *words, FILE *out);

void help_command(const struct command *command, FILE *out);
