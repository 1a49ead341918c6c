/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h — the service's records: computations, CVMs, and what agents said.
 *
 * Blocking; called from one pool thread at a time (store_queue.h). This module knows nothing about
 * connections. A call that fails has changed nothing: store_queue.h wraps each in a savepoint.
 */
#pragma once

#include "common/base/log_rate.h"
#include "common/crypto/key.h"
#include "common/db/db.h"
#include "common/manifest/manifest.h"
#include "computations/list/list_look.h"
#include "computations/store/audit_share.h"
#include "computations/store/state.h"
#include "computations/store/store_lease.h"
#include "computations/store/store_line.h"

#include <stdbool.h>

/* Hard limits; the ones that an administrator sets are in struct store_limits. */
enum {
	STORE_ID_MAX = 255,
	STORE_TEXT_MAX = 65536, /* of one log line or an event's details; longer ones are cut */
	STORE_WORD_MAX = 128,   /* level, event type, status, originator, agent state */
	STORE_PAGE_MAX = 256,   /* rows handed out at a time */
	STORE_PAGE_BYTES = LIST_PAGE_BYTES, /* and bytes of text in them, after the first row */
	STORE_KEY_JOURNALS =
		16, /* as much as so many CVMs keep those of one client key, outside of computations */
	STORE_KEY_STEP = 64 << 10, /* and what each of them may have beyond, of its newest */
	STORE_STOPPED_KEEP_MS = 60 * 1000, /* that an agent may take to answer a stop */
};

struct secret_key;

struct store_limits {
	uint64_t computations, cvms; /* rows */
	uint64_t records;            /* per computation, and per CVM outside of computations */
	uint64_t record_bytes;       /* their texts */
	uint64_t audit_rows;         /* of the audit log (store_audit.h) */
};

struct store {
	struct db db;
	struct store_limits limits;
	struct secret_key
		*secrets;          /* under which secrets are sealed (store_secret.h); NULL: none */
	EVP_PKEY *log_key;         /* of the log of journals' heads (store_witness.h) */
	struct log_rate bad_heads; /* lines about those that are in no log, */
	struct log_rate full;      /* about journals of which no more is taken, */
	struct log_rate odd_sizes; /* about sizes in them that can't be, */
	struct log_rate forgot;    /* about names that made room for others' (store_cvm_room.h), */
	struct log_rate audit_used; /* and about users who fill the audit log: beyond `lines` */
	struct log_rate audit_full; /* about refusals that have no row */
	struct audit_counts audit_counts;
	int lock;          /* `dir`/lock, which whoever uses the folder holds */
	int database_lock; /* the same of a database's file; -1: it is a server's */
	struct store_lease
		*lease;   /* by which it has a server's database; NULL: it has that alone, */
	int64_t fence;    /* since the lease had this one; 0: an instance's, or a file's */
	bool is_replaced; /* an instance has had it since; the queue's */
	bool has_told;    /* webhooks have something to send since store_queue.h looked last */
	struct store_lines lines; /* of the log, about what agents and users bring */
};

/* Opens the database, makes the tables if need be: a path, or a place as db_postgres.h says; NULL is
 * `dir`/computations.db. ERR_PRECONDITION for a newer form, or if another process (or store) has that
 * folder, or that place, open. */
int store_open(struct store *store, const char *dir, const char *database,
	       const struct store_limits *limits, struct err *e) MUST_CHECK;
/* The same for one of several instances, on a server: takes the lease as it was `seen` (store_standby.h). ERR_ABORTED: another
 * one was quicker. */
int store_open_shared(struct store *store, const char *dir, const char *database,
		      const struct store_limits *limits, const struct store_share *share,
		      const struct store_lease_row *seen, struct err *e) MUST_CHECK;
/* Gives the lease back, if there is one. */
void store_close(struct store *store);

/* Milliseconds since 1970. */
int64_t store_now(void);

struct computation {
	char *id, *name, *description, *agent_state, *cvm_id, *failure;
	char *workspace;   /* its name */
	char *notice;      /* what weakens its agent */
	char *cvm_verdict; /* on the CVM that holds it now */
	char *new_cvm;     /* the CVM that is made for this run, while it is there */
	enum computation_state state;
	bool stopping, finished;
	int64_t created, sent, ended; /* ms since 1970, 0: not yet */
	int64_t changed;              /* its state, name or description */
	uint8_t digest[MANIFEST_HASH_LEN];
	int64_t records, dropped;
	int64_t datasets, consumers;
	int64_t attempt;  /* how often it was begun, from 1 */
	int64_t revision; /* of its manifest and what belongs to it, from 1 */
};
void computation_done(struct computation *c);
#define CLEANUP_COMPUTATION __attribute__((cleanup(computation_done)))

