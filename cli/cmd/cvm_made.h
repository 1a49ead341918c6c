/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvm_made.h — the CVMs that the computation service has managers make for a workspace, as text and JSON.
 */
#pragma once

#include "cli/client/computation_client.h"
#include "common/rpc/reach.h"

/* clang-format off */
#define CVM_MADE_WORKSPACE \
	{ .name = "workspace", .value = "NAME", .help = "those that were made for this one" }

/* How a CVM is to be, as cvm_made_wish() reads it. */
#define CVM_MADE_WISHES \
	{ .name = "manager", .value = "NAME", .help = "by that manager (the only one, or any of the only fleet)" }, \
	{ .name = "image", .value = "NAME", .help = "of that image (the manager's default)" }, \
	{ .name = "tee", .value = "TEE", .words = cvm_made_tees, .help = "in that and nothing else: snp, tdx, none (as the manager is set)" }, \
	{ .name = "cpus", .value = "N", .help = "as many CPUs (as the manager is set)" }, \
	{ .name = "memory", .value = "SIZE", .help = "as much memory: 512M, 2G (as the manager is set)" }, \
	{ .name = "ttl", .value = "DURATION", .help = "remove it after: 90m, 1h30m" }
/* clang-format on */

extern const char *const cvm_made_tees[];

/* What was given to that option, or "". */
char *cvm_made_text(const struct cli *cli, const char *option);
int cvm_made_wish(const struct cli *cli, Computations__CreateCvmRequest *request,
		  struct err *e) MUST_CHECK;

/* Of --workspace: all, and the one that the first operand names. */
enum cli_exit cvm_made_list(struct cli *cli, struct err *e);
enum cli_exit cvm_made_show(struct cli *cli, struct err *e);

/* Where owners reach the agent that has the computation, by what the service says of the CVM: "" where it does not know,
 * as of one that it did not have made, or not yet. */
void cvm_made_address(struct client *client, const Computations__Computation *c,
		      char address[REACH_MAX]);

/* As --json or -o says. */
enum cli_exit cvm_made_print(struct cli *cli, const Computations__Machine *m, struct err *e);
