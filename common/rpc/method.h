/* SPDX-License-Identifier: Apache-2.0 */
/*
 * method.h — what both sides must know of a gRPC method, and the limits of a connection.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

enum rpc_kind {
	RPC_UNARY,
	RPC_CLIENT_STREAM,
	RPC_SERVER_STREAM,
	RPC_BIDI,
};

struct rpc_method {
	const char *path; /* "/agent.AgentService/Data" */
	enum rpc_kind kind;
	const ProtobufCMessageDescriptor *request, *response;
};

/*
 * A message that comes in is at most `message_max` bytes; decoding it may allocate at most
 * RPC_DECODE_FACTOR times that and nest RPC_DECODE_DEPTH_MAX deep; every string in it is checked
 * to be UTF-8 without a zero byte.
 */
enum {
	RPC_MESSAGE_MAX = 4 << 20,
	RPC_DECODE_FACTOR = 4,
	RPC_DECODE_DEPTH_MAX = 32,
	RPC_DECODE_EXTRA = 1 << 20, /* beyond the factor: many small fields become larger structs */

	/* Output of a call: a sender that minds its peer stops at high water, or at any level from
	 * low water on, and goes on when `writable` is called, which is below low water. */
	RPC_LOW_WATER = 256 << 10,
	RPC_HIGH_WATER = 1 << 20,
};

/* Times are milliseconds. Zero never means 'none': start from rpc_limits_default(). */
struct rpc_limits {
	size_t message_max;       /* RPC_MESSAGE_MAX */
	unsigned connections_max; /* of a server, and at most three quarters of its descriptors;
				   * then one that has proven nothing gives way, or one that
				   * has long been quiet, or the new one */
	unsigned unready_max;     /* of these, on their way to HTTP/2, half of them in TLS; then
				   * the oldest gives way of the address that has most */
	unsigned public_max;      /* calls of handlers that are is_public; then likewise */
	bool judges_closed; /* what comes on a stream that is closed, and priorities, are judged as
				   * RFC 7540 has it, for 30 KiB of a connection at most; else they
				   * are passed over. false */
	unsigned streams_max;   /* open at a time on a connection */
	size_t header_list_max; /* bytes of one header block, as HTTP/2 counts them */
	size_t queued_max;      /* output waiting in one call; more fails the call */
	size_t held_max;        /* input held for all calls of a connection */
	size_t buffered_max;    /* input, output and metadata held for all connections of a
				   * server, rpc_call_bulk() ones apart; when it is more, the
				   * connection that holds most is closed */
	uint32_t window;        /* of a stream at its start */
	uint32_t window_bulk;   /* after rpc_call_bulk(); a client's streams have it at once */
	uint32_t window_connection;
	unsigned handshake_ms; /* TLS, from TCP's connect or accept */
	unsigned prologue_ms;  /* the exchange before HTTP/2, if there is one */
	unsigned preface_ms;   /* HTTP/2 preface and first SETTINGS */
	unsigned headers_ms;   /* from a header block's first byte to its last; a split frame too */
	unsigned body_ms;      /* without a byte, when a message is wanted and not paused */
	unsigned request_ms;   /* a call that takes one message has it whole */
	unsigned stall_ms;     /* without a byte taken by the peer, when output waits; or with any,
				* when the caller has not proven who it is */
	unsigned public_ms;    /* a stranger's call of a handler that is_public */
	unsigned quiet_ms;     /* without a call that proves its caller: may give way */
	unsigned idle_ms;      /* a connection without calls is closed after this */
	unsigned ping_ms;      /* quiet for so long during a call: a PING asks for the peer, */
	unsigned ping_answer_ms; /* and it has so long to answer */
};
struct rpc_limits rpc_limits_default(void);
