/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested.h — a client's connection to an agent that has to prove what it is, before anything is
 * sent and again later (appraise.h judges; attestation/channel/attested_client.h speaks).
 */
#pragma once

#include "cli/client/client.h"
#include "cli/evidence/appraise.h"

/* The options of a command that talks to an agent. */
/* clang-format off */
#define REATTEST_OPTION \
	{ .name = "reattest", .value = "DURATION", \
	  .help = "how often the agent has to prove itself again in a long upload (10m)", .rare = true }

#define CLIENT_AGENT_OPTIONS \
	CLIENT_OPTIONS, \
	APPRAISE_OPTIONS, \
	REATTEST_OPTION
/* clang-format on */

/* client_open() for an agent: reads whether attested TLS is asked for, and everything about it. */
int attested_open(struct client *client, struct cli *cli, struct err *e) MUST_CHECK;

/* To be called before every call that carries anything of the user's: connects, and has the agent
 * prove all that was asked for over that connection. Prints the verdict of the first one. 0 at once
 * for a client that asks for no proof. */
int attested_ready(struct client *client, struct err *e) MUST_CHECK;

/* The agent proves itself again over the connection that is there; it has to be the same one. For
 * stock agents, where the policy takes them, there is no such call, and nothing is done. */
int attested_again(struct client *client, struct err *e) MUST_CHECK;
/* The same if the last proof is too old. */
int attested_if_due(struct client *client, struct err *e) MUST_CHECK;
