/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h — one gRPC call as the server sees it.
 *
 * Everything here happens on the loop thread and nothing blocks. A handler gets:
 *
 *   start       the request's metadata is in (all kinds; may be NULL)
 *   message     one decoded request message. Unary and server streaming: exactly once, after the
 *               client has finished its side; zero or two messages never reach the handler
 *   bytes       instead of `message`, when set: the message undecoded, malloc'ed, now the handler's
 *               to free. For bulk data: see wire.h to read its fields where they lie; nothing
 *               in it has been checked, not even that strings are UTF-8
 *   half_close  the client has finished sending (client streaming and bidi; may be NULL)
 *   writable    queued output fell below RPC_LOW_WATER after it had been there or above
 *               (may be NULL)
 *   delivered   after rpc_call_finish() with OK: the client's HTTP/2 stack has acknowledged
 *               everything up to the trailers (a PING sent behind them came back). If set, the call
 *               stays until that or the connection's end. Not called for a call that was cancelled
 *   closed      once and last, if start() was called or would have been: finished, cancelled,
 *               deadline passed or connection lost. Frees the user data. Jobs may still hold a
 *               reference: the functions below stay safe then and do nothing
 *
 * The messages lent to `message` live until it returns.
 */
#pragma once

#include "common/base/log_about.h"
#include "common/rpc/identity.h"
#include "common/rpc/metadata.h"
#include "common/rpc/method.h"
#include "common/rpc/source.h"

#include <uv.h>

struct rpc_call;

struct rpc_handler {
	struct rpc_method method;
	size_t request_max; /* bytes of one request message; 0: limits.message_max */
	bool is_public; /* anybody may call, and it proves nothing: a stranger's call lasts no longer
			     * than limits.public_ms, and an older one ends if there are more than
			     * limits.public_max */
	void (*start)(struct rpc_call *call);
	void (*message)(struct rpc_call *call, const ProtobufCMessage *message);
	void (*bytes)(struct rpc_call *call, uint8_t *bytes, size_t len);
	void (*half_close)(struct rpc_call *call);
	void (*writable)(struct rpc_call *call);
	void (*delivered)(struct rpc_call *call);
	void (*closed)(struct rpc_call *call);
};

/* The pointer given to rpc_server_add(); and one of the handler's own per call. */
void *rpc_call_service(const struct rpc_call *call);
void rpc_call_set_user(struct rpc_call *call, void *user);
void *rpc_call_user(const struct rpc_call *call);
const struct rpc_method *rpc_call_method(const struct rpc_call *call);
uv_loop_t *rpc_call_loop(const struct rpc_call *call);

/* Who asks. */
const struct rpc_metadata *rpc_call_metadata(const struct rpc_call *call);
const char *rpc_call_peer(const struct rpc_call *call); /* "192.0.2.1:4711", "[::1]:99",
							     "unix:uid=1000" */
struct rpc_identity rpc_call_identity(const struct rpc_call *call);
struct rpc_source rpc_call_source(const struct rpc_call *call);
bool rpc_call_is_tls(const struct rpc_call *call);
/* The connection's key exchange (kex_group.h); 0: no TLS. */
uint32_t rpc_call_group(const struct rpc_call *call);
/* DER SubjectPublicKeyInfo of the client's certificate (chain verified); NULL if there is none.
 * Lives as long as the call. */
const uint8_t *rpc_call_peer_spki(const struct rpc_call *call, size_t *len);
/* TLS exporter of this connection (RFC 5705, 8446 7.5); `context` NULL: without a context.
 * -ERR_PRECONDITION without TLS. */
int rpc_call_exporter(const struct rpc_call *call, const char *label, const void *context,
		      size_t context_len, uint8_t *out, size_t len, struct err *e) MUST_CHECK;
/* The listener's prologue on this connection, or NULL. */
struct rpc_prologue_run *rpc_call_prologue(const struct rpc_call *call);

/* What log lines are about while this call's handler is at work: its trace from the start, and from now on this. */
void rpc_call_is_about(struct rpc_call *call, enum log_about_field field, const char *text);
const struct log_about *rpc_call_about(const struct rpc_call *call);

/* While paused no message and no half-close is handed over, and the client's window is given back for
 * what was handed over only, so that it stops by itself; what it had under way waits here, bounded by
 * the window.
 * Pausing does not nest: after two pauses, one resume is enough. Resuming hands waiting messages
 * over from the loop, not from within rpc_call_resume(). */
void rpc_call_pause(struct rpc_call *call);
void rpc_call_resume(struct rpc_call *call);
/* The caller has shown who it is, and that it may do this: its connection does not give way to others
 * while the call lasts. By itself so where a client certificate or the permission to open a unix
 * socket shows it, from the first message on, unless the handler is_public. */
void rpc_call_prove(struct rpc_call *call);
/* Widens this call's receive window for bulk data. For clients that have shown who they are. */
void rpc_call_bulk(struct rpc_call *call);

/* Initial metadata goes out with the first message, or at finish.
 * Adding after that is -ERR_PRECONDITION. */
int rpc_call_add_header(struct rpc_call *call, const char *key, const char *text,
			struct err *e) MUST_CHECK;
int rpc_call_add_header_bytes(struct rpc_call *call, const char *key, const void *value, size_t len,
			      struct err *e) MUST_CHECK;
/* Trailing metadata; until finish. */
int rpc_call_add_trailer_bytes(struct rpc_call *call, const char *key, const void *value,
			       size_t len, struct err *e) MUST_CHECK;

/* Queues one response message. -ERR_CANCELLED when the call is over, -ERR_EXHAUSTED when
 * limits.queued_max would be passed (the call then has failed with that). */
int rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message, struct err *e) MUST_CHECK;
/* The same without a copy: `rest` (may be NULL) with a field of type bytes put behind its other
 * fields. `bytes` is malloc'ed and freed here, in every case. */
int rpc_call_send_bytes(struct rpc_call *call, const ProtobufCMessage *rest, uint32_t field,
			uint8_t *bytes, size_t len, struct err *e) MUST_CHECK;
/* Bytes of output waiting in this call. */
size_t rpc_call_queued(const struct rpc_call *call);

/* Ends the call: with OK if `e` is NULL, else with its code and text. What is queued still goes out
 * before an OK; an error throws it away. Once; later ones do nothing. */
void rpc_call_finish(struct rpc_call *call, const struct err *e);
/* One message and OK: the whole answer of a unary or client-streaming method. */
void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *message);

/* Neither finished by us, nor cancelled or lost. */
bool rpc_call_is_open(const struct rpc_call *call);

struct rpc_call *rpc_call_ref(struct rpc_call *call);
void rpc_call_unref(struct rpc_call *call);

/* rpc_job_start() with a reference held: `done` runs on the loop thread whether or not the call
 * still is open (ask rpc_call_is_open()), and must free `data`. closed() may have run before, so
 * what the job needs belongs into `data`, not into the call's user data. */
int rpc_call_job(struct rpc_call *call, void (*work)(void *data),
		 void (*done)(struct rpc_call *call, void *data), void *data,
		 struct err *e) MUST_CHECK;
