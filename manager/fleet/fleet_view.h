/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet_view.h — CVMs as clients see them: their states, what changed, and who wants to be told.
 *
 * Each change has a revision, higher than all before it. Revisions begin anew with each start of the
 * manager, above those of the start before (registry_epoch()), so that an old one is known for it. What is
 * kept are the CVMs as they are, in the order of their last change, and REGISTRY_GONE_MAX of
 * those that are gone: a reader who is further behind than these has missed something, and is told.
 */
#pragma once

#include "common/access/access.h"
#include "common/rpc/source.h"
#include "manager/fleet/placement.h"
#include "manager/registry/registry.h"

#include <sys/queue.h>

enum { FLEET_WATCHERS_MAX = 64 };

struct fleet;
struct slot;
struct gone_entry;

enum vm_state {
	VM_CREATING,
	VM_RUNNING,
	VM_LOST, /* libvirt can't be asked */
	VM_REMOVING,
	VM_EXITED,
	VM_STATES,
};

/* One CVM, or what is remembered of it: one of the two is NULL. Valid until the loop continues. */
struct vm_view {
	const struct cvm *cvm;
	const struct cvm_gone *gone;
	const char *host_address; /* fleet_address() */
	enum vm_state state;
	uint64_t revision;
};

const char *vm_state_name(enum vm_state state);

/* The hosts, by their place; false behind the last. Without a table the single one, which has no name. */
struct host_view {
	const struct host_row *row;
	const char *uri, *address;
	bool is_there, lost; /* neither: it is dialled for the first time */
	const char *twin_of; /* another host, whose machine it is; NULL: none */
	bool added, draining;
	bool tees[HOST_TEES];
	struct placement_size has, used; /* machines: with those that have no record */
	unsigned strays;                 /* these */
	const char *holder; /* the manager that has it, where several share the registry; else "" */
	const char *held_uri; /* by which that one calls it, if it is another one; NULL */
	bool held;            /* it is this one */
};
bool fleet_host_view(const struct fleet *fleet, size_t place, struct host_view *view);

/* Which manager has the host, where several share the registry, as of the last look there; "": none, or they don't. */
const char *fleet_host_holder(const struct fleet *fleet, const char *name);
bool fleet_is_shared(const struct fleet *fleet);
/* How many are held, and how often one was taken that another manager had not given back. */
unsigned fleet_leases(const struct fleet *fleet);
uint64_t fleet_takeovers(const struct fleet *fleet);

/* How many are gone for that cause since this manager began. */
uint64_t fleet_ended(const struct fleet *fleet, enum cvm_why why);

/* The last change's. */
uint64_t fleet_revision(const struct fleet *fleet);

/* At least the last change's; every later change's is higher. For what a client is told. */
uint64_t fleet_revision_now(struct fleet *fleet);

/* Whether changes after this revision of what the caller may see can all be told: ERR_OUT_OF_RANGE if it is of
 * an earlier start, or too old; ERR_INVALID if it has not been yet. */
int fleet_check_revision(const struct fleet *fleet, uint64_t revision,
			 const struct access_caller *caller, struct err *e) MUST_CHECK;

/* All places that a CVM, and after them one that is gone, can have: 0 to fleet_places() - 1. False for
 * one that is empty. A CVM keeps its place. */
size_t fleet_places(const struct fleet *fleet);
bool fleet_view(const struct fleet *fleet, size_t place, struct vm_view *view);

/* Of what the caller may see: by id, or by the name of one of his own; an operator finds a tenant's by
 * "TENANT/NAME". One that is gone only if none that is there has it, then the last. */
bool fleet_view_find(const struct fleet *fleet, const struct access_caller *caller,
		     const char *id_or_name, struct vm_view *view);

const char *vm_view_owner(const struct vm_view *view);

/* What changed after a revision, in that order. Valid until the loop continues. */
struct fleet_changes {
	const struct fleet *fleet;
	const struct slot *slot;
	const struct gone_entry *gone;
};
struct fleet_changes fleet_changes_after(const struct fleet *fleet, uint64_t revision);
bool fleet_changes_next(struct fleet_changes *changes, struct vm_view *view);

/* The newest of those that are gone and forgotten, an operator's of all, a tenant's of his own: 0 if none was
 * forgotten. When the places are used up, the oldest of whoever has most of them is forgotten. */
uint64_t fleet_forgotten(const struct fleet *fleet, const struct access_caller *caller);

/* Is told that something changed, from the loop. `end` asks it to end, as the manager does. Removes itself
 * when it has ended. */
struct fleet_watcher {
	LIST_ENTRY(fleet_watcher) link;
	uint64_t told; /* fleet_changes.c's */
	void (*changed)(struct fleet_watcher *watcher);
	void (*end)(struct fleet_watcher *watcher, const struct err *why);
	struct rpc_source source; /* the caller, who gets a share of the places */
};

/* Where there are enough, the oldest of the caller who has most of them ends, with ERR_EXHAUSTED, if that one
 * then still has as many as the one that comes; else ERR_EXHAUSTED. ERR_UNAVAILABLE after
 * fleet_end_watches(). */
int fleet_watch(struct fleet *fleet, struct fleet_watcher *watcher, struct err *e) MUST_CHECK;
void fleet_unwatch(struct fleet *fleet, struct fleet_watcher *watcher);

/* No watcher from now on: they would keep the manager from its end. */
void fleet_end_watches(struct fleet *fleet);
