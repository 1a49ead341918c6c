/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.h — an administrator's call on its way through the database, for admin.c and the files that
 * begin so.
 */
#pragma once

#include "computations/admin/admin_audit.h"
#include "computations/admin/admin_message.h"
#include "computations/core/admin_access.h"
#include "computations/core/service.h"
#include "computations/list/list_look.h"

struct audit_answer;
struct billing_request;
struct certificate_request;
struct journal_page;
struct judging;
struct machine_request;
struct people_request;
struct store_naming;
struct transfer_request;
struct usage_request;
struct webhook_request;
struct witness_answer;
struct witness_leaves;
struct workflow_request;

struct request {
	struct rpc_call *call; /* a reference */
	struct service *service;
	struct admin_caller caller;
	struct admin_audit *audit; /* NULL: it changes nothing */
	bool only_asks;            /* whether it may; what changes something comes behind it */
	bool is_half; /* of a run() that has done a part: next() starts it again, and the last has the row of the call */
	bool is_done; /* what it changes: reply() answers, whatever fails from now on, */
	void (*cut)(struct request *r,
		    const struct err *e); /* which hears that before it; NULL: the log says it */
	const struct admin_given *given;  /* NULL: it came over gRPC */
	int (*run)(struct store *store, struct request *r, struct err *e);
	void (*reply)(struct request *r);
	void (*next)(struct request *r); /* in place of reply(), and takes it over; NULL: none */
	struct judging *judging;         /* admin/admin_judge.h */

	char *id, *cvm_id;
	bool names_cvm; /* `id` is a CVM's */
	bool force, tell;
	bool unverified, must_verify, again;
	bool is_away; /* the CVM that is named is not connected */
	uint32_t limit;
	bool has_more; /* computations behind the page */
	bool is_sorted; /* or searched: what a page is behind is a place in that order, and no id (list_place.h) */
	struct list_sort sort;
	char *text;      /* that is searched for; NULL: anything */
	char *place;     /* of the page behind; NULL: there is none */
	char *workspace; /* of computations, by name; NULL or "": none is named */
	char **connected;
	Cvms__ComputationRunReq *manifest;

	struct computation computation, *computations;
	struct cvm cvm, *cvms;
	size_t count;
	uint8_t *bytes;
	size_t len;
	int64_t after, run_number;
	struct journal_page *page;
	uint64_t size;
	struct witness_answer *witness;
	struct witness_leaves *leaves;
	struct audit_answer *rows;
	struct people_request *people;
	struct transfer_request *transfer;
	struct machine_request *machine;
	struct usage_request *usage;
	struct store_naming *naming;
	struct certificate_request *certificate;
	struct webhook_request *webhook;
	struct workflow_request *workflow;
	struct billing_request *billing;
};

/* NULL if memory runs out, or if nobody who could be let in calls; the call is finished then. */
struct request *request_new(struct rpc_call *call, const char *id);

/* Runs run() in the pool if the caller may (admin_access.h), answers with reply() or the error, then frees the request. */
void request_start(struct request *r);

/* What nobody has to be known for begins with a look at what the call shows (`run`, which changes nothing), so that whoever shows
 * nothing uses up nobody's room in the audit log; next() follows, and takes the request over. */
void request_look_first(struct request *r,
			int (*run)(struct store *store, struct request *r, struct err *e),
			void (*next)(struct request *r));
/* Behind the look: what changes something. */
void request_go_on(struct request *r,
		   int (*run)(struct store *store, struct request *r, struct err *e),
		   void (*reply)(struct request *r));

/* Behind what changed something, and is noted: how that is now. Where that can't be told, reply() answers with what it has, so
 * run() touches nothing of that before it has succeeded. */
void request_look_back(struct request *r,
		       int (*run)(struct store *store, struct request *r, struct err *e),
		       void (*reply)(struct request *r));

