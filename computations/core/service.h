/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h — what agents' sessions and administrators' calls share: the database's queue, who is
 * connected, who follows which journal. Everything runs on the loop thread.
 */
#pragma once

#include "common/rpc/server.h"
#include "computations/store/store_queue.h"

#include <sys/queue.h>

struct appraisal;
struct authority;
struct call_rate;
struct hook_sender;
struct judge_line;
struct known_hashes;
struct machines;
struct mail_sender;
struct ocsp_responder;
struct own_list;
struct password_line;
struct session;
struct follower;
struct web;
struct workflow_waits;

struct service {
	uv_loop_t *loop;
	struct store_queue *queue;
	struct appraisal *appraisal;     /* NULL: no policy, and nothing is asked of CVMs */
	struct password_line *passwords; /* that are to be computed */
	struct judge_line *judges;       /* of manifests that are brought */
	struct machines *machines;       /* CVMs that managers make */
	struct authority *authority;     /* that issues certificates; NULL: none does, */
	bool ca_evidence;                /* to agents for evidence alone; */
	struct own_list *own_list;       /* and nobody asks whom it revoked, */
	struct ocsp_responder *ocsp;     /* or what the status of one is; for the queue alone */
	struct hook_sender *hooks;       /* that tells webhooks */
	struct workflow_waits *workflow_waits; /* executors, for a node */
	struct mail_sender *mails;             /* that sends invitations */
	uint64_t max_sessions;
	size_t session_count;   /* of agents */
	size_t forwarder_count; /* of streams that only report */
	TAILQ_HEAD(, session) sessions;
	size_t follower_count;
	TAILQ_HEAD(, follower) followers;
	struct web *web;            /* NULL: there is no page */
	struct rpc_server *admins;  /* whose methods the page calls, too; */
	struct known_hashes *known; /* whose calls are no strangers' */
	uint64_t progresses;        /* that agents told so far (run_progress.h) */
	size_t arrived_bytes;       /* what agents said and the database has not taken yet */
	bool sign_in;               /* administrators show tokens, but for those on the socket */
	bool stopping;
	struct call_rate *calls; /* how many each user makes */
};

void service_init(struct service *service, uv_loop_t *loop, struct store_queue *queue,
		  uint64_t max_sessions);

/* session.c: cvms.Service */
extern const struct rpc_service session_rpc;

/* The connected CVM of that id, whose key is the one that the name is bound to; or NULL. */
struct session *session_find(struct service *service, const char *cvm_id);

/* Reads the manifest in the pool and sends it. If there is a policy, a session that is not
 * verified yet gets it once it is; at once if `unverified`. */
void session_run(struct session *session, const char *computation_id, bool unverified);
void session_stop(struct session *session, const char *computation_id);

/* Malloc'ed ids of all agents that session_find() would find, NULL-terminated; NULL if memory runs out.
 * session_ids_free() them. */
char **session_ids(const struct service *service);
/* The same with those of whom the database has not heard yet, or not been heard. */
char **session_ids_arriving(const struct service *service);
void session_ids_free(char **ids);
bool session_ids_have(char *const *ids, const char *cvm_id);
/* For many questions: sorts them, says how many they are, and finds one of so many. */
size_t session_ids_sort(char **ids);
bool session_ids_find(char *const *ids, size_t count, const char *cvm_id);

/* Ends the streams of one CVM, for its agent to come again. */
void session_end_of(struct service *service, const char *cvm_id, const char *why);

/* Ends all sessions (the service goes down). */
void session_end_all(struct service *service);

/* admin.c: computations.ComputationService */
extern const struct rpc_service admin_rpc;

/* admin_people.c: people.PeopleService, on the same listeners */
extern const struct rpc_service people_rpc;

/* logs.c: something new is on disk about a computation, or (empty id) a CVM. */
void logs_wake(struct service *service, const char *computation_id, const char *cvm_id);
void logs_start(struct rpc_call *call, const ProtobufCMessage *message);
void logs_writable(struct rpc_call *call);
void logs_closed(struct rpc_call *call);
void logs_end_all(struct service *service);
