/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c — every command, one line each, in the order in which help lists them. */
#include "cli/commands.h"

const struct command *const commands[] = {
	&cmd_keys,
	&cmd_checksum,

	&cmd_completion,
	&cmd_help,
	&cmd_version,
	NULL,
};
