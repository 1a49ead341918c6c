/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet_state.h — what the parts of the fleet share: its slots, and its jobs in the pool. Private
 * to fleet*.c; everything but a job's work runs on the loop thread.
 */
#pragma once

#include "manager/fleet/by_id.h"
#include "manager/fleet/fleet.h"
#include "manager/fleet/fleet_view.h"
#include "manager/launch/admission.h"
#include "manager/registry/registry_lease.h"

enum {
	FLEET_RETRY_FIRST_MS = 250,
	FLEET_RETRY_LAST_MS = 5000,
	FLEET_LAST_WORDS_MAX = 256,
	FLEET_IMAGE_MS = 10 * 1000, /* between two looks at the image's files */
	FLEET_TURNS = 2,            /* fleet_host_change.c */
	FLEET_DIALS = FLEET_TURNS,  /* the turn of jobs that dial: see fleet_begin() */
	FLEET_PLACES_MAX = 64,  /* slots and ports that a creation tries beside other managers */
	FLEET_ORPHANS_MAX = 64, /* stopped after one look at libvirt's domains */
};

enum slot_state {
	SLOT_FREE,
	SLOT_CREATING, /* a job is under way */
	SLOT_RUNNING,
	SLOT_REMOVING, /* a job is under way */
	SLOT_DOOMED,   /* to be removed; waits for the next try */
};

struct waiter {
	struct waiter *next;
	fleet_removed_fn *done;
	void *data;
};

/* One host, as its libvirt's events say. */
struct fleet_host {
	LIST_ENTRY(fleet_host) link; /* of those that were removed */
	struct fleet *fleet;
	struct vm_host *host;
	uv_timer_t reconnect;
	unsigned reconnect_ms;
	bool connecting, connect_again, looking, look_again;
	bool is_there, lost; /* lost: libvirt was there, and is not now */
	bool is_known;       /* `info` is of this connection */
	bool told_twin;      /* that it is another host's machine */
	unsigned number;     /* among all that are there or still being let go: fleet_host_bit() */
	size_t stray_count;  /* of those that are counted (fleet_stray_use.c) */
	bool strays_over;    /* it has more than are counted: nothing new is launched there */
	bool leaving;        /* it is being removed: nothing new is launched there */
	bool removed;        /* jobs that began before may still have it */
	bool held;           /* it is this manager's: where no other shares the registry, always */
	struct cvm *
		pending; /* held by now, but slots of its CVMs are still being left (fleet_lease.c) */
	size_t pending_count;
	struct virt_host info;
};

struct slot {
	struct fleet *fleet;
	unsigned number;
	struct fleet_host *host; /* where it runs */
	enum slot_state state;
	struct cvm cvm;
	uv_timer_t timer; /* RUNNING: the end of its time; DOOMED: the next try */
	uint64_t ends;    /* uv_now() when its time is up; 0: not started yet */
	unsigned retry_ms;
	bool doomed;       /* must go even if nobody asks */
	bool forsaken;     /* its host is another manager's by now: left as soon as its job ends */
	bool died;         /* its domain ended while it was being created */
	bool looked;       /* was running when libvirt's domains were last asked for */
	bool seen;         /* libvirt has said that it runs, since it was last there */
	uint64_t revision; /* of its last change; 0: it has not been told of */
	TAILQ_ENTRY(slot) link;
	struct waiter *waiters;
	UT_hash_handle hh; /* unless it is FREE: found by cvm.id */
};

TAILQ_HEAD(slot_list, slot);

/* One that is gone (fleet_gone.c). It keeps its place until it is forgotten. */
struct gone_entry {
	struct cvm_gone gone;
	struct gone_share *share;
	TAILQ_ENTRY(gone_entry) link;
};

TAILQ_HEAD(gone_list, gone_entry);

/* How many of the places one owner's have, and the newest of his that was forgotten. */
struct gone_share {
	char owner[ACCESS_NAME_MAX + 1];
	size_t count;
	uint64_t forgotten;
};

