/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_waiting.h — waits until an agent's computation is where a command is of use (waiting.h).
 */
#pragma once

#include "cli/client/upload.h"
#include "cli/client/waiting.h"

/* What a computation's agent may be that does not answer any more. */
#define AGENT_GONE                                                                              \
	"its computation was stopped, its CVM is gone, or the way there is broken: 'cocos-cli " \
	"computation show' asks the service"

enum agent_wanted {
	AGENT_WANTED_ALGORITHM,
	AGENT_WANTED_DATA,
	AGENT_WANTED_RESULTS,
	AGENT_WANTED_END
};

struct agent_waiting {
	struct client *client;
	enum agent_wanted wanted;
	EVP_PKEY *key;
	const struct upload *upload; /* whose asset the manifest has to name; NULL: none */
};

/* 0: the time has come, or --wait was not given, or the command itself knows best what to say. What is
 * refused: a key or an asset that the manifest does not name, a computation that failed, was stopped, or
 * was replaced by another one meanwhile; everything that waiting_run() refuses. */
int agent_waiting_run(const struct agent_waiting *waiting, struct err *e) MUST_CHECK;

/* Before anything is asked: a duration that is none, --wait beside --role-signature, and --grace without
 * anything that waits, are a wrong call. */
int agent_waiting_check(const struct cli *cli, struct err *e) MUST_CHECK;

/* How far the state of that name is: 0 for Idle, 1 for ReceivingManifest, and so on. ERR_INVALID: there is no
 * such state. */
enum agent_rank {
	AGENT_RANK_IDLE,
	AGENT_RANK_MANIFEST,
	AGENT_RANK_ALGORITHM,
	AGENT_RANK_DATA,
	AGENT_RANK_RUNNING,
	AGENT_RANK_RESULTS,
	AGENT_RANK_COMPLETE,
	AGENT_RANK_FAILED,
};
int agent_rank_of(const char *state, enum agent_rank *rank, struct err *e) MUST_CHECK;
