/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent.h — the agent as a whole: what it holds, and what every part of it says and asks.
 *
 *   boot      keeper checked, identity made, boot configuration compared with what the launch fixed,
 *             and measured; only then is anybody called (daemon.h)
 *   manifest  decoded strictly, agent configuration and manifest measured, the run statement made
 *             and the TEE asked for evidence over it; only then the listener (agent_manifest.h). Where one of
 *             these fails it is refused, and the next one may come
 *   run       when all assets are in; its output becomes log lines, its results a zip (agent_run.h)
 *   stop      kills the run, closes the listener, wipes the folder (agent_stop.h)
 *
 * Everything here happens on the loop thread. What is told to the computation service goes through
 * the postbox (postbox.h) and the link (cvms.h).
 */
#pragma once

#include "agent/computation/challenge.h"
#include "agent/computation/computation.h"
#include "agent/core/config.h"
#include "agent/core/identity.h"
#include "agent/core/postbox.h"
#include "agent/core/proof.h"
#include "agent/core/state.h"
#include "agent/keeper/keeper.h"
#include "agent/python/python_packages.h"
#include "agent/upload/uploads.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <uv.h>

struct agent_listener;
struct agent_progress_told;
struct ca_client;
struct cvms;
struct evidence;
struct journal;
struct runner;

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
	struct agent_proof proof; /* of the run, for its receipt */
	struct agent_receipt_making *receipt_making;
	struct postbox postbox;
	struct journal *journal;
	struct ca_client *ca; /* NULL: the boot configuration names no authority */
	struct cvms *cvms;
	struct agent_progress_told *progress; /* NULL: none yet */
	struct challenges challenges;

	/* The image's Python, which does not change; minor 0: it has none. */
	struct python_env python;
	struct python_packages packages;

	/* A manifest on its way through the keeper; becomes `computation` when it is measured. */
	struct computation *incoming;
	bool manifest_measured; /* of that one: registers or the TEE vouch for it */
	struct err unserved;    /* why that one can't be served, while what it left is wiped */
	struct computation *computation;
	struct agent_listener *listener;
	struct uploads uploads;
	struct runner *runner;
	char *dir; /* of the computation, below --work */
	int lock;  /* on --work */

	bool wiping;      /* the folder is being removed, in the pool */
	bool stop_wanted; /* see agent_stop.h */
	bool shutting_down;
	struct err fatal; /* why the agent ends by itself; code 0: it does not */
};

/* The computation fails, with everything of it that runs. */
void agent_fail(struct agent *agent, const struct err *why);

/* Told to the computation service, if its level ("ERROR", "WARN", "INFO") is one that the manifest's
 * agent_config.log_level asks for. */
void agent_line(struct agent *agent, const char *level, const char *text, size_t len);
/* The same, and logged here. */
void agent_say(struct agent *agent, const char *level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void agent_event(struct agent *agent, const char *type, const char *status);

/* The key that evidence binds now. */
const struct identity *agent_identity(const struct agent *agent);

/* The run's statement, its external identity and its challenges are no longer in force; what waits for evidence
 * is ABORTED. */
void agent_drop_run(struct agent *agent);

/* "development: …", or "" in an image. */
const char *agent_notice(const struct agent *agent);
