/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_stream.h — an answer that goes on: its bytes follow while there are any. See events.h for what uses it.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct http_answer;
struct http_request;

struct http_stream_user {
	/* What was queued is nearly out: more may be sent. May be NULL. */
	void (*writable)(struct http_request *r, void *data);
	/* Once and last, also from within http_stream_end(): nobody reads any more. Not from within
	 * http_stream_begin() or http_stream_send(). */
	void (*closed)(struct http_request *r, void *data);
};

/* Whether the client sees that one was cut; with HTTP/1.0 it looks whole. */
bool http_stream_shows_end(const struct http_request *r);
/* Answers with `answer`, which has no body. False if it was answered, its client has left, or asks for the head
 * alone, which it gets: nothing is called then. The stream has a reference of its own to the request. */
bool http_stream_begin(struct http_request *r, const struct http_answer *answer,
		       const struct http_stream_user *user, void *data);
/* Copies; ERR_CANCELLED when it is over. */
int http_stream_send(struct http_request *r, const void *bytes, size_t len,
		     struct err *e) MUST_CHECK;
/* Bytes that the client has not taken yet. */
size_t http_stream_queued(const struct http_request *r);
/* `is_cut`: the client sees that it broke off, and forgets what waits. */
void http_stream_end(struct http_request *r, bool is_cut);
