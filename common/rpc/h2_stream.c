/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/h2_stream.h"

#include "common/rpc/h2_conn.h"
#include "common/rpc/message.h"

#include <stdlib.h>
#include <string.h>

enum { FRAME_HEAD = 9 };

struct h2_stream *h2_stream_ref(struct h2_stream *s)
{
	s->refs++;
	return s;
}

void h2_stream_unref(struct h2_stream *s)
{
	if (--s->refs == 0)
		s->user->freed(s);
}

void h2_stream_done(struct h2_stream *s)
{
	deadline_stop(TAKE_PTR(s->deadline));
	inbox_done(&s->inbox);
	free(s->single.bytes);
	outbox_done(&s->outbox);
	rpc_metadata_done(&s->metadata);
	rpc_metadata_done(&s->headers);
	rpc_metadata_done(&s->trailers);
}

void h2_stream_move(struct h2_stream *s, struct h2_stream_list *list)
{
	if (s->list)
		TAILQ_REMOVE(s->list, s, others);
	s->list = list;
	if (list)
		TAILQ_INSERT_TAIL(list, s, others);
}

void h2_stream_join(struct h2_stream *s, struct h2_conn *conn, int32_t id)
{
	s->conn = conn;
	s->id = id;
	s->last_in = s->last_out = h2_conn_now(conn);
	h2_stream_move(s, &conn->streams);
}

void h2_stream_leave(struct h2_stream *s)
{
	struct h2_conn *c = TAKE_PTR(s->conn);

	h2_stream_move(s, NULL);
	if (TAILQ_EMPTY(&c->streams))
		c->quiet_since = h2_conn_now(c);
	if (c->transport.stage != TRANSPORT_OPEN)
		return;
	if (s->owed)
		nghttp2_session_consume_connection(c->session, s->owed);
	s->owed = 0;
	if (s->id > 0)
		nghttp2_session_set_stream_user_data(c->session, s->id, NULL);
}

static void account(struct h2_stream *s)
{
	if (s->user->account)
		s->user->account(s);
}

/* What was taken off the peer's hands may come again. A user that paused has taken what was handed
 * over: its peer goes on sending meanwhile, not only when all that waits is through. */
static void give_back(struct h2_stream *s)
{
	size_t kept = s->is_paused ? inbox_waiting(&s->inbox) : 0;

	if (s->owed <= kept)
		return;
	nghttp2_session_consume(s->conn->session, s->id, s->owed - kept);
	s->owed = kept;
}

void h2_stream_drop_input(struct h2_stream *s)
{
	if (!s->conn)
		return;
	inbox_done(&s->inbox);
	free(TAKE_PTR(s->single.bytes));
	account(s);
	if (s->conn->transport.stage == TRANSPORT_OPEN && s->owed)
		nghttp2_session_consume_connection(s->conn->session, s->owed);
	s->owed = 0;
}

/* A method that takes one message gets it when the peer has ended. */
static void keep_single(struct h2_stream *s, struct inbox_message message)
{
	struct err e;

	if (!s->single.bytes) {
		s->single = message;
		return;
	}
	free(message.bytes);
	err_set(&e, ERR_UNIMPLEMENTED, "%s %s one message; there came more", s->method->path,
		s->user->takes);
	s->user->fail(s, &e);
}

static int check_end(const struct h2_stream *s, struct err *e)
{
	if (inbox_is_partial(&s->inbox))
		return err_set(e, ERR_INTERNAL, "the %s ends within a message",
			       s->user->input_name);
	if (s->takes_one && !s->single.bytes)
		return err_set(e, ERR_UNIMPLEMENTED, "%s %s one message; there came none",
			       s->method->path, s->user->takes);
	return 0;
}

static void end_of_input(struct h2_stream *s)
{
	struct err e;

	s->told_no_more = true;
	/* A peer that failed may end anywhere, and its one message is of no use. */
	if (s->status.code == ERR_OK && check_end(s, &e) < 0) {
		s->user->fail(s, &e);
		return;
	}
	if (s->status.code == ERR_OK && s->takes_one) {
		struct inbox_message single = s->single;

		s->single.bytes = NULL;
		account(s);
		s->user->message(s, single);
	}
	if (s->is_open)
		s->user->no_more(s);
}

/* Hands waiting messages over, until the user wants no more or there are none. */
static void hand_over_all(struct h2_stream *s)
{
	struct inbox_message message;
	struct err e;

	while (s->is_open && !s->is_paused) {
		int r = inbox_take(&s->inbox, &message, &e);

		if (r < 0)
			s->user->fail(s, &e);
		if (r <= 0)
			break;
		account(s);
		if (s->takes_one)
			keep_single(s, message);
		else
			s->user->message(s, message);
	}
	if (s->is_open && !s->is_paused && s->has_ended && !s->told_no_more)
		end_of_input(s);
}

