/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence_queue.h — requests for evidence, from the moment they are made until they are told: one at
 * the keeper, the others waiting (evidence.h says for how long, who is next and who gives way). Of this
 * folder.
 */
#pragma once

#include "agent/evidence/evidence.h"
#include "agent/evidence/evidence_token.h"
#include "agent/evidence/evidence_turns.h"
#include "agent/keeper/keeper_budget.h"

#include <sys/queue.h>

enum evidence_request_kind {
	EVIDENCE_REQUEST_CHANNEL,
	EVIDENCE_REQUEST_NONCE,
	EVIDENCE_REQUEST_IMA,
	EVIDENCE_REQUEST_ENDORSEMENT,
	EVIDENCE_REQUEST_ACTIVATE
};

struct evidence_request {
	TAILQ_ENTRY(evidence_request) link;
	struct evidence *evidence;
	enum evidence_request_kind kind;
	enum keeper_use use;
	struct rpc_source source;
	uint64_t turn;     /* among those of its use */
	uint64_t deadline; /* of the loop's clock */
	bool has_to_leave; /* gave way to another; told from the loop */
	union {
		evidence_done_fn *token;
		keeper_parts_fn *parts;
	} done;
	void *data;

	enum digest_kind hash;
	uint8_t exporter[BINDING_EXPORTER_LEN];
	struct binding_nonce nonce; /* of the bytes below */
	uint8_t tee[BINDING_TEE_NONCE_MAX], vtpm[BINDING_VTPM_NONCE_MAX];
	uint8_t *blob, *secret;
	size_t blob_len, secret_len;
};

/* Closed with its timer. */
struct evidence {
	uv_loop_t *loop;
	struct keeper *keeper;
	EVP_PKEY *own, *identity; /* made at boot, and the one that signs now */
	uv_timer_t timer;
	TAILQ_HEAD(, evidence_request) queue; /* oldest first, the one at the keeper too */
	size_t waiting[KEEPER_USES], leaving;
	struct evidence_turns turns[KEEPER_USES];
	enum keeper_use served;      /* last: the other use goes first */
	struct keeper_budget budget; /* what the keeper was asked for */
	bool busy; /* the keeper is at work, for `current` or for one that has gone */
	struct evidence_request *current;

	struct evidence_run run;
	uint8_t *statement, *run_evidence;
};

void evidence_queue_init(struct evidence *evidence);

/* A request that is in no queue yet; `source` NULL: the agent itself. NULL, with `e`, where no place is
 * left. Freed by its end in the queue, or by evidence_request_free(). */
struct evidence_request *evidence_request_new(struct evidence *evidence,
					      const struct rpc_source *source,
					      enum evidence_request_kind kind, void *data,
					      struct err *e) MUST_CHECK;
void evidence_request_free(struct evidence_request *request);

/* Nothing is asked from within the call: a refusal would come before the handle is known. */
struct evidence_request *evidence_queue_add(struct evidence_request *request);

/* Takes it out, frees it, and tells nobody; or tells all of them this. */
void evidence_queue_drop(struct evidence_request *request);
void evidence_queue_fail(struct evidence *evidence, const struct err *e);
