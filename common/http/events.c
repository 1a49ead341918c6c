/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/events.h"

#include "common/base/cleanup.h"
#include "common/base/writer.h"
#include "common/http/field.h"
#include "common/http/http_stream.h"
#include "common/http/request_state.h"
#include "common/rpc/method.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { EVENT_MAX = 1 << 20, RETRY_MS = 2000 };

struct http_events {
	TAILQ_ENTRY(http_events) younger;
	struct http_event_hub *hub;
	struct http_request *r; /* its stream has a reference */
	const struct http_events_user *user;
	void *data;
	uint64_t sent; /* bytes, in all */
	uint64_t taken_then;
	uint64_t began_at, spoke_at; /* uv_now() */
	unsigned still;              /* beats since bytes wait, and none was taken */
};

struct http_event_hub {
	uv_loop_t *loop;
	uv_timer_t beat;
	struct http_event_limits limits;
	unsigned count;
	TAILQ_HEAD(, http_events) readers; /* oldest first */
};

static uint64_t taken(const struct http_events *s)
{
	return s->sent - http_stream_queued(s->r);
}

static int say(struct http_events *s, const void *bytes, size_t len, struct err *e)
{
	if (http_stream_send(s->r, bytes, len, e) < 0)
		return err_code(e);
	s->sent += len;
	s->spoke_at = uv_now(s->hub->loop);
	return 0;
}

/* True: it goes on. */
static bool beat(struct http_events *s)
{
	static const char comment[] = ":\n\n";
	uint64_t now = taken(s);
	struct err e;

	if (s->hub->limits.longest_ms &&
	    uv_now(s->hub->loop) - s->began_at >= s->hub->limits.longest_ms)
		return false;
	if (http_stream_queued(s->r)) {
		s->still = s->taken_then == now ? s->still + 1 : 0;
		s->taken_then = now;
		return s->still < 2;
	}
	s->still = 0;
	s->taken_then = now;
	if (uv_now(s->hub->loop) - s->spoke_at < s->hub->limits.beat_ms / 2)
		return true;
	return say(s, comment, sizeof(comment) - 1, &e) == 0;
}

static void on_beat(uv_timer_t *timer)
{
	struct http_event_hub *hub = timer->data;
	struct http_events *s, *next;

	for (s = TAILQ_FIRST(&hub->readers); s; s = next) {
		next = TAILQ_NEXT(s, younger);
		if (!beat(s))
			http_events_end(s, true);
	}
}

int http_event_hub_new(uv_loop_t *loop, const struct http_event_limits *limits,
		       struct http_event_hub **made, struct err *e)
{
	struct http_event_hub *hub = calloc(1, sizeof(*hub));

	if (!hub)
		return err_nomem(e);
	hub->loop = loop;
	hub->limits = *limits;
	TAILQ_INIT(&hub->readers);
	uv_timer_init(loop, &hub->beat);
	hub->beat.data = hub;
	uv_timer_start(&hub->beat, on_beat, limits->beat_ms, limits->beat_ms);
	*made = hub;
	return 0;
}

static void on_hub_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void http_event_hub_free(struct http_event_hub *hub)
{
	struct http_events *s;

	if (!hub)
		return;
	while ((s = TAILQ_FIRST(&hub->readers)))
		http_events_end(s, true);
	uv_close((uv_handle_t *)&hub->beat, on_hub_closed);
}

unsigned http_event_hub_readers(const struct http_event_hub *hub)
{
	return hub->count;
}

int http_events_after(const struct http_request *r, int64_t *after, struct err *e)
{
	const char *header = http_request_header(r, "last-event-id", 0);
	const char *query = http_request_query(r, "after");

	*after = 0;
	if (header && *header)
		return http_field_event_id(header, after, e) < 0 ? err_wrap(e, "last-event-id") : 0;
	if (query)
		return http_field_event_id(query, after, e) < 0 ? err_wrap(e, "after") : 0;
	return 0;
}

static void on_writable(struct http_request *r, void *data)
{
	struct http_events *s = data;

	s->user->writable(s, s->data);
}

static void on_closed(struct http_request *r, void *data)
{
	struct http_events *s = data;

	TAILQ_REMOVE(&s->hub->readers, s, younger);
	s->hub->count--;
	s->user->closed(s, s->data);
	free(s);
}

static const struct http_stream_user stream_user = { on_writable, on_closed };

static bool is_same(const struct http_events *s, const struct rpc_source *source)
{
	return memcmp(&s->r->source, source, sizeof(*source)) == 0;
}

/* A browser that loads a page again is not seen to leave at once: its oldest place is its newest's. */
static void make_place(struct http_event_hub *hub, const struct rpc_source *source)
{
	struct http_events *s, *oldest = NULL;
	unsigned count = 0;

	TAILQ_FOREACH(s, &hub->readers, younger)
		if (is_same(s, source)) {
			oldest = oldest ? oldest : s;
			count++;
		}
	if (oldest && (count >= hub->limits.per_source || hub->count >= hub->limits.readers))
		http_events_end(oldest, true);
}

struct http_events *http_events_begin(struct http_event_hub *hub, struct http_request *r,
				      const struct http_events_user *user, void *data)
{
	static const struct http_answer answer = { .status = 200, .type = "text/event-stream" };
	struct http_events *s = calloc(1, sizeof(*s));
	char retry[32];
	struct err e;

	if (!s) {
		http_request_fail(r, (err_nomem(&e), &e));
		return NULL;
	}
	make_place(hub, &r->source);
	*s = (struct http_events){
		.hub = hub, .r = r, .user = user, .data = data, .began_at = uv_now(hub->loop)
	};
	if (hub->count >= hub->limits.readers) {
		http_request_refuse(r, &(struct http_problem){ 503, "too many follow", NULL,
							       "ask again later", NULL });
		free(s);
		return NULL;
	}
	if (!http_stream_begin(r, &answer, &stream_user, s)) {
		free(s);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&hub->readers, s, younger);
	hub->count++;
	(void)!say(s, retry, (size_t)snprintf(retry, sizeof(retry), "retry: %d\n\n", RETRY_MS), &e);
	return s;
}

/* A line's end, however it is spelt, would end the field. */
static void put_data(struct writer *w, const char *data)
{
	for (;;) {
		size_t len = strcspn(data, "\r\n");

		writer_text(w, "data: ");
		writer_bytes(w, data, len);
		writer_text(w, "\n");
		data += len;
		if (!*data)
			break;
		data += data[0] == '\r' && data[1] == '\n' ? 2 : 1;
	}
}

int http_events_send(struct http_events *s, const struct http_event *event, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(EVENT_MAX);

	if (event->number)
		writer_printf(&w, "id: %" PRId64 "\n", event->number);
	if (event->name)
		writer_printf(&w, "event: %s\n", event->name);
	put_data(&w, event->data);
	writer_text(&w, "\n");
	if (writer_check(&w, "an event", e) < 0)
		return err_code(e);
	return say(s, w.bytes, w.len, e);
}

bool http_events_is_full(const struct http_events *s)
{
	return http_stream_queued(s->r) >= RPC_LOW_WATER;
}

void http_events_end(struct http_events *s, bool is_cut)
{
	http_stream_end(s->r, is_cut);
}