/* Keeps a manifest that manifest_check() has passed, in the workspace of that number, and the private key of its agent sealed
 * beside it. ERR_EXISTS when its id is known, in any workspace: agents know computations by their ids. */
int store_create(struct store *store, int64_t workspace, const Cvms__ComputationRunReq *manifest,
		 struct err *e) MUST_CHECK;
int store_computation(struct store *store, const char *id, struct computation *c,
		      struct err *e) MUST_CHECK;
/* Which of them count: those that this user may see, and those in this workspace; 0: all. */
struct store_view {
	int64_t person, workspace;
};
/* At most `max` rows after `after` ("" for the first), oldest first, and fewer where their texts have STORE_PAGE_BYTES; `*more`:
 * there are some behind them. */
int store_computations(struct store *store, struct store_view view, const char *after, size_t max,
		       struct computation *rows, size_t *count, bool *more,
		       struct err *e) MUST_CHECK;
/* What people look for. */
struct store_search {
	const char *
		text; /* in id, name or description, or the manifest's digest in hexadecimal; "": anything */
	int state;          /* enum computation_state; -1: any */
	const char *before; /* the page behind, of its own list (list_place.h); "": the first */
	struct store_view view;
	struct list_sort sort; /* zeros: the newest first */
};
/* The same of that order; `*next` is the place of the page behind, malloc'ed; NULL: there is none. */
int store_find(struct store *store, const struct store_search *search, size_t max,
	       struct computation *rows, size_t *count, char **next, struct err *e) MUST_CHECK;
/* Its orders. */
extern const struct list_kind store_list;
/* The same place behind a row before the page's last. */
int store_find_behind(struct store *store, const struct store_search *search, const char *id,
		      char **next, struct err *e) MUST_CHECK;
/* The manifest's wire form, malloc'ed, without the agent's private key (store_secret.h). */
int store_manifest(struct store *store, const char *id, uint8_t **bytes, size_t *len,
		   struct err *e) MUST_CHECK;

/* ERR_PRECONDITION: it was given to a CVM before. */
int store_check_new(struct store *store, const char *id, struct err *e) MUST_CHECK;
/* Gives it to a CVM that is known and free; it counts as sent from now on. `unverified`: even if
 * that CVM has proven nothing. */
int store_assign(struct store *store, const char *id, const char *cvm_id, bool unverified,
		 struct err *e) MUST_CHECK;
/* One that failed or was cancelled, and that no CVM holds any more, may be assigned once more. Its records stay. */
int store_retry(struct store *store, const char *id, struct err *e) MUST_CHECK;
/* How often it was begun, from 1: each retry is the next. */
int store_attempt(struct store *store, const char *id, int64_t *attempt, struct err *e) MUST_CHECK;
/* Cancels it. `*tell` says whether its CVM's agent has to be told; until the agent has confirmed
 * (see store_stopped), the CVM is not free. Calling it again is fine. */
int store_stop(struct store *store, const char *id, bool *tell, struct err *e) MUST_CHECK;
/* Deletes it and its records. Refused while a CVM holds it, unless `force`: then that CVM's agent is
 * told to stop, now if `*cvm_id` is connected (the caller frees it; NULL: nobody is to be told), else
 * when it comes, and the CVM is not free before. */
int store_remove(struct store *store, const char *id, bool force, char **cvm_id,
		 struct err *e) MUST_CHECK;

struct cvm {
	char *id, *agent_state, *computation_id, *peer;
	char *key; /* of the client certificate that its name is bound to, as hexadecimal; "": none */
	int64_t first_seen, last_seen;
	bool verified;  /* in the session that it has, or had last */
	char *verdict;  /* a line for people */
	int64_t judged; /* ms, 0: not yet */
};
void cvm_done(struct cvm *c);
#define CLEANUP_CVM __attribute__((cleanup(cvm_done)))

/* What an agent that (re)connects must be told. */
struct store_todo {
	char *computation_id; /* NULL: nothing is known of it */
	bool stop;            /* it was cancelled meanwhile */
	bool reached;         /* the agent has answered for it before: it may still hold it */
	bool unverified;      /* it may go to a CVM that has proven nothing */
};
void store_todo_done(struct store_todo *todo);
#define CLEANUP_TODO __attribute__((cleanup(store_todo_done)))

