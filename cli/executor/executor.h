/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor.h — an executor at home: asks the service for nodes of its type, runs what it may, and hands the outputs on sealed.
 */
#pragma once

#include "cli/client/workflow_client.h"
#include "cli/executor/executor_cvm.h"
#include "cli/executor/executor_node.h"
#include "cli/executor/executor_ran.h"
#include "common/crypto/aead.h"
#include "common/workflow/executor_secret.h"

enum { EXECUTOR_BACK_OFF_MAX = 60 /* s */ };

struct executor {
	struct cli *cli;
	struct client client; /* open while its connection is good */
	struct executor_rules rules;
	struct executor_ran ran;
	const char *workspace, *within; /* lent; within: where nodes get their folders */
	const struct command *send;     /* 'data', by which outputs go into CVMs */
	const struct command *fetch;    /* 'result', by which results of CVMs come here */
	bool once;

	struct executor_gift gifts[EXECUTOR_GIFTS_MAX];
	int64_t gifts_asked; /* ms: when the service was asked whether they are still wanted */
	uint64_t number;     /* as the service has registered it; 0: not yet */
	uint8_t secret[EXECUTOR_SECRET_LEN];
	unsigned back_off; /* s; 0: all is well */
};
void executor_done(struct executor *x);
#define CLEANUP_EXECUTOR __attribute__((cleanup(executor_done)))

/* Until it is told to stop, or can't go on; with `once` one node. */
enum cli_exit executor_work(struct executor *x, struct err *e);

/* ---- between its parts ---- */

/* One call, over a connection that is made again where it broke. */
int executor_ask(struct executor *x, const struct rpc_method *method,
		 const ProtobufCMessage *request, ProtobufCMessage **response,
		 struct err *e) MUST_CHECK;
/* Whether that failure may pass by itself: then it is told, once, and some time passes, longer each time. False at once for
 * others. */
bool executor_rests(struct executor *x, const struct err *e);

enum executor_outcome { EXECUTOR_DONE, EXECUTOR_FAILED, EXECUTOR_LOST, EXECUTOR_BROKEN };

/* A node that was taken, to its end. EXECUTOR_LOST: it is not ours any more, or was not begun; EXECUTOR_BROKEN: `e` says why
 * no other node can be run. */
enum executor_outcome executor_take(struct executor *x, const Workflows__TakenNode *taken,
				    struct err *e);