struct fleet {
	uv_loop_t *loop;
	struct lifecycle *lifecycle;
	struct slot **slots,
		*by_id;    /* slots: each when it is used first, NULL before (fleet_slot.c) */
	bool *others_have; /* of each slot: a CVM of another manager has it */
	uint64_t *
		blocked; /* the same: on these hosts a domain without a record has the name of its CVM */
	unsigned count, handles;
	struct fleet_host *hosts[HOSTS_MAX];
	size_t host_count, removed_count;
	uint64_t host_numbers;                                 /* bits: taken */
	LIST_HEAD(fleet_host_list, fleet_host) removed, going; /* fleet_host_change.c */
	bool changes_hosts;                                    /* one is being added or drained */

	uv_timer_t look_at_image;
	bool lacks_image, checks_image;
	void (*health)(void *data, bool serving);
	void *health_data;

	struct gone_entry gone[REGISTRY_GONE_MAX]; /* removed lately */
	size_t gone_count;
	struct gone_list gone_order; /* the last one at the end */
	struct gone_share shares[REGISTRY_GONE_MAX];
	size_t share_count;
	uint64_t ended[CVM_WHYS]; /* of this manager's life */

	/* What clients see of it (fleet_changes.c). */
	struct slot_list changed; /* those that were told of, the last change at the end */
	uint64_t first_revision, revision, started_ms;
	uint64_t forgotten,
		forgotten_rest; /* of all owners; of those that have no share any more */
	LIST_HEAD(, fleet_watcher) watchers;
	uv_timer_t tell;
	bool ends_watches;

	/* Beside other managers (fleet_lease.c). */
	uv_timer_t lease;
	bool in_round;
	LIST_HEAD(where_list, where) wheres; /* calls that look for a CVM (fleet_where.c) */
	unsigned host_changes; /* how many began or ended: what was read before one is old */
	struct registry_lease *leases;
	struct registry_other *others;
	size_t lease_count, other_count;
	uint64_t takeovers;
	uint32_t refused
		[REGISTRY_HOSTS_MAX]; /* of hosts that are, and were said to be (fleet_lease_hosts.c) */
	size_t refused_count;
	uint64_t valid_from; /* revisions before it do not tell all */

	struct ask *asks; /* under way, about strays (fleet_stray.c) */
	struct stray_use *stray_uses;
	unsigned jobs, jobs_of[FLEET_TURNS + 1],
		turn; /* all; and by the turn in which they began */
	bool closing;
};

struct host_change;
struct lease_round;
struct where;

/* One piece of work in the pool. */
struct job {
	struct fleet *fleet;
	struct slot *slot;
	struct fleet_host *host; /* NULL: the slot's; without one it is no host's */
	struct virt_host info;
	struct cvm cvm; /* a copy */
	struct cvm_request request;
	fleet_created_fn *created;
	void *data;
	bool insist, died, dials;
	char last_words[FLEET_LAST_WORDS_MAX];
	struct virt_domain *domains;
	struct virt_size size;
	struct strays strays;
	size_t domain_count;
	struct host_change *change; /* owned */
	struct lease_round *round;  /* owned */
	struct where *where;        /* owned */
	unsigned tries;             /* of a creation: places that other managers had */
	unsigned turn;
	int result;
	struct err err;
};

/* A job begins and ends, of whatever kind: what it may use is not freed in between (fleet_host_change.c). One that dials
 * may take for ever, but uses its own host alone: it keeps that one. */
unsigned fleet_begin(struct fleet *f, bool dials);
void fleet_end(struct fleet *f, unsigned turn);

/* Runs in the host's own threads, or in the pool; `done` on the loop, where fleet_job_end() frees it. If it could not be
 * started, the caller still owns it. */
int fleet_job_start(struct fleet *f, struct job *job, void (*work)(void *), void (*done)(void *),
		    struct err *e) MUST_CHECK;
void fleet_job_end(struct job *job);

/* Which hosts are this manager's, of several that share the registry (fleet_lease.c): once, with the server's answer waited
 * for; then again and again, until fleet_lease_stop(). Nothing where it is not shared. */
int fleet_lease_first(struct fleet *f, struct err *e) MUST_CHECK;
void fleet_lease_start(struct fleet *f);
void fleet_lease_done(struct fleet *f);
void fleet_round_free(struct lease_round *round);
/* What this machine keeps of it (fleet_lease_folder.c). */
void fleet_lease_keep_folder(struct fleet *f, const struct cvm *cvm);
void fleet_lease_leave_folder(struct fleet *f, const struct cvm *cvm);
/* What its job did is over, and its host is not this manager's any more: nothing is told of it. */
void fleet_lease_leave(struct slot *slot);
/* A CVM that is made, beside other managers. Another one was quicker with its slot or port, and nothing was recorded: true,
 * with another place, or the end of the job. */
