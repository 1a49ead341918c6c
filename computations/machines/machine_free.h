/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_free.h — how much room a manager has for new CVMs, by TEE, as it says when it is asked. On the loop.
 *
 * It is the manager's word of that moment, for people who choose: what is made is decided when it is made. A manager tells
 * its operators alone (ListHosts), so one where this service is a tenant says no.
 */
#pragma once

#include "computations/machines/machines.h"

enum {
	MACHINE_FREE_TEES = 3,
	MACHINE_FREE_ASKED_MAX = 8, /* of one manager at a time */
	MACHINE_FREE_MS = 2000,     /* somebody waits for it */
};

extern const char *const machine_free_tees[MACHINE_FREE_TEES];

/* UINT64_MAX: without a limit that the manager knows. */
struct machine_free_room {
	uint64_t cvms, cpus, memory;
};
struct machine_free_tee {
	bool is_there;                 /* a host takes new ones of it */
	struct machine_free_room all;  /* hosts together */
	struct machine_free_room most; /* that one CVM may have, where there is most memory */
};
struct machine_free {
	struct machine_free_tee tees[MACHINE_FREE_TEES];
};

/* Once, never from within machine_free_ask(). `e`: what it or the way to it fails with, in the manager's name. */
typedef void machine_free_fn(void *data, const struct machine_free *free, const struct err *e);

/* Of that row of the table. Whether he may, the caller has found out. ERR_EXHAUSTED: MACHINE_FREE_ASKED_MAX are under way. */
int machine_free_ask(struct machines *machines, size_t manager, machine_free_fn *answered,
		     void *data, struct err *e) MUST_CHECK;
