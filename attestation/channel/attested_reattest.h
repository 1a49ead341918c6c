/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested_reattest.h — evidence again, over the connection that is there: fresh context, fresh
 * exporter value, the same TLS session (wire.md; method agent.AgentService/Reattest).
 */
#pragma once

#include "attestation/channel/attested_client.h"

/* Blocking, as sync.h: runs the channel's loop, so that other calls on it (an upload) go on. 0 only
 * when the server answered on this connection, the authenticator is right, its key is that of the
 * TLS session, and the client's appraise() said yes. PRECONDITION when the channel is not
 * connected, ABORTED when the connection ended meanwhile; any failure means that nothing more may
 * be sent. */
int attested_reattest(struct rpc_channel *channel, struct attested_client *client,
		      unsigned timeout_ms, struct err *e) MUST_CHECK;
