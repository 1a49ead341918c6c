/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet_room.h — a fleet on its own loop, with steps and a libvirt that do what each test tells
 * them.
 */
#pragma once

#include "manager/fleet/fleet.h"
#include "tests/unit.h"

#include <stdatomic.h>
#include <time.h>

/* What the world outside answers. */
struct fleet_world {
	atomic_int creations, removals, connects, stops;
	atomic_int fail_creation;   /* a code; 0 succeeds */
	atomic_int leave_step;      /* a failed creation leaves this behind */
	atomic_int fail_removals;   /* this many times, with UNAVAILABLE */
	atomic_bool begins_removal; /* a removal that fails has recorded that it began */
	atomic_int fail_connects;
	atomic_bool lacks_image;
	atomic_bool insisted;
	char stopped[VIRT_UUID_LEN + 1], created[CVM_ID_LEN + 1];
	struct cvm saved;                      /* what a stray's record says */
	struct virt_domain domains[4], *crowd; /* crowd: in their place, malloc'ed */
	size_t domain_count;
	struct virt_size size; /* of each domain; without CPUs: libvirt does not say */
	struct virt_host host; /* of each host; the next one's UUID is that of `uuids` */
	const char *uuids[4];
	atomic_size_t asked;      /* how often */
	size_t volumes;           /* in each pool */
	bool vanish;              /* the domains, as soon as they were asked for once more */
	atomic_int hanging_dials; /* the next so many wait until it is negative */
	atomic_uint broken_dials; /* how often one was told to end, which they then do */
	atomic_bool hangs;        /* who asks for them waits until it is false again */
	atomic_bool hangs_steps;  /* and so does who makes or removes a CVM */
	atomic_int
		hangs_records; /* an adoption waits while it is: 1 before it is recorded, 2 then */
};

extern struct fleet_world fleet_world;

/* By how many seconds somebody has set the wall clock. */
extern time_t fleet_room_clock_step;

struct fleet_room {
	uv_loop_t loop;
	struct config config;
	struct registry *registry;
	struct ports *ports;
	struct vm_hosts hosts;
	struct lifecycle lifecycle;
	struct fleet *fleet;
	char secrets[64], table[64];
};

/* What the callbacks were told. */
struct fleet_told {
	unsigned created, failed, removed, not_removed, adopted, not_adopted, listed;
	struct stray strays[4];
	size_t stray_count, over_count;
	bool unwanted;
	char id[CVM_ID_LEN + 1];
	struct err e;
};

/* Around the group of tests, and after each of them. */
int fleet_room_make_dir(void **state);
int fleet_room_remove_dir(void **state);
int fleet_room_clear(void **state);
#define FLEET_ROOM_ROW(name_) cmocka_unit_test_teardown(name_, fleet_room_clear)

/* Everything but the fleet, with a world that does what it is asked; then the fleet; then both. */
void fleet_room_prepare(struct fleet_room *m, unsigned max_vms);
void fleet_room_open(struct fleet_room *m);

/* The same with that table of hosts, which are there as soon as the fleet is open. */
void fleet_room_prepare_hosts(struct fleet_room *m, unsigned max_vms, const char *table);
/* The same, beside other managers: this one is called "a". */
void fleet_room_prepare_shared(struct fleet_room *m, unsigned max_vms, const char *table);
void fleet_room_connect(struct fleet_room *m);
void fleet_room_fresh(struct fleet_room *m, unsigned max_vms);
void fleet_room_close(struct fleet_room *m);

/* Runs the loop until no job is under way and no timer is due at once. */
void fleet_room_settle(struct fleet_room *m);

/* A request that is right; and a CVM that is made by it, with that time to live ("": without end).
 */
Manager__CreateReq fleet_room_request(void);
void fleet_room_create(struct fleet_room *m, struct fleet_told *told, const char *ttl);

/* The callbacks, whose data is a struct fleet_told. */
bool fleet_room_created(void *data, const struct cvm *cvm, const struct err *e);
void fleet_room_removed(void *data, const struct err *e);
void fleet_room_listed(void *data, const struct strays *found, const struct err *e);
void fleet_room_adopted(void *data, const struct cvm *cvm, const struct err *e);

/* Makes what a CVM leaves: its folders, with a record, and a domain of that name ("": none). */
void fleet_room_leave(struct fleet_room *m, const char *id, const char *domain);
