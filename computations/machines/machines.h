/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machines.h — the CVMs that managers make for workspaces: what each row of store_machine.h still needs is asked of
 * its manager, again and again, until it is so. On the loop.
 *
 * A row is on disk before its manager is asked. After a start each one is first asked for by its tag, which no two CVMs
 * of a manager have: nothing is made twice, and nothing is forgotten.
 */
#pragma once

#include "computations/core/service.h"
#include "computations/machines/manager_table.h"

struct machines;

/* Reads the table (NULL: there is none, and no CVM is made) and what is on disk. Blocking, before the loop runs;
 * managers are asked as soon as it does. */
int machines_new(struct service *service, struct store *store, const char *path,
		 struct machines **machines, struct err *e) MUST_CHECK;
/* Asks nobody any more, and tells who waits. */
void machines_stop(struct machines *machines);
/* When the loop has nothing to do any more. */
void machines_free(struct machines *machines);

/* Lent; does not change. NULL has an empty one. */
const struct manager_table *machines_table(const struct machines *machines);

/* Once, when its manager has said something: `m` as it is then, lent; or `e`: the manager refuses it, or nobody
 * knows. */
struct machine_waiter {
	void (*told)(void *data, const struct machine *m, const struct err *e);
	void *data;
	bool gives_up; /* to be removed, it is gone as soon as its manager knows nothing of it, or can't say */
};

/* To be removed, and its row says that its manager knows nothing of it, or can't be asked what it has. */
bool machine_is_forgotten(const struct machine *m);

/* Its row is there since now, or has changed: `m` is taken over. */
void machines_take(struct machines *machines, struct machine *m,
		   const struct machine_waiter *waiter);