/* The CVM's agent has connected. A new name gets room as store_cvm_room.h says, or ERR_EXHAUSTED. `connected` names the ones
 * that must not be forgotten. What was proven in an earlier session does not count any more: the verdict
 * is `unproven` from now on. `key` is its client certificate's as hexadecimal, "" without one: the
 * first binds the CVM's name, which goes over to the key of a certificate that renews its own, and ERR_DENIED is what any
 * other gets. */
int store_cvm_seen(struct store *store, const char *id, const char *peer, const char *key,
		   const char *unproven, bool (*connected)(const char *id, void *data), void *data,
		   struct store_todo *todo, struct err *e) MUST_CHECK;
/* It is connected. Fine of a name that nobody knows. */
int store_cvm_here(struct store *store, const char *id, struct err *e) MUST_CHECK;
/* Whether a stream that only reports is this CVM's: its agent has connected (else ERR_UNAVAILABLE),
 * and with the same key (else ERR_DENIED). */
int store_cvm_reports(struct store *store, const char *id, const char *key,
		      struct err *e) MUST_CHECK;
/* The next agent that connects binds the name. */
int store_cvm_release(struct store *store, const char *id, struct err *e) MUST_CHECK;
int store_cvm_verdict(struct store *store, const char *id, bool verified, const char *line,
		      struct err *e) MUST_CHECK;
/* Takes the verdict back; the line says why. */
int store_cvm_unproven(struct store *store, const char *id, const char *line,
		       struct err *e) MUST_CHECK;
int store_cvm(struct store *store, const char *id, struct cvm *c, struct err *e) MUST_CHECK;
int store_cvms(struct store *store, const char *after, size_t max, struct cvm *rows, size_t *count,
	       struct err *e) MUST_CHECK;
/* The same in an order of `store_cvm_orders`, with that text in id, state, computation, peer or verdict, behind that place.
 * `*next` (the caller's): the page behind; NULL: there is none. */
int store_cvms_find(struct store *store, const struct list_search *search, size_t max,
		    struct cvm *rows, size_t *count, char **next, struct err *e) MUST_CHECK;
extern const struct list_kind store_cvm_orders;

/* What agents say. Each names the CVM whose connection it came from: ERR_DENIED when the
 * computation is not that CVM's. */
struct record {
	int64_t number;
	int64_t seconds, nanos; /* the agent's clock */
	int64_t received;       /* ours, ms */
	int64_t attempt;        /* of an event: as of run_answer; not kept */
	bool event;
	char *level, *text, *type, *status, *originator;
};
void record_done(struct record *r);
#define CLEANUP_RECORD __attribute__((cleanup(record_done)))

/* An empty `computation_id` means the CVM itself. Texts are cut at the limits. */
int store_log(struct store *store, const char *cvm_id, const char *computation_id,
	      const struct record *r, struct err *e) MUST_CHECK;
int store_event(struct store *store, const char *cvm_id, const char *computation_id,
		const struct record *r, struct err *e) MUST_CHECK;
/* RunResponse: the agent has the manifest, or (with an error) refuses it. */
struct run_answer {
	const char *error, *notice; /* empty: none */
	int64_t attempt;            /* 0: the agent names none, and speaks of the last one */
	bool is_ours; /* there is no manifest to give: no agent goes on with it, also not one that accepted it */
};
int store_run_answer(struct store *store, const char *cvm_id, const char *computation_id,
		     const struct run_answer *answer, struct err *e) MUST_CHECK;
int store_stopped(struct store *store, const char *cvm_id, const char *computation_id,
		  struct err *e) MUST_CHECK;
/* AgentStateRes; `todo` says what to do about it. */
int store_agent_state(struct store *store, const char *cvm_id, const char *state,
		      struct store_todo *todo, struct err *e) MUST_CHECK;

/* Records of a computation, or (with an empty id) of a CVM outside of computations, after
 * `after`: at most STORE_PAGE_MAX and about STORE_PAGE_BYTES. Malloc'ed; free with
 * records_free(). */
int store_records(struct store *store, const char *computation_id, const char *cvm_id,
		  int64_t after, struct record **records, size_t *count, struct err *e) MUST_CHECK;
/* After which store_records() has the newest `count`. */
int store_newest_records(struct store *store, const char *computation_id, const char *cvm_id,
			 size_t count, int64_t *after, struct err *e) MUST_CHECK;
void records_free(struct record *records, size_t count);
/* The number of the newest of all records; 0 if there is none. */
int store_newest_record(struct store *store, int64_t *number, struct err *e) MUST_CHECK;