void h2_stream_deliver(struct h2_stream *s)
{
	/* The user may end the stream, or the whole connection, from within. */
	if (s->is_handing)
		return;
	h2_stream_ref(s);
	s->is_handing = true;
	hand_over_all(s);
	s->is_handing = false;
	if (s->conn && !s->is_open) {
		h2_stream_drop_input(s);
	} else if (s->conn) {
		account(s);
		if (s->conn->transport.stage == TRANSPORT_OPEN)
			give_back(s);
	}
	h2_stream_unref(s);
}

void h2_stream_input(struct h2_stream *s, const uint8_t *bytes, size_t len)
{
	struct err e;

	s->owed += len;
	if (!s->is_open) {
		h2_stream_drop_input(s);
		return;
	}
	s->last_in = h2_conn_now(s->conn);
	if (inbox_add(&s->inbox, bytes, len, &e) < 0) {
		s->user->fail(s, &e);
		h2_stream_drop_input(s);
		return;
	}
	if (s->user->came)
		s->user->came(s);
	h2_stream_deliver(s);
}

void h2_stream_ended(struct h2_stream *s)
{
	struct err e;

	s->has_ended = true;
	if (s->is_open && inbox_end(&s->inbox, &e) < 0)
		s->user->fail(s, &e);
	h2_stream_deliver(s);
}

void h2_stream_pause(struct h2_stream *s)
{
	s->is_paused = true;
}

void h2_stream_resume(struct h2_stream *s)
{
	if (!s->is_paused)
		return;
	s->is_paused = false;
	if (!s->conn)
		return;
	s->last_in = h2_conn_now(s->conn);
	if (s->is_handing)
		return;
	s->wants_turn = true;
	s->conn->has_turns = true;
	transport_kick_later(&s->conn->transport);
}

int h2_stream_decode(const ProtobufCMessageDescriptor *type, struct inbox_message message,
		     ProtobufCMessage **decoded, struct err *e)
{
	int r = rpc_message_decode(type, message.bytes, message.len, decoded, e);

	free(message.bytes);
	return r;
}

/* From an empty outbox on it counts how long the peer takes nothing. */
static void begin_output(struct h2_stream *s)
{
	if (s->conn && s->outbox.queued == 0)
		s->last_out = h2_conn_now(s->conn);
}

int h2_stream_add(struct h2_stream *s, const ProtobufCMessage *message, struct err *e)
{
	begin_output(s);
	return outbox_add(&s->outbox, message, s->limits->queued_max, e);
}

int h2_stream_add_bytes(struct h2_stream *s, const struct outbox_bytes *message, struct err *e)
{
	begin_output(s);
	return outbox_add_bytes(&s->outbox, message, s->limits->queued_max, e);
}

int h2_stream_add_raw(struct h2_stream *s, uint8_t *bytes, size_t len, struct err *e)
{
	begin_output(s);
	return outbox_add_raw(&s->outbox, bytes, len, s->limits->queued_max, e);
}

void h2_stream_wake(struct h2_stream *s)
{
	if (!s->conn)
		return;
	if (s->is_deferred)
		(void)nghttp2_session_resume_data(s->conn->session, s->id);
	transport_kick(&s->conn->transport);
}

ssize_t h2_stream_read_output(nghttp2_session *session, int32_t stream_id, uint8_t *buf,
			      size_t length, uint32_t *flags, nghttp2_data_source *source,
			      void *user)
{
	struct h2_stream *s = source->ptr;
	size_t len = s->outbox.queued < length ? s->outbox.queued : length;

	s->is_deferred = false;
	if (len == s->outbox.queued && s->is_finished) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (s->user->trailers) {
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			if (s->user->trailers(s) != 0)
				return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
		}
	} else if (len == 0) {
		s->is_deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	if (len)
		*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	s->promised = len;
	return (ssize_t)len;
}

/* One DATA frame to the transport: the payload moves straight out of the outbox. */
static int put_data(struct transport *t, const uint8_t *head, struct outbox *out, size_t len)
{
	uint8_t *room;

	if (t->hub->out_len >= TRANSPORT_OUT)
		return NGHTTP2_ERR_WOULDBLOCK;
	room = transport_room(t, FRAME_HEAD + len);
	if (!room)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	memcpy(room, head, FRAME_HEAD);
	outbox_take(out, room + FRAME_HEAD, len);
	transport_put(t, FRAME_HEAD + len);
	return 0;
}

int h2_stream_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
			size_t length, nghttp2_data_source *source, void *user)
{
	struct h2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	struct h2_conn *c = user;
	int r;

	/* The frame was made, waited for room, and meanwhile the stream left: it has been reset, and
	 * its bytes are gone. */
	if (!s)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	r = put_data(&c->transport, head, &s->outbox, length);
	if (r != 0)
		return r;
	s->promised = 0;
	s->last_out = h2_conn_now(c);
	h2_stream_ref(s);
	if (s->user->sent)
		s->user->sent(s, length);
	if (outbox_fell(&s->outbox))
		s->user->writable(s);
	h2_stream_unref(s);
	return h2_conn_result(c);
}
