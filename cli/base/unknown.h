/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unknown.h — a line that names no command: help on all, on a group, or which command was meant.
 */
#pragma once

#include "cli/base/command.h"

/* Says what there is, on standard output where that was asked for. */
enum cli_exit unknown_command(int argc, char **argv);
