/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_tell.h — changes that webhooks are told of, said by whoever makes them, in the same transaction.
 *
 * Bodies name what has changed, and its state: no data, no name that people gave it, no reason.
 * `*added`: how many deliveries; it only grows.
 */
#pragma once

#include "computations/hook/hook_delivery.h"

/* Its state may have changed: nothing if that was told. `words`: of the states, by number. */
struct hook_states {
	const char *(*word)(int64_t state); /* for people: "Completed" */
	const enum hook_event *events;      /* of each state; */
	size_t count;
};
int hook_tell_computation(struct db *db, const struct hook_states *states, const char *id,
			  int64_t now, size_t *added, struct err *e) MUST_CHECK;
/* Before it is removed. */
int hook_tell_removed(struct db *db, const char *id, int64_t now, size_t *added,
		      struct err *e) MUST_CHECK;
/* A CVM that was made for a workspace. */
int hook_tell_machine(struct db *db, int64_t workspace, const char *place, const char *name,
		      enum hook_event event, int64_t now, size_t *added, struct err *e) MUST_CHECK;
/* A month's limit is nearly, or all, used: told once. */
int hook_tell_usage(struct db *db, int64_t workspace, const char *month, enum hook_event event,
		    int64_t now, size_t *added, struct err *e) MUST_CHECK;
/* The same, or that a statement is ready, of the account that pays for a workspace; who calls it tells once. */
int hook_tell_account(struct db *db, int64_t workspace, const char *account, const char *month,
		      enum hook_event event, int64_t now, size_t *added, struct err *e) MUST_CHECK;