bool fleet_lease_tries_again(struct job *job, void (*work)(void *data), void (*done)(void *data));
/* Its host went away meanwhile: says so in the job's error, also where it was made. */
void fleet_lease_not_made(struct job *job);
/* The others' CVMs, of one owner (NULL: of all), as the last look at the registry found them: what was made since is not there
 * yet. */
unsigned fleet_lease_others(const struct fleet *f, const char *owner, struct admission_use *use);
/* The host is this manager's, and will be for a while. */
bool fleet_host_is_held(const struct fleet_host *host);
/* Who has it calls it by another URI: that; else NULL. */
const char *fleet_lease_uri(const struct fleet *f, const struct fleet_host *host);
/* What the registry says of hosts, beside those that are there (fleet_lease_hosts.c). */
void fleet_lease_hosts(struct fleet *f, const struct registry_host *known, size_t count);

/* From a record: one that was left half made goes (fleet.c). */
int fleet_take_up(struct fleet *f, const struct cvm *cvm, struct err *e) MUST_CHECK;

/* Takes it away from all that find it; its connection has ended (fleet_host_change.c). */
void fleet_host_hide(struct fleet_host *host);

/* What was seen so far is not all any more: who watches begins anew (fleet_changes.c). `slot` is told of no more. */
void fleet_view_forget(struct slot *slot);
uint64_t fleet_view_next(struct fleet *f);
void fleet_view_anew(struct fleet *f);

/* One CVM's place (fleet_slot.c). The CVM of that id, or NULL. */
struct slot *fleet_slot_find(const struct fleet *f, const char *id);
/* One of that owner's has that name. */
bool fleet_slot_named(const struct fleet *f, const char *owner, const char *name);

/* The first that is free and whose name a CVM on that host can have (NULL: on any); FLEET_NO_SLOT: none. */
enum { FLEET_NO_SLOT = REGISTRY_ROWS_MAX };
unsigned fleet_slot_unused(const struct fleet *f, const struct fleet_host *host);

/* So many, none of which costs more than a few bytes before it is used. */
int fleet_slots_new(struct fleet *f, unsigned count, struct err *e) MUST_CHECK;
void fleet_slots_free(struct fleet *f);

/* That one, to be used from now on. */
int fleet_slot_make(struct fleet *f, unsigned number, struct slot **slot, struct err *e) MUST_CHECK;

/* Each that was ever used, from `*number` 0 on; NULL: no more. */
static inline struct slot *fleet_slot_next(const struct fleet *f, unsigned *number)
{
	while (*number < f->count)
		if (f->slots[(*number)++])
			return f->slots[*number - 1];
	return NULL;
}

/* From here on it is that CVM's, and found by its id; until it is left again, or free. */
int fleet_slot_take(struct fleet *f, struct slot *slot, const struct cvm *cvm,
		    enum slot_state state, struct err *e) MUST_CHECK;
void fleet_slot_leave(struct slot *slot);
void fleet_slot_free(struct slot *slot);

/* Ends it when its time is up, if it has one. */
void fleet_slot_wind_up(struct slot *slot);

/* Removes the CVM now; if it must go, tries again until it is gone. `why` counts if it is the first
 * reason. */
void fleet_slot_remove(struct slot *slot, enum cvm_why why);

/* Tells all who wait for its end. */
void fleet_slot_answer(struct slot *slot, const struct err *e);

/* Tries to remove it later, after twice the time of the last try. */
void fleet_slot_retry(struct slot *slot);

/* It was left half made: removes it as soon as the loop runs. */
void fleet_slot_doom(struct slot *slot);

/* What clients see (fleet_changes.c): the CVM is another than it was, or libvirt sees it or does not; it is
 * gone; and one is gone that had no slot. */
void fleet_view_start(struct fleet *f);
void fleet_view_changed(struct slot *slot);
void fleet_view_see(struct slot *slot, bool seen);
void fleet_view_leave(struct slot *slot);
void fleet_view_gone(struct fleet *f, const struct cvm_gone *gone);

