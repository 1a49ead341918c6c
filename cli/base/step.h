/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step.h — one step of a launch measurement as a line: number, type, address, digest of the
 * contents, digest afterwards; tabs between.
 */
#pragma once

#include "attestation/measure/snp_launch.h"
#include "cli/base/command.h"

#define STEP_TRACE_OPTION \
	{ .name = "trace", .help = "print each step: number, type, address, contents, digest" }

/* For `trace` of snp_measure() and igvm_measure(); `data` is the struct cli. */
void step_print(void *data, const struct snp_step *step);
