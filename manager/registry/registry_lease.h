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
 * Each manager has a name, which one process has at a time: it says who it is in a row when it starts, and again with each
 * round of leases. While that row runs no other process takes the name; where it shows that the one before has ended, its
 * own restart takes name and leases at once.
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

/* One manager, as its row says. */
enum {
	MANAGER_MACHINE_MAX = 64,
	MANAGER_PLACE_MAX = 96,
	MANAGERS_MAX = 512, /* rows */
};

struct registry_manager {
	char name[ACCESS_NAME_MAX + 1];
	char machine[MANAGER_MACHINE_MAX + 1];
	char place[MANAGER_PLACE_MAX + 1]; /* empty: nobody knows */
	int64_t instance, pid;
	int64_t started_ms, until_ms; /* by the database's clock */
	bool runs;                    /* it said so, and is not over its time */
};

/* One line: which process that is, where, since when, and until when it has the name if it says nothing more. */
enum { MANAGER_TEXT_MAX = 320 };
void registry_manager_text(const struct registry_manager *manager, char text[MANAGER_TEXT_MAX]);

/* What this manager says of itself to the others. */
struct registry_share {
	const char *name; /* in the form of a host's */
	/* Where one manager runs at a time, and nobody else ever says that; NULL: nobody knows. The next one that says it
	 * takes over at once what this one had. */
	const char *place;
	unsigned lease_ms, vms_max;
};

/* As registry_open(), beside other managers. The tag is the database's: a folder without one is given it.
 * ERR_PRECONDITION: a manager of that name is there, of which the error says where and since when. */
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
