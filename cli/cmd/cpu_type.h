/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu_type.h — a type of processor by QEMU's name, as an option has it.
 */
#pragma once

#include "cli/base/command.h"

#include <stdint.h>

/* The signature of the one that the option names, which was given. ERR_INVALID, with a hint that lists those that are known. */
int cpu_type_option(struct cli *cli, const char *option, uint32_t *signature,
		    struct err *e) MUST_CHECK;
