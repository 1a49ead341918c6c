/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_post.h — one try of one delivery: an HTTP/1.1 POST to an address that was looked at just before the connection.
 *
 * TLS 1.2 or newer with the receiver's name and chain verified, and ECDHE alone; no proxy, whatever the environment names,
 * no redirect, no cookie, no connection that is kept. Of the answer the status counts: the rest is thrown away, and soon
 * no longer read. Blocks, HOOK_TRY_MS at most.
 */
#pragma once

#include "computations/hook/hook_delivery.h"

#include <stdatomic.h>

enum {
	HOOK_TRY_MS = 15000,
	HOOK_CONNECT_MS = 8000,
	HOOK_ANSWER_MAX = 16 << 10, /* bytes of headers, and of a body */
};

struct hook_post;

/* One thread at a time. `nets` and `stopped` outlive it; `ca` (may be NULL) is in place of the system's authorities. Once
 * `*stopped`, a try ends within about a second. */
int hook_post_new(const struct hook_nets *nets, const char *ca, const atomic_bool *stopped,
		  struct hook_post **made, struct err *e) MUST_CHECK;
void hook_post_free(struct hook_post *post);
DEFINE_CLEANUP(struct hook_post *, hook_post_free)

/* `now`: ms since 1970, of webhook-timestamp. Never fails: what went wrong is the outcome's problem. */
void hook_post_try(struct hook_post *post, const struct hook_try *t, int64_t now,
		   struct hook_outcome *outcome);
