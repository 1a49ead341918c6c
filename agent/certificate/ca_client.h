/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_client.h — gets the agent a certificate from an authority, and the next one before it ends.
 *
 * The first is for the token of the boot configuration. When two thirds of its time are over, the next is asked for, by the
 * old key's signature, for a new key. What may pass (the authority is away, or busy) is tried again with jittered back-off:
 * the first one without end, a renewal while the old certificate lasts. Each question has a connection of its own, which
 * ends with the answer.
 *
 * All of it is on the loop thread, and nothing of it blocks. Times are of the wall clock, which is looked at every ten seconds:
 * a machine that was paused or whose clock was set is not late.
 */
#pragma once

#include "agent/certificate/ca_answer.h"
#include "agent/certificate/ca_place.h"

#include <uv.h>

enum {
	CA_BACKOFF_MIN_MS = 500,
	CA_BACKOFF_MAX_MS = 60000,
	CA_RENEWAL_BACKOFF_MAX_MS = 600000,
	CA_LOOK_MS = 10000,     /* at the clock */
	CA_RENEWAL_GAP_S = 5,   /* after the one before, however little time is left of that */
	CA_MESSAGE_MAX = 65536, /* bytes of an answer */
};

struct evidence;

struct ca_client_events {
	/* The first certificate, and each that renews it. Lent until the next call. */
	void (*have)(void *data, const struct ca_issued *issued);
	/* There will be no first one. Called once, and nothing is asked any more. */
	void (*refused)(void *data, const struct err *e);
	/* A line for the service and our own log. */
	void (*say)(void *data, const char *level, const char *text);
};

struct ca_client_options {
	uv_loop_t *loop;
	const struct ca_place *place; /* copied */
	const char *ca;      /* PEM: whom the authority's TLS certificate must be of; copied */
	unsigned timeout_ms; /* of one question, connecting and all */
	/* Shown beside the token; NULL: this machine makes none. */
	struct evidence *evidence;
	uint8_t evidence_type; /* on the wire */
	EVP_PKEY *identity;    /* that it binds, */
	struct span spki;      /* DER */
	const struct ca_client_events *events;
	void *data;
};

/* When it is renewed, s since 1970: two thirds of its time, but not at once. `now` is when it came. */
int64_t ca_renewal_due(const struct ca_issued *issued, int64_t now);
/* Whether a first question that failed so is worth another one. */
bool ca_may_pass(enum err_code code);

struct ca_client;
int ca_client_start(const struct ca_client_options *options, struct ca_client **client,
		    struct err *e) MUST_CHECK;
/* NULL is fine. Run the loop until it has closed its handles. */
void ca_client_free(struct ca_client *client);
