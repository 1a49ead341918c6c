/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help.h — what the table of commands looks like to a person.
 */
#pragma once

#include "cli/base/command.h"

/* Options of every command: -h, -v … Ends with a row that has no name. */
extern const struct cli_option help_common_options[];

/* How much of it. */
enum help_extent { HELP_NONE, HELP_SHORT, HELP_ALL };

/* The commands: the common ones and how to find the others, or all. */
void help_overview(enum help_extent extent, FILE *out);

/* The commands of the group that these words name ("policy", "policy create-corim"); false if there
 * is no such group. */
bool help_group(int count, const char *const *words, FILE *out);

/* For a line that names no command: help on all, or on a group, on standard output where that was asked for; else which
 * command was meant. (unknown.c) */
enum cli_exit help_unknown(int argc, char **argv);

/* One command. The short form leaves out the rare options of those that connect, and says how many. */
void help_command(const struct command *command, enum help_extent extent, FILE *out);