/* What its object was, or is now, for the audit log: few words. */
void request_was(struct request *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void request_is(struct request *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Finishes the call with that, and frees the request. */
void request_refuse(struct request *r, const struct err *e);

/* Of one whose call is finished, or will be by nobody. */
void request_free(struct request *r);

/* How the list that it asks for is ordered, and what is searched for; `before` of its pages. */
int request_look(struct request *r, const struct list_kind *list, const char *sort,
		 const char *text, struct err *e) MUST_CHECK;
struct list_search request_search(const struct request *r, const char *before);

/* Where it is to happen, by name. */
int request_in_workspace(struct request *r, const char *name, struct err *e) MUST_CHECK;

/* Answers with the request's computation. */
void request_reply_computation(struct request *r);
void request_reply_computation_with(struct request *r, const Cvms__Progress *progress);

/* The CVM of that id has a session. */
bool request_is_connected(const struct request *r, const char *cvm_id);

/* Printable ASCII without spaces, so that ids can be typed and used in paths; an empty one gets a fresh one. */
int admin_take_id(Cvms__ComputationRunReq *manifest, struct err *e) MUST_CHECK;

/* Of who creates that computation: it takes of his room, if he does not administer the service, and he owns it where he
 * is a member. */
int admin_own(struct store *store, const struct admin_caller *caller, const char *id,
	      struct err *e) MUST_CHECK;

/* admin_import.c */
void admin_import(struct rpc_call *call, const ProtobufCMessage *message);
void admin_transfer_free(struct transfer_request *transfer);

/* admin_export.c */
void admin_export(struct rpc_call *call, const ProtobufCMessage *message);

/* admin_run.c */
void admin_run(struct rpc_call *call, const ProtobufCMessage *message);

/* admin_rename.c */
void admin_rename(struct rpc_call *call, const ProtobufCMessage *message);
void admin_naming_free(struct store_naming *naming);

/* admin_journal.c */
void admin_journal(struct rpc_call *call, const ProtobufCMessage *message);
void admin_journal_free(struct journal_page *page);

/* admin_witness.c */
void admin_witness(struct rpc_call *call, const ProtobufCMessage *message);
void admin_witness_leaves(struct rpc_call *call, const ProtobufCMessage *message);
void admin_witness_free(struct witness_leaves *leaves);

/* admin_audit_log.c */
void admin_audit_log(struct rpc_call *call, const ProtobufCMessage *message);
void admin_audit_trim(struct rpc_call *call, const ProtobufCMessage *message);
void admin_audit_free(struct audit_answer *rows);

/* admin_people.c */
void admin_people_free(struct people_request *people);

/* admin_role.c: whether what a call about people is to change is as its caller saw it. */
int people_check_revision(struct store *store, const struct request *r, struct err *e) MUST_CHECK;

/* admin_machine.c */
void admin_create_cvm(struct rpc_call *call, const ProtobufCMessage *message);
void admin_remove_cvm(struct rpc_call *call, const ProtobufCMessage *message);
void admin_show_machine(struct rpc_call *call, const ProtobufCMessage *message);
/* admin_console.c */
void admin_console(struct rpc_call *call, const ProtobufCMessage *message);
void admin_console_writable(struct rpc_call *call);
void admin_console_closed(struct rpc_call *call);
void admin_list_machines(struct rpc_call *call, const ProtobufCMessage *message);
void admin_machine_free(struct machine_request *machine);
/* Of Run, what it says of a new CVM: on the loop, if it asks for none `r->machine` stays NULL; */
int admin_machine_take(struct request *r, const Computations__RunRequest *m,
		       struct err *e) MUST_CHECK;
/* in the pool, who may run it being checked; */
int admin_machine_for(struct store *store, struct request *r, struct err *e) MUST_CHECK;
/* and behind it, as next(). */
void admin_machine_begin(struct request *r);

/* admin_certificate.c */
void admin_certificate_free(struct certificate_request *certificate);

/* admin_webhook.c */
void admin_webhook_free(struct webhook_request *webhook);

/* admin_workflow.c */
void admin_workflow_free(struct workflow_request *workflow);
/* admin_billing.c */
void admin_billing_free(struct billing_request *billing);

/* admin_usage.c */
void admin_usage(struct rpc_call *call, const ProtobufCMessage *message);
void admin_usage_free(struct usage_request *usage);

/* admin_list.c */
void list_computations(struct rpc_call *call, const ProtobufCMessage *message);
void list_cvms(struct rpc_call *call, const ProtobufCMessage *message);
void list_show_cvm(struct rpc_call *call, const ProtobufCMessage *message);
void list_release_cvm(struct rpc_call *call, const ProtobufCMessage *message);
