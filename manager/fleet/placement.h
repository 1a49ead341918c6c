/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placement.h — on which host a CVM goes: one that may take it, has its TEE and room for it, and of these the one
 * that is then used least. Looks at nothing but what it is given.
 */
#pragma once

#include "manager/registry/host_table.h"
#include "manager/settings/config.h"

struct placement_size {
	uint64_t cpus, memory, machines; /* memory: bytes */
};

struct placement_host {
	bool is_there, draining;
	bool is_twin;              /* its machine is that of a host before it */
	bool is_crowded;           /* by machines without a record */
	bool said[HOST_TEES];      /* by the table */
	bool tees[HOST_TEES];      /* those of them that it has */
	struct placement_size has; /* 0: no limit */
	struct placement_size used;
};

/* What the CVM may be protected by: any of these. ERR_PRECONDITION: nothing in this fleet. Where a host of the table
 * has a TEE, an unprotected CVM is never what `auto` means, also if that host is full or gone. */
struct placement_wish {
	bool tees[HOST_TEES];
	uint64_t cpus, memory;
};
int placement_tees(const struct config *config, enum config_tee wish,
		   const struct placement_host *hosts, size_t count, bool tees[HOST_TEES],
		   struct err *e) MUST_CHECK;

/* ERR_EXHAUSTED: hosts that could take it have no room; ERR_UNAVAILABLE: those that might can't be reached;
 * ERR_PRECONDITION: no host takes it. The text counts why. */
int placement_choose(const struct placement_host *hosts, size_t count,
		     const struct placement_wish *wish, size_t *chosen, struct err *e) MUST_CHECK;

/* Which of the wished TEEs a CVM there gets. */
enum domain_tee placement_tee(const struct placement_host *host, const struct placement_wish *wish);
