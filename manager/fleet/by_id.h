/* SPDX-License-Identifier: Apache-2.0 */
/*
 * by_id.h — uthash as the manager has it: what could not be added for want of memory is not found, and the hash is
 * one in which no compiler sees a case that falls through.
 */
#pragma once

#define HASH_NONFATAL_OOM             1
#define HASH_FUNCTION(key, len, hash) HASH_OAT(key, len, hash)
#include <uthash.h>
