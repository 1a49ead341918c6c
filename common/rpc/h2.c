/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/h2.h"

#include "common/base/encode.h"
#include "common/base/reader.h"
#include "common/rpc/metadata_wire.h"
#include "common/rpc/outbox.h"

#include <stdlib.h>
#include <string.h>

enum {
	FRAME_HEAD = 9,
	/* Answers to PING and SETTINGS that may wait for a peer which does not read. */
	ACKS_MAX = 200,
	/* All frames that wait for a peer which does not read; each open stream has a few. */
	FRAMES_MAX = 2000,
	SETTINGS_ENTRIES_MAX = 32,
	CONTINUATIONS_MAX = 4,
	/* Streams that a peer may reset: so many at once, so many per second in the long run. */
	RESETS_BURST = 500,
	RESETS_RATE = 50,
};

static void add(struct h2_headers *h, const char *name, const void *value, size_t len)
{
	if (h->count == H2_HEADERS_MAX)
		return;
	h->nv[h->count++] = (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
					  .value = (uint8_t *)(uintptr_t)value,
					  .namelen = strlen(name),
					  .valuelen = len };
}

void h2_headers_add(struct h2_headers *h, const char *name, const char *value)
{
	add(h, name, value, strlen(value));
}

int h2_headers_add_metadata(struct h2_headers *h, const struct rpc_metadata *m, struct err *e)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct rpc_metadatum *entry = &m->entries[i];
		char *text;

		if (!rpc_metadata_is_binary(entry->key, strlen(entry->key))) {
			add(h, entry->key, entry->value, entry->len);
			continue;
		}
		if (h->owned_count == H2_HEADERS_MAX)
			return err_set(e, ERR_EXHAUSTED, "more than %d headers", H2_HEADERS_MAX);
		text = base64_encode(entry->value, entry->len);
		if (!text)
			return err_nomem(e);
		h->owned[h->owned_count++] = text;
		h2_headers_add(h, entry->key, text);
	}
	return 0;
}

void h2_headers_done(struct h2_headers *h)
{
	for (size_t i = 0; i < h->owned_count; i++)
		free(h->owned[i]);
	h->count = h->owned_count = 0;
}

nghttp2_option *h2_options(const struct rpc_limits *limits)
{
	nghttp2_option *option = NULL;

	if (nghttp2_option_new(&option) != 0)
		return NULL;
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
	nghttp2_option_set_max_settings(option, SETTINGS_ENTRIES_MAX);
	nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
	nghttp2_option_set_stream_reset_rate_limit(option, RESETS_BURST, RESETS_RATE);
	nghttp2_option_set_peer_max_concurrent_streams(option, limits->streams_max);
	nghttp2_option_set_max_reserved_remote_streams(option, 0);
	return option;
}

int h2_greet(nghttp2_session *session, const struct rpc_limits *limits, bool is_server,
	     struct err *e)
{
	const nghttp2_settings_entry entries[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
		  is_server ? limits->window : limits->window_bulk },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->header_list_max },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->streams_max },
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
	};
	/* A server may not speak of push at all. */
	size_t count = sizeof(entries) / sizeof(entries[0]) - (is_server ? 1 : 0);

	if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries, count) != 0 ||
	    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
						  (int32_t)limits->window_connection) != 0)
		return err_nomem(e);
	return 0;
}

/* A client's own requests wait in that queue too, as many as it likes. */
static bool asks_too_much(nghttp2_session *session, bool is_server)
{
	return is_server && nghttp2_session_get_outbound_queue_size(session) > FRAMES_MAX;
}

int h2_output(nghttp2_session *session, struct transport *t, struct err *e)
{
	if (asks_too_much(session, t->is_server))
		return err_set(e, ERR_EXHAUSTED, "the peer asks much and reads little");
	while (t->hub->out_len < TRANSPORT_OUT) {
		const uint8_t *bytes;
		ssize_t len = nghttp2_session_mem_send(session, &bytes);
		uint8_t *room;

		if (len < 0)
			return err_set(e, ERR_UNAVAILABLE, "HTTP/2: %s",
				       nghttp2_strerror((int)len));
		if (len == 0)
			return 0;
		room = transport_room(t, (size_t)len);
		if (!room)
			return err_nomem(e);
		memcpy(room, bytes, (size_t)len);
		transport_put(t, (size_t)len);
	}
	return 0;
}

int h2_input(nghttp2_session *session, struct transport *t, const uint8_t *bytes, size_t len,
	     struct err *e)
{
	ssize_t used = nghttp2_session_mem_recv(session, bytes, len);

	if (used < 0)
		return err_set(e, ERR_UNAVAILABLE, "HTTP/2: %s", nghttp2_strerror((int)used));
	if (asks_too_much(session, t->is_server))
		return err_set(e, ERR_EXHAUSTED, "the peer asks much and reads little");
	return 0;
}

int h2_put_data(struct transport *t, const uint8_t *head, struct outbox *out, size_t len)
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

int h2_ping(nghttp2_session *session, struct h2_pings *pings, uint64_t opaque, uint64_t now)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(opaque >> (56 - 8 * i));
	if (nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, bytes) != 0)
		return -1;
	if (pings->waiting++ == 0)
		pings->since = now;
	return 0;
}

uint64_t h2_ping_answer(struct h2_pings *pings, const nghttp2_ping *frame, uint64_t now)
{
	struct reader r = reader_over(frame->opaque_data, sizeof(frame->opaque_data));

	if (pings->waiting)
		pings->waiting--;
	pings->since = now;
	return reader_be64(&r);
}

int h2_ask(nghttp2_session *session, struct h2_pings *pings, uint64_t now)
{
	if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0) != 0)
		return -1;
	pings->asked++;
	if (pings->waiting++ == 0)
		pings->since = now;
	return 0;
}

uint64_t h2_ask_answer(struct h2_pings *pings, uint64_t now)
{
	if (pings->answered++ > 0 && pings->waiting) {
		pings->waiting--;
		pings->since = now;
	}
	return pings->answered;
}
