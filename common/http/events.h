/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.h — server-sent events (WHATWG HTML, 9.2): who follows, and what they are told.
 *
 * Places are bounded, in all and for one address; the oldest of an address gives way to its newest. Who has
 * nothing to be told gets a comment now and then, so that both ends see when the other is gone. Who does not
 * take what waits for it is cut off, and comes again with the number of the last event that it saw.
 */
#pragma once

#include "common/http/request.h"

#include <uv.h>

struct http_event_hub;
struct http_events;

struct http_event_limits {
	unsigned readers;    /* in all */
	unsigned per_source; /* of one address, or one user of a unix socket */
	unsigned beat_ms;    /* of silence; who has taken nothing for two of these is cut off */
	unsigned longest_ms; /* then it is cut off, and asked again who it is; 0: never */
};

/* `limits` is copied. */
int http_event_hub_new(uv_loop_t *loop, const struct http_event_limits *limits,
		       struct http_event_hub **hub, struct err *e) MUST_CHECK;
/* Ends all readers, so before the server goes; frees when the loop has closed its timer. Fine with NULL. */
void http_event_hub_free(struct http_event_hub *hub);

unsigned http_event_hub_readers(const struct http_event_hub *hub);

struct http_events_user {
	/* Less than a little waits: more may be sent. Never from within http_events_send(). */
	void (*writable)(struct http_events *s, void *data);
	/* Once and last, never from within http_events_begin() or http_events_send(). */
	void (*closed)(struct http_events *s, void *data);
};

/* The number behind which a reader wants to go on: of Last-Event-ID, else of the query's `after` where the
 * route has it, else 0. */
int http_events_after(const struct http_request *r, int64_t *after, struct err *e) MUST_CHECK;

/* NULL: the request is answered, with a refusal perhaps, and nothing is called. */
struct http_events *http_events_begin(struct http_event_hub *hub, struct http_request *r,
				      const struct http_events_user *user, void *data);

struct http_event {
	int64_t number;   /* 0: none, and it is not where a reader goes on */
	const char *name; /* a word of ours; NULL: "message" */
	const char *data; /* any text */
};
/* Fails where memory runs out, or the reader takes too little: end it then. */
int http_events_send(struct http_events *s, const struct http_event *event,
		     struct err *e) MUST_CHECK;
/* So much waits that writable() should be waited for. */
bool http_events_is_full(const struct http_events *s);
/* Calls closed(). `is_cut`: it breaks off, and the client comes again. */
void http_events_end(struct http_events *s, bool is_cut);
