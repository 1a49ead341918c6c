/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvm_made.h — the CVMs that the computation service has managers make for a workspace, as text and JSON.
 */
#pragma once

#include "cli/client/computation_client.h"

/* clang-format off */
#define CVM_MADE_WORKSPACE \
	{ .name = "workspace", .value = "NAME", .help = "those that were made for this one" }
/* clang-format on */

/* Of --workspace: all, and the one that the first operand names. */
enum cli_exit cvm_made_list(struct cli *cli, struct err *e);
enum cli_exit cvm_made_show(struct cli *cli, struct err *e);

/* As --json says. */
enum cli_exit cvm_made_print(struct cli *cli, const Computations__Machine *m, struct err *e);
