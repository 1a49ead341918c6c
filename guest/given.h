/* SPDX-License-Identifier: Apache-2.0 */
/*
 * given.h — where the agent finds what the host gave it: two folders in memory, written once by init.
 */
#pragma once

#include "common/base/err.h"
#include "guest/mounts.h"

#include <sys/types.h>

#define GIVEN_CONFIG MOUNTS_ROOT "/etc/cocos"
#define GIVEN_CERTS  MOUNTS_ROOT "/etc/certs"

/* An empty folder at `target`, for the agent alone. */
int given_open(const char *target, struct err *e) MUST_CHECK;

/* A new file in it, for `owner` alone to read ((uid_t)-1: for who calls); open for writing. */
int given_make(int dir, const char *name, uid_t owner, struct err *e) MUST_CHECK;

/* Nothing changes in it any more. */
int given_seal(const char *target, struct err *e) MUST_CHECK;
