/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent.h — the agent as a whole: what it holds, and what happens in which order.
 *
 *   boot      keeper checked, identity made, boot configuration compared with what the launch fixed,
 *             and measured; only then is anybody called
 *   manifest  decoded strictly, agent configuration and manifest measured, the run statement made
 *             and the TEE asked for evidence over it; only then the listener
 *   run       when all assets are in; its output becomes log lines, its results a zip
 *   stop      kills the run, closes the listener, wipes the folder
 *
 * Everything here happens on the loop thread. What is told to the computation service goes through
 * the postbox (postbox.h) and the link (cvms.h).
 */
#pragma once

#include "agent/core/challenge.h"
#include "agent/core/computation.h"
#include "agent/core/config.h"
#include "agent/core/identity.h"
#include "agent/core/postbox.h"
#include "agent/core/state.h"
#include "agent/keeper/keeper.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <uv.h>

struct cvms;
struct door;
struct evidence;
struct upload_call;

enum { AGENT_UPLOADS_MAX = 64 }; /* open at a time */

struct agent {
	uv_loop_t *loop;
	const struct config *config;
	enum state state;
	struct keeper *keeper;
	struct identity own;      /* made at boot */
	struct identity external; /* of the computation's manifest; key NULL: it brought none */
	bool external_bound;      /* the keeper has it from the run statement */
	struct evidence *evidence;
	uint8_t *statement; /* of the run, while evidence over it is on its way */
	size_t statement_len;
	struct postbox postbox;
	struct cvms *cvms;
	struct challenges challenges;

	/* A manifest on its way through the keeper; becomes `computation` when it is measured. */
	struct computation *incoming;
	struct computation *computation;
	struct door *door;
	struct runner *runner;
	struct upload_call *uploads; /* open calls, a list */
	char *dir;                   /* of the computation, below --work */
	int lock;                    /* on --work */

	bool wiping;      /* the folder is being removed, in the pool */
	bool stop_wanted; /* see stop.h */
	bool shutting_down;
	struct err fatal; /* why the agent ends by itself; code 0: it does not */
};

/* Locks and empties the work folder, starts the keeper. Then agent_boot() goes on from the loop:
 * if the boot configuration cannot be measured the loop stops, with `fatal` set. */
int agent_start(struct agent *agent, uv_loop_t *loop, const struct config *config,
		struct err *e) MUST_CHECK;

/* Ends everything: run, listener, link, keeper; wipes the folder. Run the loop afterwards until it
 * has nothing left, then agent_done(). */
void agent_shutdown(struct agent *agent);
void agent_done(struct agent *agent);

/* What the computation service asks (cvms.h calls). A manifest's bytes; `id` names it in a refusal
 * of what cannot be decoded. False if it was refused, which has been answered. */
bool agent_take_manifest(struct agent *agent, const char *id, const void *bytes, size_t len);
void agent_stop(struct agent *agent, const char *computation_id);
void agent_ask_state(struct agent *agent, const char *id);
void agent_ask_evidence(struct agent *agent, const void *nonce, size_t len, int32_t type);

/* What the listener's calls report (service.h calls). */
void agent_algorithm_in(struct agent *agent);
void agent_dataset_in(struct agent *agent);
void agent_result_fetched(struct agent *agent, struct consumer *consumer);

/* The computation fails, with everything of it that runs. */
void agent_fail(struct agent *agent, const struct err *why);

/* Told to the computation service, and logged here. */
void agent_say(struct agent *agent, const char *level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void agent_event(struct agent *agent, const char *type, const char *status);

/* The key that evidence binds now. */
const struct identity *agent_identity(const struct agent *agent);

/* The run's statement and its external identity are no longer in force; what waits for evidence is
 * ABORTED. */
void agent_drop_run(struct agent *agent);

/* "development: …", or "" in an image. */
const char *agent_notice(const struct agent *agent);

/* Ends the uploads that are open; service_upload.c. */
void agent_close_calls(struct agent *agent, const char *why);
