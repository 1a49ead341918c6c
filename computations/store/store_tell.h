/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_tell.h — what this room changes, as webhooks are told of it (computations/hook/hook_tell.h): in the transaction
 * that changes it, so that what is told is so, and nothing is lost. `*has_told` is set once there is something to send.
 */
#pragma once

#include "common/db/db.h"
#include "computations/hook/hook_event.h"

/* Its state may have changed. */
int store_tell(struct db *db, bool *has_told, const char *computation, struct err *e) MUST_CHECK;
/* It is about to be removed. */
int store_tell_removed(struct db *db, bool *has_told, const char *computation,
		       struct err *e) MUST_CHECK;
/* A CVM that is made for a workspace, by both their names: made, lost or removed. */
int store_tell_machine(struct db *db, bool *has_told, int64_t workspace, const char *place,
		       const char *name, enum hook_event event, struct err *e) MUST_CHECK;
/* A limit of a workspace's month is nearly reached, or (`spent`) reached. */
int store_tell_usage(struct db *db, bool *has_told, int64_t workspace, bool spent,
		     const char *month, struct err *e) MUST_CHECK;
