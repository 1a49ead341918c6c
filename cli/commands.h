/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h — the rows that the cmd_*.c files define. */
#pragma once

#include "cli/command.h"

/* cmd_keys.c, cmd_checksum.c */
extern const struct command cmd_keys, cmd_checksum;

/* cmd_about.c */
extern const struct command cmd_completion, cmd_help, cmd_version;
