/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local.h — whose a call is that came by no connection of the server's: see call_local.h.
 */
#pragma once

#include "common/base/err.h"
#include "common/rpc/identity.h"
#include "common/rpc/source.h"

#include <protobuf-c/protobuf-c.h>

struct rpc_local {
	/* Who asks; copied. */
	const char *peer;
	struct rpc_source source;
	struct rpc_identity identity;
	bool is_tls;

	const void *given; /* rpc_call_given() */
	/* Once: the answer, lent, or why there is none. What was given may go then. */
	void (*answered)(void *data, const ProtobufCMessage *answer, const struct err *e);
	void *data;
};
