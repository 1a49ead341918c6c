/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h — one agent's stream, for session.c (what it is told) and agent_message.c (what it
 * says).
 */
#pragma once

#include "common/base/log_rate.h"
#include "computations/core/appraisal.h"
#include "computations/core/run_progress.h"
#include "computations/core/service.h"
#include "computations/store/store_evidence.h"
#include "cvms.pb-c.h"

struct session {
	TAILQ_ENTRY(session) next;
	struct service *service;
	struct rpc_call *call; /* NULL: over */
	unsigned refs;
	char *cvm_id;
	bool arrived;   /* the database knows it, and its key is the one that the name belongs to */
	bool forwarder; /* it only reports: logs and events, see session.c */
	bool waits;     /* the same, for its agent: forwarder.c */
	char *sent;     /* the computation whose manifest went out on this stream */
	int64_t attempt; /* at it; 0: it is still on its way */
	size_t pending;
	bool paused, answered;
	struct log_rate ignored;       /* lines about what it should not have said */
	uv_timer_t *unanswered;        /* or, of one that waits, alone */
	struct store_todo todo;        /* as of the connection */
	struct run_progress *progress; /* as it told last; NULL: not yet */

	struct appraisal_case asked;  /* the last request for evidence: only its answer counts */
	struct evidence_run asked_of; /* the run that it is about; number 0: none yet */
	unsigned asked_number;        /* its own */
	unsigned questions;           /* so far, and one that is about to be asked */
	unsigned unanswered_questions;
	bool verified;
};

void session_ref(struct session *s);
void session_unref(struct session *s);
void session_finish(struct session *s, enum err_code code, const char *text);
/* The database has failed at what this session needs to go on: its agent comes again, and is asked for its state. Nothing
 * if it is over; it may be freed then, unless the caller has a reference. */
void session_again(struct session *s, const struct err *e);
/* An agent whose key is the one that its CVM's name belongs to. */
bool session_is_there(const struct session *s);

void session_say(struct session *s, const Cvms__ServerStreamMessage *message);

/* AgentStateReq */
void session_ask_state(struct session *s);

/* Stops or sends what the database wants this CVM to stop or have. */
void session_act(struct session *s, const struct store_todo *todo);

/* The agent has refused the manifest that went out for that attempt (0: it names none): a retry sends it again. */
void session_refused(struct session *s, const char *computation_id, int64_t attempt);

/* evidence.c: if there is a policy, asks for evidence: an agent that has just connected, or one
 * that has taken this computation's manifest and has proven nothing until it answers. Then its
 * answer. */
void evidence_ask(struct session *s);
/* Who brings evidence, as appraisal_case has it: by its key; without one by its address, whatever port it comes from. */
int evidence_client(const struct rpc_call *call, char name[APPRAISAL_CLIENT_MAX + 1],
		    struct err *e) MUST_CHECK;
void evidence_ask_again(struct session *s, const char *computation_id);
void evidence_answered(struct session *s, const Cvms__AttestationResponse *answer);

/* forwarder.c: one that only reports came before its agent, and waits for it a bounded time. Nothing that it says is read
 * meanwhile, and it has shown nobody that it belongs to that CVM. It ends with `why` at once if there is no memory for that. */
void forwarder_wait(struct session *s, const struct err *why);
/* The agent of that CVM is there: who waits for it arrives once more, and is refused if its key is another one. */
void forwarder_agent_arrived(struct service *service, const char *cvm_id);

/* agent_message.c: a message of the agent, and its arrival. */
void agent_message_take(struct rpc_call *call, const ProtobufCMessage *message);
int agent_message_arrival(struct session *s, struct err *e) MUST_CHECK;
/* session.c, called when the arrival is on disk; `todo` of a forwarder is empty. */
void session_arrived(struct session *s, const char *peer, struct store_todo *todo);
