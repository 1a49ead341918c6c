/* SPDX-License-Identifier: Apache-2.0 */
/* judged.h — the exit status of commands that judge evidence: one table for all of them. */
#pragma once

#include "attestation/verdict/verdict.h"
#include "cli/base/command.h"

/* CLI_OK for a yes, else by what is wrong with the evidence. */
enum cli_exit judged_exit(const struct verdict *v);
enum cli_exit judged_exit_of(enum check_fault fault);
