/* SPDX-License-Identifier: Apache-2.0 */
/*
 * groups.h — the agent's part of the control groups (v2): it bounds algorithms in there, and can't
 * change what bounds itself (Documentation/admin-guide/cgroup-v2.rst, Delegation).
 */
#pragma once

#include "common/base/err.h"

#define GROUPS_AGENT "/sys/fs/cgroup/cocos"

/* Makes GROUPS_AGENT, the agent's to make groups in, and one below it for the agent's own processes;
 * and USERS_KEEPER_GROUP, root's: whom the agent could move, it could kill (cgroup.kill). */
int groups_delegate(struct err *e) MUST_CHECK;

/* This process, and all that it starts, into the latter. */
int groups_enter(struct err *e) MUST_CHECK;
