/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_lease_state.h — what the parts of the registry know of leases. Private to registry*.c.
 */
#pragma once

#include "manager/registry/registry_lease.h"
#include "manager/registry/registry_state.h"

/* One that this manager holds. */
struct held_lease {
	char host[CVM_HOST_MAX];
	int64_t fence;
	int64_t until; /* CLOCK_BOOTTIME, ms; the lock's */
};

/* One that another holds for longer than any lease lasts: how long has it been seen so? */
struct odd_lease {
	char host[CVM_HOST_MAX];
	int64_t fence, until_ms, seen; /* seen: CLOCK_BOOTTIME, ms */
};

struct leases {
	pthread_mutex_t lock; /* of `held` alone; registry_lease_check() waits for no server */
	char name[ACCESS_NAME_MAX + 1];
	char machine[MANAGER_MACHINE_MAX + 1], place[MANAGER_PLACE_MAX + 1];
	int64_t instance;  /* this process; nobody else has it */
	int64_t pid, told; /* told: the instance that has this one's name, once it was said */
	int64_t lease_ms, vms_max;
	struct held_lease held[LEASES_MAX];
	size_t count;
	struct odd_lease odd[LEASES_MAX];
	size_t odd_count;
};

/* registry_lease.c. */
int leases_new(const struct registry_share *share, struct leases **leases,
	       struct err *e) MUST_CHECK;
void leases_free(struct leases *leases);
/* The lease that this manager took; 0: none. */
int64_t leases_fence(const struct leases *leases, const char *host);

/* registry_lease_row.c: in the caller's transaction. */
int lease_rows(struct registry *r, struct registry_lease *rows, size_t *count,
	       struct err *e) MUST_CHECK;
/* Drops those that have ended, of hosts without CVMs and of other managers, but the one with that fence, the highest. */
int lease_forget(struct registry *r, int64_t now, int64_t fence, struct err *e) MUST_CHECK;
/* `*changed` false: the row is not what it was. */
int lease_renew(struct registry *r, const struct registry_lease *row, int64_t until_ms,
		bool *changed, struct err *e) MUST_CHECK;
/* `row` NULL: there is none yet. */
int lease_take(struct registry *r, const struct registry_lease *row,
	       const struct registry_wish *wish, int64_t fence, int64_t until_ms, bool *changed,
	       struct err *e) MUST_CHECK;
/* That of the host is this manager's, and runs: what begins a change of what is there. */
int lease_must_run(struct registry *r, const char *host, struct err *e) MUST_CHECK;
/* The same of the CVM's host. */
int lease_must_run_for(struct registry *r, const char *id, struct err *e) MUST_CHECK;
/* Whoever opens the registry for himself alone: ERR_PRECONDITION while somebody holds a host, else nobody does, and
 * those who did are fenced off. */
int lease_end_all(struct registry *r, struct err *e) MUST_CHECK;

/* registry_lease_name.c: in the caller's transaction. The name is this process's, for the time of a lease from now on; or it is
 * not `*mine`, but `other`'s. */
int manager_claim(struct registry *r, int64_t now, bool *mine, struct registry_manager *other,
		  struct err *e) MUST_CHECK;
/* 1: somebody has or had this one's name. */
int manager_find(struct registry *r, int64_t now, struct registry_manager *m,
		 struct err *e) MUST_CHECK;
int manager_leave(struct registry *r, struct err *e) MUST_CHECK;
/* The first claim, in a transaction of its own: ERR_PRECONDITION if the name is another's. */
int manager_start(struct registry *r, struct err *e) MUST_CHECK;
void manager_tell(struct registry *r, const struct registry_manager *other);

/* registry_other.c. */
int other_rows(struct registry *r, struct registry_round *round, const struct registry_wish *wishes,
	       size_t count, struct err *e) MUST_CHECK;
/* Another CVM has that slot or port (ERR_ABORTED: try with another one), or its owner's other one that name. */
int other_check(struct registry *r, const struct cvm *cvm, struct err *e) MUST_CHECK;
