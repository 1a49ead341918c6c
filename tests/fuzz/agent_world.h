/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_world.h — an agent in the fuzzer's own process: its state machine, calls, uploads, evidence and the
 * keeper's client are the program's; the keeper's process, the jail and the socket that listens are played
 * (child_start(), runner_*(), agent_listener_*() are wrapped).
 */
#pragma once

#include "agent/core/agent.h"
#include "tests/fuzz/orders_agent.h"

enum {
	WORLD_ASSETS = 4, /* the algorithm, then the datasets */
	WORLD_KEYS = 3,   /* two owners, and somebody else */
	WORLD_CONTENT_MAX = 8192,
};

/* An asset as its owner has it. */
struct world_asset {
	const char *name; /* NULL: the algorithm */
	bool is_nameless; /* in the manifest */
	bool decompress;
	unsigned owner; /* its key */
	uint8_t content[WORLD_CONTENT_MAX];
	size_t len;
	uint8_t digest[SHA3_256_LEN];
};

extern const char world_requirements[]; /* the text */
extern uv_loop_t world_loop;
extern struct world_asset world_assets[WORLD_ASSETS];
extern EVP_PKEY *world_keys[WORLD_KEYS];

/* Once. */
void world_prepare(void);

/* Boots an agent; with `measured` there is a vTPM, as the keeper says. */
void world_enter(struct agent *agent, bool measured);
/* Shuts it down; nothing is left on the loop or on disk, or the process ends. */
void world_leave(struct agent *agent);

void world_manifest(struct agent *agent, unsigned bits);
/* From now on. WORLD_KEEPER_ANSWERS answers what waits, too. */
void world_keeper_does(enum world_keeper what);
/* The run that there is ends; no run: nothing. */
void world_run_ends(bool ok);
void world_run_says(const char *line);
bool world_has_run(void);

/* The agent's server, while there is a listener; NULL. */
struct rpc_server *world_server(void);
/* Until nothing moves any more. */
void world_settle(void);

/* Nobody but the computation's folder has got anything, and what is received is what was agreed on. */
void world_check_files(const struct agent *agent);
