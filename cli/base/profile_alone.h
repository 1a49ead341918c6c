/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_alone.h — a call whose settings are those of a profile that is not kept yet, and nobody else's: for
 * who tries whether a command could be run with it.
 */
#pragma once

#include "cli/base/profile.h"

/* What profile_write() refuses, without writing. */
int profile_check(const struct keyfile_entry *entries, size_t count, struct err *e) MUST_CHECK;

/* The call's own options win, as always; the environment is not asked. The entries are copied. */
int profile_alone(struct cli *cli, const struct keyfile_entry *entries, size_t count,
		  struct err *e) MUST_CHECK;
void profile_alone_done(struct cli *cli);
