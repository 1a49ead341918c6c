/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_listener.h — the agent's gRPC server as a manifest wants it: plain, TLS, mTLS or attested TLS
 * (with a client CA: maTLS), with health and reflection beside. It exists from the moment the manifest
 * is measured until a stop.
 */
#pragma once

#include "agent/core/identity.h"
#include "agent/evidence/evidence.h"
#include "common/base/err.h"
#include "common/manifest/agent_config.h"
#include "common/rpc/server.h"

/* All is lent: the configuration until agent_listener_open() returns, the rest until the close. */
struct agent_listener_options {
	uv_loop_t *loop;
	const char *host; /* NULL: every address */
	const struct agent_config *config;
	const struct identity *identity; /* attested TLS: its key and certificate */
	struct evidence *evidence;       /* attested TLS: where it comes from */
	const struct rpc_service *service;
	void *service_data;
};

struct agent_listener;

int agent_listener_open(const struct agent_listener_options *options,
			struct agent_listener **listener, struct err *e) MUST_CHECK;

/* Closes everything at once; calls that are open are told ABORTED and why. NULL is fine. */
void agent_listener_close(struct agent_listener *listener, const char *why);
