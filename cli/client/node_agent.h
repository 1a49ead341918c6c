/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_agent.h — the agent that computes a workflow's node in a CVM, as whoever hands an input over or fetches the result
 * sees it: by the order alone.
 *
 * The order has the address and the policy. What the manifest has to be follows from it and from the datasets' digests, which
 * the agent says over a connection on which it has proven itself by that policy. If that is the manifest which it has, a
 * command of ours is run with both, as if somebody had typed --attestation-policy and --manifest: it asks for evidence over
 * that manifest before it sends or fetches anything.
 */
#pragma once

#include "cli/base/command.h"
#include "common/workflow/workflow_manifest.h"

enum { NODE_AGENT_PATH_MAX = 32 };

struct node_agent {
	const struct workflow_order *order;
	const struct workflow_node *node;
	struct workflow_cvm cvm;
	int policy, manifest; /* files without a name */
	char policy_path[NODE_AGENT_PATH_MAX], manifest_path[NODE_AGENT_PATH_MAX];
	struct cli cli; /* the command's call; operands are the caller's to give */

	/* May be set: asked while there is no agent with this computation (waiting.h). */
	int (*still)(void *data, uint64_t until_ms, struct err *e);
	void *data;
};

/* `command` is one that talks to an agent. What `from` was given of that command's options, it is given as well, but for those
 * about connections: they are of another peer. Lends all of its arguments. */
int node_agent_open(const struct workflow_order *order, const struct workflow_node *node,
		    const struct command *command, const struct cli *from, struct node_agent *agent,
		    struct err *e) MUST_CHECK;
void node_agent_done(struct node_agent *agent);
#define CLEANUP_NODE_AGENT __attribute__((cleanup(node_agent_done)))

/* Looks at the agent, until there is one that has this computation where the command is given --wait, and fills in --manifest.
 * `own`: the digest of the input at `place`; NULL: none is ours. ERR_DENIED: the manifest is not the one that follows from the
 * order, or our input is another in it. */
int node_agent_find(struct node_agent *agent, const uint8_t *own, size_t place,
		    struct err *e) MUST_CHECK;

/* Bytes as a file that a command can read, while the descriptor is open. */
int node_agent_file(const void *bytes, size_t len, int *fd, char path[NODE_AGENT_PATH_MAX],
		    struct err *e) MUST_CHECK;
