/* SPDX-License-Identifier: Apache-2.0 */
/*
 * separation.h — agent and keeper as two users without power over the machine, in the guest image.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

/* What the agent, and the jail's process outside, may do as root: a set of 1 << CAP_…. */
extern const uint64_t separation_rights;

/* For root's process of one thread. Hands the devices to the keeper's user and starts the keeper as
 * that one; then this process becomes the agent's user. `*keeper` takes the keeper's socket. */
int separation_make(int *keeper, struct err *e) MUST_CHECK;
