/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile_http.h — a server on this machine that answers each request as its script says: what a
 * service of endorsements would do that is slow, broken or hostile.
 */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hostile_then {
	THEN_CLOSE,
	THEN_HOLD,   /* say nothing more; the client has to go */
	THEN_REPEAT, /* `more` again and again, until the client goes */
	THEN_DRIP,   /* a character of `more` at a time, without an end */
};

struct hostile_answer {
	const void *head;
	size_t len; /* 0: strlen(head) */
	enum hostile_then then;
	const char *more;
};

struct hostile_http {
	char url[64];      /* "http://127.0.0.1:PORT" */
	atomic_uint asked; /* requests so far */
	sem_t arrived;     /* one up for each */
	/* For a request's first line; called in a thread of the server's. */
	struct hostile_answer (*answer)(void *data, const char *request);
	void *data;
	/* The server's own. */
	int listener;
	void *threads;
};

/* The caller sets `answer` and `data` before. */
void hostile_http_start(struct hostile_http *h);
/* Ends what it holds, drips or repeats so far. */
void hostile_http_release(struct hostile_http *h);
/* The same, and everything else. */
void hostile_http_stop(struct hostile_http *h);
