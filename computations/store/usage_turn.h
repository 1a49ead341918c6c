/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_turn.h — where one computation's share of what a CVM ran ends, and another's begins (store_usage.h).
 */
#pragma once

#include "common/db/db.h"

/* What the CVM holds has changed, as its agent says or was told: what ran until now was for the one before. Nothing for a
 * CVM that no manager was asked for. */
int usage_turn(struct db *db, const char *cvm_id, int64_t now, struct err *e) MUST_CHECK;
