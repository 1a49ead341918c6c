/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_reach.h — how the agent of a CVM is reached that a manager has just made: told, kept as a profile, and
 * waited for.
 */
#pragma once

#include "cli/client/client.h"
#include "common/rpc/reach.h"
#include "manager.pb-c.h"

/* clang-format off */
#define SAVE_PROFILE_OPTION \
	{ .name = "save-profile", .value = "NAME", \
	  .help = "keep a new profile: that of --profile, or in use, with this agent's address" }

#define VM_REACH_OPTIONS \
	SAVE_PROFILE_OPTION, \
	{ .name = "wait", .value = "DURATION", .optional = true, \
	  .help = "wait until the agent listens, which it does once it has a computation (24h)" }
/* clang-format on */

/* Before anything is made: what is wrong with these options is said then. */
int vm_reach_check(const struct cli *cli, struct err *e) MUST_CHECK;
int vm_reach_check_profile(const struct cli *cli,
			   struct err *e) MUST_CHECK; /* of --save-profile alone */

/* HOST:PORT: the host that the manager names, or its own, and the port that is forwarded there. ERR_INVALID if it
 * names no port. */
int vm_reach_address(const struct client *manager, const Manager__CreateRes *made,
		     char address[REACH_MAX], struct err *e) MUST_CHECK;

/* The profile that --save-profile asks for; 0 at once where it is not given. */
int vm_reach_save(const struct cli *cli, const char *address, struct err *e) MUST_CHECK;

/* 0 at once without --wait. ERR_ABORTED: the manager says that the CVM is gone. */
int vm_reach_wait(struct client *manager, const char *id, const char *address,
		  struct err *e) MUST_CHECK;
