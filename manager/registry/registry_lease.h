/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_lease.h — several managers with one registry: each holds hosts by leases, and alone writes what is theirs.
 *
 * A lease is a row: who holds the host, until when by the database's clock, and a fence, a number that grows with
 * each manager that takes it. Every change of a CVM's record looks, in its own transaction, whether its host's lease
 * is still the one that was taken, and runs. What is done elsewhere than in the registry is preceded by
 * registry_lease_check(), which asks no server: it counts by a clock of this machine that goes on while that sleeps
 * (CLOCK_BOOTTIME), from before the server was last asked, and ends a tenth early.
 *
 * Where the registry is not shared, every host is this manager's.
 */
#pragma once

#include "manager/registry/registry.h"

enum {
	LEASE_MIN_MS = 5 * 1000,
	LEASE_MAX_MS = 300 * 1000,
	LEASES_MAX = 4 * REGISTRY_HOSTS_MAX, /* rows: of all managers' hosts */
};

/* What this manager says of itself to the others. */
struct registry_share {
	const char *name; /* in the form of a host's */
	unsigned lease_ms, vms_max;
};

/* As registry_open(), beside other managers. The tag is the database's: a folder without one is given it. */
int registry_open_shared(const char *dir, const char *database, const struct registry_share *share,
			 struct registry **registry, struct err *e) MUST_CHECK;
bool registry_is_shared(const struct registry *registry);

/* ERR_UNAVAILABLE: this manager does not hold that host now, or may not for long enough. Any thread; does not block. */
int registry_lease_check(const struct registry *registry, const char *host,
			 struct err *e) MUST_CHECK;

/* One row, as it is for all. */
struct registry_lease {
	char host[CVM_HOST_MAX], holder[ACCESS_NAME_MAX + 1];
	char uri[REGISTRY_HOST_URI_MAX];
	int64_t instance, fence, until_ms, lease_ms, vms_max;
	bool runs; /* else whoever wants it may take it */
};

/* What is wanted with a host of this manager's, and what became of that. */
struct registry_wish {
	char host[CVM_HOST_MAX], uri[REGISTRY_HOST_URI_MAX];
	bool added;  /* not of MANAGER_HOSTS: as long as the registry has it */
	bool wanted; /* take it, if nobody else has it */
	bool held;   /* out: it is this manager's now */
	bool taken;  /* out: and was not before the call, or not without a break */
	bool other_uri; /* out: it can't be taken, since who had it last calls another URI by that name */
};

/* A CVM on a host that this manager does not hold. */
struct registry_other {
	char id[CVM_ID_LEN + 1];
	char owner[ACCESS_NAME_MAX + 1], name[CVM_NAME_MAX + 1];
	char host[CVM_HOST_MAX];
	unsigned slot, cpus;
	uint16_t port;
	uint64_t memory;
};

/* All that there is, as of one moment; malloc'ed. */
struct registry_round {
	struct registry_lease *leases;
	size_t lease_count;
	struct registry_host *hosts; /* as registry_hosts() */
	size_t host_count;
	struct cvm *cvms; /* of hosts that were taken */
	size_t cvm_count;
	struct registry_other *others;
	size_t other_count;
	struct cvm_gone *gone; /* REGISTRY_GONE_MAX, if a host was taken */
	size_t gone_count;
	unsigned takeovers; /* hosts that another manager had and did not give back */
};
void registry_round_done(struct registry_round *round);

/* Renews what is held, and takes what is wanted and free. When it fails nothing is taken, and what is held is so no
 * longer than it was. One at a time. */
int registry_lease_round(struct registry *registry, struct registry_wish *wishes, size_t count,
			 struct registry_round *round, struct err *e) MUST_CHECK;

/* Gives all of them back: nothing may be under way. */
int registry_lease_release(struct registry *registry, struct err *e) MUST_CHECK;

/* Where a CVM is, by its id, or (id NULL) by its owner and name: ERR_NOT_FOUND if it has no record. `holder` is empty
 * if nobody holds its host now. */
struct registry_place {
	struct registry_other cvm;
	char holder[ACCESS_NAME_MAX + 1];
	bool mine;
};
int registry_whereabouts(struct registry *registry, const char *id, const char *owner,
			 const char *name, struct registry_place *place, struct err *e) MUST_CHECK;
