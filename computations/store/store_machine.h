/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_machine.h — the CVMs that this service has made by a manager: each is a workspace's.
 *
 * A row is there before its manager is asked for anything, with the name that the manager will know it by (its tag), so
 * that a service that was killed at any moment can ask what became of it. Rows of those that are gone stay, so that the
 * CVM is nobody else's; the newest are shown, for people to read why, and of those that were never made only these are
 * kept.
 */
#pragma once

#include "computations/store/store.h"

enum {
	MACHINE_NAME_MAX = 63,
	MACHINE_WORD_MAX = 128,   /* an image's or a TEE's name */
	MACHINE_REASON_MAX = 400, /* bytes; longer ones are cut */
	MACHINE_GONE_KEPT = 64,   /* rows of a workspace that are shown, the newest */
	MACHINES_MAX = 4096,      /* that are there at a time, of all workspaces */
	MACHINE_CPUS_MAX = 4096,  /* of one that is asked for */
};
#define MACHINE_MEMORY_MAX ((uint64_t)1 << 46)
#define MACHINE_TTL_MAX_MS (UINT64_C(87600) * 3600 * 1000) /* managers take no more */

/* How far it has come. The last two are final. */
enum machine_phase {
	MACHINE_WANTED, /* its manager was asked, or is about to be */
	MACHINE_MADE,
	MACHINE_LEAVING, /* it is to be removed */
	MACHINE_LOST,    /* its manager says that it is gone */
	MACHINE_REMOVED,
	MACHINE_PHASES
};

/* How far a run is that a CVM is made for. */
enum machine_run {
	MACHINE_RUN_OVER,  /* or there is none */
	MACHINE_RUN_WAITS, /* for that CVM */
	MACHINE_RUN_HELD,
	MACHINE_RUN_RESULTS, /* which are in it, not all of them fetched */
	MACHINE_RUN_DONE,    /* all are */
	MACHINE_RUNS
};

struct machine {
	int64_t number, workspace_number, created, ended; /* ms since 1970; ended 0: not yet */
	char *name, *workspace, *manager, *tag, *cvm_id, *address, *reason, *image, *tee;
	enum machine_phase phase;
	int64_t cpus, memory, ttl_ms; /* as asked for; 0: as the manager likes */
	bool is_seen;                 /* its agent has connected */
	char *computation_id;         /* that it holds */
	bool hides; /* which ones these are from who looks (admin_access_machines()) */

	/* Of one that is made for a run of a computation (store_machine_run.h); 0 and "" of others. */
	int64_t run, attempt;     /* the computation's number, which is nobody else's ever */
	char *run_id;             /* and its id; "" of one that was removed */
	enum machine_run stands;  /* how far that run is */
	bool unverified;          /* it may go to an agent that has proven nothing */
	int64_t keep_ms, results; /* how long results wait in it; since when they do, 0: not yet */
	int64_t run_ended;
};
void machine_done(struct machine *m);
/* With texts of its own. */
int machine_copy(const struct machine *m, struct machine *copy, struct err *e) MUST_CHECK;
#define CLEANUP_MACHINE __attribute__((cleanup(machine_done)))

bool machine_is_gone(enum machine_phase phase);
/* For people: Provisioning, Ready, Busy, Lost, Removed. */
const char *machine_state(const struct machine *m);

/* For people: which one it holds, or is made for; "" also of one that is hidden. */
const char *machine_computation(const struct machine *m);
const char *machine_made_for(const struct machine *m);
/* That it holds, or that waits for it; "": none. */
const char *machine_owes(const struct machine *m);

/* a-z 0-9 - . with a letter or digit at both ends. */
int machine_name_check(const char *name, struct err *e) MUST_CHECK;

/* UINT64_MAX: as much as it likes. */
struct machine_quota {
	uint64_t cvms, cpus, memory;                 /* what a workspace may have at a time, */
	uint64_t cvm_hours, cpu_hours, memory_hours; /* and in a month; GiB (usage_limit.h) */
};
#define MACHINE_QUOTA_NONE \
	{ UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX }

/* A row for `wish`, of which name, manager, tag, image, tee, numbers, workspace_number and what it is made for count. ERR_EXISTS: the
 * workspace has one of that name; ERR_EXHAUSTED: its quota, or MACHINES_MAX. */
int store_machine_add(struct store *store, const struct machine *wish,
		      const struct machine_quota *quota, int64_t *number, struct err *e) MUST_CHECK;

/* By number; by name: the one that is there, or else the last that was called so. */
int store_machine_at(struct store *store, int64_t number, struct machine *m,
		     struct err *e) MUST_CHECK;
int store_machine(struct store *store, int64_t workspace, const char *name, struct machine *m,
		  struct err *e) MUST_CHECK;
/* At most `max` behind that number, oldest first: those of a workspace, or with 0 those of all that are not gone. */
int store_machines(struct store *store, int64_t workspace, int64_t after, size_t max,
		   struct machine *rows, size_t *count, struct err *e) MUST_CHECK;
/* Those of a workspace in an order of `store_machine_orders`, with that text in name, id, address, manager, image or reason,
 * behind that place; `person`: who looks, as a place is for one alone. `*next` (the caller's): the page behind; NULL: none. */
int store_machines_find(struct store *store, int64_t workspace, int64_t person,
			const struct list_search *search, size_t max, struct machine *rows,
			size_t *count, char **next, struct err *e) MUST_CHECK;
extern const struct list_kind store_machine_orders;

/* Its manager has made it. ERR_DENIED: the id is that of a CVM which this can't be; nothing is changed. */
int store_machine_made(struct store *store, int64_t number, const char *cvm_id, const char *address,
		       struct err *e) MUST_CHECK;
/* Another manager has it by now, which says where its agent is reached; "": it does not. */
int store_machine_moved(struct store *store, int64_t number, const char *manager,
			const char *address, struct err *e) MUST_CHECK;
/* What keeps it from going on; "": nothing. */
int store_machine_note(struct store *store, int64_t number, const char *reason,
		       struct err *e) MUST_CHECK;
/* It is to be removed. ERR_PRECONDITION: a computation that has not ended is in it or waits for it, and not `force`; or it is
 * gone. */
int store_machine_leave(struct store *store, int64_t number, bool force, struct err *e) MUST_CHECK;
/* It is gone, MACHINE_LOST or MACHINE_REMOVED, and what its workspace ran there has failed for that reason: `*failed`
 * (the caller's), or NULL. */
int store_machine_gone(struct store *store, int64_t number, enum machine_phase phase,
		       const char *reason, char **failed, struct err *e) MUST_CHECK;

/* ERR_UNAVAILABLE, in the words of a CVM that is not connected, if it is another workspace's than the computation, or was
 * until its manager said that it is gone; or if it is made for one run, which nobody gives it by name. */
int store_machine_check(struct store *store, const char *cvm_id, const char *computation,
			struct err *e) MUST_CHECK;
/* How many a workspace has that are not gone. */
int store_machines_count(struct store *store, const char *workspace, int64_t *count,
			 struct err *e) MUST_CHECK;
