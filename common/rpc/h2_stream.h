/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_stream.h — one HTTP/2 stream that carries a gRPC call. For this folder only.
 *
 * The half that a server's call (call_state.h) and a client's stream (channel_state.h) have in
 * common: both embed it first. Input becomes messages and is handed over in order, with the window
 * given back for what was taken; output becomes DATA frames straight from the outbox. What only
 * one side does is behind struct h2_stream_user.
 */
#pragma once

#include "common/rpc/deadline.h"
#include "common/rpc/h2_block.h"
#include "common/rpc/inbox.h"
#include "common/rpc/method.h"
#include "common/rpc/outbox.h"

#include <sys/queue.h>
#include <nghttp2/nghttp2.h>

struct h2_conn;
struct h2_stream;
struct h2_stream_list;

struct h2_stream_user {
	/* One header of a block (-1: the connection has to end), and the block's end. */
	int (*header)(struct h2_stream *s, const struct h2_header *header);
	void (*headers)(struct h2_stream *s);
	/* END_STREAM came: calls h2_stream_ended(). */
	void (*ended)(struct h2_stream *s);

	/* What the stream holds has changed; may be NULL. */
	void (*account)(struct h2_stream *s);
	/* Input was taken in, and not handed over yet: may it stay? May be NULL. */
	void (*came)(struct h2_stream *s);
	/* A message is the user's; its bytes too. */
	void (*message)(struct h2_stream *s, struct inbox_message message);
	/* All messages were handed over, and there will be no more. */
	void (*no_more)(struct h2_stream *s);
	/* The input is not what gRPC allows. Leaves the stream not open. */
	void (*fail)(struct h2_stream *s, const struct err *e);

	/* The output's last byte is in a frame: submits the trailers; NULL: the frame ends the
	 * stream. */
	int (*trailers)(struct h2_stream *s);
	/* DATA with so many bytes went out; may be NULL. */
	void (*sent)(struct h2_stream *s, size_t len);
	/* The outbox fell below low water. */
	void (*writable)(struct h2_stream *s);

	/* The last reference is gone. */
	void (*freed)(struct h2_stream *s);

	const char *input_name; /* "request" */
	const char *takes;      /* "takes": what a method does with its one message */
};

struct h2_stream {
	unsigned refs;
	const struct h2_stream_user *user;
	const struct rpc_limits *limits; /* while it is open */
	const struct rpc_method *method; /* before there is input */
	struct h2_conn *conn;            /* NULL: on none so far, or not any more */
	TAILQ_ENTRY(h2_stream) others;
	struct h2_stream_list *list;
	int32_t id;
	struct deadline *deadline;
	struct rpc_metadata metadata, headers, trailers;
	struct err status;
	uint64_t ping; /* the question that waits for its answer; 0: none */

	struct inbox inbox;
	struct inbox_message single; /* of a side that sends one */
	size_t owed;                 /* bytes whose window was not given back */
	struct outbox outbox;
	size_t promised; /* bytes of it that nghttp2 has made a frame for, not yet taken */
	uint64_t last_in, last_out; /* uv_now() */

	bool is_open;     /* input is wanted, output is taken */
	bool takes_one;   /* the peer sends one message, handed over when it has ended */
	bool has_ended;   /* the peer's side: no more comes */
	bool is_finished; /* our side: no more is queued */
	bool told_no_more;
	bool is_paused, wants_turn, is_handing, is_deferred;
};

struct h2_stream *h2_stream_ref(struct h2_stream *s);
void h2_stream_unref(struct h2_stream *s);
/* Frees what it holds; for freed(). */
void h2_stream_done(struct h2_stream *s);

/* Into another list, or none. */
void h2_stream_move(struct h2_stream *s, struct h2_stream_list *list);
/* On a connection: in its list, and known to its session by `id`, which is the caller's to tell
 * nghttp2. */
void h2_stream_join(struct h2_stream *s, struct h2_conn *conn, int32_t id);
/* Off its connection: the connection's window is given back, the session forgets it. */
void h2_stream_leave(struct h2_stream *s);

/* Input. Who is called may end the stream, or all of them: the caller has a reference. */
void h2_stream_input(struct h2_stream *s, const uint8_t *bytes, size_t len);
void h2_stream_ended(struct h2_stream *s);
/* Hands over what is there; from the loop. */
void h2_stream_deliver(struct h2_stream *s);
/* Forgets all input that waits, and gives the connection's window back. */
void h2_stream_drop_input(struct h2_stream *s);
/* Between these nothing is handed over; what waited comes from the loop. */
void h2_stream_pause(struct h2_stream *s);
void h2_stream_resume(struct h2_stream *s);

/* Decodes and frees the message's bytes. */
int h2_stream_decode(const ProtobufCMessageDescriptor *type, struct inbox_message message,
		     ProtobufCMessage **decoded, struct err *e) MUST_CHECK;

/* Output: queued as outbox_add() and outbox_add_bytes() do, within limits.queued_max. */
int h2_stream_add(struct h2_stream *s, const ProtobufCMessage *message, struct err *e) MUST_CHECK;
int h2_stream_add_bytes(struct h2_stream *s, const struct outbox_bytes *message,
			struct err *e) MUST_CHECK;
/* Bytes as they are, in no message; taken over in every case, may be NULL. */
int h2_stream_add_raw(struct h2_stream *s, uint8_t *bytes, size_t len, struct err *e) MUST_CHECK;
/* There is something to send, or an end. */
void h2_stream_wake(struct h2_stream *s);

/* For nghttp2: how much of the outbox goes into the next DATA frame, and that frame. source.ptr is
 * the stream. */
ssize_t h2_stream_read_output(nghttp2_session *session, int32_t stream_id, uint8_t *buf,
			      size_t length, uint32_t *flags, nghttp2_data_source *source,
			      void *user);
int h2_stream_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
			size_t length, nghttp2_data_source *source, void *user);
