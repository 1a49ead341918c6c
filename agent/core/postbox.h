/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postbox.h — what the computation service will be told, in order, while it may be away.
 *
 * Bounded: when full, the oldest log lines give way first, and how many did is told in a line of
 * its own; events and answers give way only to each other. A message that was handed to a
 * connection is kept until the other side's stack has acknowledged it, and comes again otherwise,
 * as it was: who gets it twice sees the same time stamp.
 */
#pragma once

#include "common/base/err.h"
#include "cvms.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	POSTBOX_MESSAGES_MAX = 8192,
	POSTBOX_BYTES_MAX = 2 << 20,
	POSTBOX_MESSAGE_MAX = 65536, /* text of one log line or of details */
};

struct postbox_item;
struct postbox {
	struct postbox_item *first, *last;
	struct postbox_item *unsent; /* the first that was not handed out */
	size_t count, bytes;
	uint64_t dropped;
	uint64_t numbered; /* items ever taken in */
};

/* What an answer or an event is about: a computation, and which attempt at it (proto/cvms.proto). */
struct postbox_subject {
	const char *computation; /* NULL: none */
	uint64_t attempt;        /* 0: the service named none */
};

void postbox_done(struct postbox *o);

/* What goes in is copied. Texts that are not UTF-8 are the caller's mistake: made so by '?'. */
void postbox_log(struct postbox *o, const char *computation, const char *level, const char *text,
		 size_t len);
/* `details` is JSON or NULL. */
void postbox_event(struct postbox *o, struct postbox_subject subject, const char *type,
		   const char *status, const char *details);
void postbox_run_response(struct postbox *o, struct postbox_subject subject, const char *error,
			  const char *notice);
void postbox_stop_response(struct postbox *o, const char *computation, const char *text);
void postbox_state_response(struct postbox *o, const char *id, const char *state);
/* Evidence; or why there is none, with `token` NULL. */
void postbox_evidence(struct postbox *o, const uint8_t *token, size_t len, const char *error);

/* The next message to hand to a connection, lent until the postbox changes; NULL if none. */
const Cvms__ClientStreamMessage *postbox_next(struct postbox *o);
/* It was handed over. */
void postbox_handed(struct postbox *o);
/* The number of the last item that was handed over and not confirmed; 0 if there is none. */
uint64_t postbox_mark(const struct postbox *o);
/* All up to that mark has arrived. */
void postbox_confirm(struct postbox *o, uint64_t mark);
/* The connection broke: what was not confirmed waits again. */
void postbox_rewind(struct postbox *o);
