/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_cvm.h — an executor beside a node that is computed in a CVM (workflow_cvm.h): as who starts that CVM, as who
 * hands an input over to it, and as who goes on with what it has computed.
 *
 * Who hands over gives the service nothing but the digest of the input, sealed for who starts the CVM; the input itself goes
 * to the agent, over attested TLS, once that has proven itself and its manifest is the one that follows from the order.
 */
#pragma once

#include "cli/client/node_agent.h"
#include "cli/executor/executor_folder.h"
#include "common/crypto/key.h"
#include "common/workflow/workflow_manifest.h"

struct executor;

/* For who starts it: manifest.json, policy.json, and key.pem, by which the algorithm is sent; the inputs, which are digests,
 * are there. ERR_DENIED: one of them is none. */
int executor_cvm_put(const struct executor_folder *folder, const struct executor_node *node,
		     const struct hpke_key *own, struct err *e) MUST_CHECK;

/* ---- with its agent ---- */

/* The key by which agents know this executor, as a file that a command can read while the descriptor is open. */
int executor_cvm_key(const struct hpke_key *own, int *fd, char path[NODE_AGENT_PATH_MAX],
		     struct err *e) MUST_CHECK;
/* What --wait is given: as long as the order is good. ERR_DENIED: it is not. */
int executor_cvm_limit(const struct workflow_order *order, char text[32], struct err *e) MUST_CHECK;

/* ---- handing over ---- */

enum { EXECUTOR_GIFTS_MAX = 64 };

struct executor_gift {
	pid_t pid;                           /* 0: none */
	bool is_cancelled;                   /* it was told to end */
	char workflow[2 * SHA3_256_LEN + 1]; /* its id */
	char what[160];
};

/* An input of a node in a CVM. */
struct executor_input {
	uint8_t *bytes; /* with its salt; NULL: none */
	size_t len;
	uint8_t digest[SHA3_256_LEN];
};
int executor_input_make(const void *output, size_t len, struct executor_input *input,
			struct err *e) MUST_CHECK;
void executor_input_done(struct executor_input *input); /* wipes it */
#define CLEANUP_EXECUTOR_INPUT __attribute__((cleanup(executor_input_done)))

/* In a process of its own, which ends when the agent has it, when it is refused, when the workflow is cancelled, or with this one;
 * until the order ends it waits for the agent. ERR_EXHAUSTED: EXECUTOR_GIFTS_MAX are under way. */
int executor_give(struct executor *x, const struct executor_node *node,
		  const struct executor_input *input, struct err *e) MUST_CHECK;
/* There is room for one more. */
bool executor_give_room(const struct executor *x);
/* Looks after those that have ended; how many have not. `*failed` is set if one was not handed over. */
size_t executor_give_reap(struct executor *x, bool *failed);
/* Asks, if some time has passed since, whether workflows of outputs that wait were cancelled: these are not handed over then, and
 * that is said. A service that does not answer changes nothing. */
void executor_give_ask(struct executor *x);

/* ---- fetching ---- */

struct executor_fetch {
	const struct executor *x;
	const struct executor_node *node;
	const struct executor_folder *folder;
};

/* Of each node in a CVM that this one depends on, what it has computed: from its agent, once that has proven itself as for who
 * hands an input over, into the folder inputs/NODENAME, and as it came, with its receipt, results/NODENAME.zip. In the process
 * of an executor_run; `data` is a struct executor_fetch, and what it gives an exit status. */
int executor_fetch_run(void *data);
