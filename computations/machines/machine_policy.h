/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_policy.h — what a CVM's manager publishes as its policy, asked for in a user's name. On the loop.
 *
 * It is the manager's word, handed on as it came: whoever does not trust manager and service computes his own from the image.
 */
#pragma once

#include "common/base/span.h"
#include "computations/machines/machines.h"

enum {
	MACHINE_POLICIES_MAX = 8, /* asked of one manager at a time */
	MACHINE_POLICY_MS = 15 * 1000,
};

/* As `cocos-cli policy download` takes them. */
enum machine_policy_kind { MACHINE_POLICY_JSON, MACHINE_POLICY_CORIM };

struct machine_policy {
	enum machine_policy_kind kind;
	struct span bytes; /* lent */
};

/* Once, never from within machine_policy_ask(). `e`: what the manager or the way to it fails with, in its name;
 * ERR_UNAVAILABLE also where its answer is no policy. */
typedef void machine_policy_fn(void *data, const struct machine_policy *policy,
			       const struct err *e);

/* Whether he may, the caller has found out. ERR_PRECONDITION: `m` is not made yet, or gone; ERR_EXHAUSTED:
 * MACHINE_POLICIES_MAX are asked already. */
int machine_policy_ask(struct machines *machines, const struct machine *m,
		       machine_policy_fn *answered, void *data, struct err *e) MUST_CHECK;