/* Those that are gone (fleet_gone.c), with the revision that they have; the oldest of them were before this
 * manager began. */
void fleet_gone_keep(struct fleet *f, const struct cvm_gone *gone);
const struct cvm_gone *fleet_gone_find(const struct fleet *f, const char *id);

/* What has no record (fleet_stray.c). Ids of CVMs that were removed are no strays. */
bool fleet_stray_is_gone(const struct fleet *f, const char *id);

/* Tells of folders without a record; libvirt is asked later. */
void fleet_stray_start(struct fleet *f);

/* Leaves those that are strays. */
void fleet_stray_keep(const struct fleet *f, struct strays *found);
void fleet_stray_tell(const struct stray *stray);
int fleet_stray_remove(struct fleet *f, const char *id, fleet_removed_fn *done, void *data,
		       struct err *e) MUST_CHECK;

/* Whether CVMs can be launched (fleet_health.c): what libvirt's events say, and a look at the image
 * now and then, or at once. */
void fleet_health_start(struct fleet *f);
void fleet_health_libvirt(struct fleet_host *host, bool is_there);
void fleet_health_held(struct fleet_host *host, bool held);
void fleet_health_look(struct fleet *f);

/* Connects to its libvirt, again and again until it is there (fleet_watch.c). */
void fleet_watch_connect(struct fleet_host *host);

/* Compares its libvirt's domains with ours; again afterwards if that is under way. */
void fleet_watch_look(struct fleet_host *host);

/* A domain on that host that has no record has this slot's name: no CVM there can have it. */
void fleet_watch_block(unsigned slot, struct fleet_host *host, const char *uuid);

/* Forgets those of that host. */
void fleet_watch_unblock(struct fleet_host *host);

/* What machines without a record have (fleet_stray_use.c): until libvirt says how much that is, it counts as the
 * most that a CVM may have. Those of a host that are not added between begin and end are gone. It is the first host's
 * that says it has it, and only that one drops it; NULL: whichever it is. Each host has a share of STRAYS_OF_HOST_MAX:
 * one that has more, or one for which there is no memory, takes no CVM until a look has counted them all. */
void fleet_stray_use_add(struct fleet_host *host, const char *id);
void fleet_stray_use_drop(struct fleet *f, const struct fleet_host *host, const char *id);
void fleet_stray_use_begin(struct fleet_host *host);
void fleet_stray_use_end(struct fleet_host *host);
void fleet_stray_use_over(struct fleet_host *host);
void fleet_stray_use_done(struct fleet *f);

/* Adds up what all of them have, or those of one host (else NULL); how many they are. */
unsigned fleet_stray_use_count(const struct fleet *f, const struct fleet_host *host,
			       struct admission_use *use);

/* The hosts (fleet_hosts.c). A timer for each, which fleet_host_free() closes before it frees the host. */
int fleet_hosts_start(struct fleet *f, struct err *e) MUST_CHECK;
int fleet_host_new(struct fleet *f, struct vm_host *host, struct fleet_host **made,
		   struct err *e) MUST_CHECK;
void fleet_host_free(struct fleet_host *host);
void fleet_handle_closed(struct fleet *f);
static inline uint64_t fleet_host_bit(const struct fleet_host *host)
{
	return UINT64_C(1) << host->number;
}
_Static_assert(HOSTS_MAX <= 64, "each host has its bit");
struct fleet_host *fleet_host_find(struct fleet *f, const char *name);
/* By its own name alone. */
struct fleet_host *fleet_host_named(struct fleet *f, const char *name);

/* A job for it would wait until dialling ends, which takes minutes where nothing answers. */
bool fleet_host_is_out_of_reach(const struct fleet_host *host);

/* One before it in the list whose machine it is, by what their libvirts said last; NULL: none. Nothing is launched on the
 * later one: what its machine has would be given away twice. */
const struct fleet_host *fleet_host_twin(const struct fleet *f, const struct fleet_host *host);

/* As messages call it. */
const char *fleet_host_name(const struct fleet_host *host);

/* Where the CVM goes, and with which TEE: written to both. */
int fleet_host_choose(struct fleet *f, struct cvm_request *request, struct cvm *cvm,
		      struct err *e) MUST_CHECK;
