/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvms.h — the link to the computation service (wire.md, 'package cvms'): the agent calls out,
 * keeps one stream open, and calls again whenever it breaks, with jittered back-off.
 */
#pragma once

#include "agent/core/config.h"
#include "agent/core/postbox.h"
#include "common/base/err.h"

#include <uv.h>

struct cvms;
struct journal;

enum {
	CVMS_BACKOFF_MIN_MS = 250,
	CVMS_BACKOFF_MAX_MS = 30000,
	CVMS_CALM_MS =
		10000,    /* a stream that lived so long was a good one: back-off starts again */
	CVMS_PING_MS = 2, /* how soon and how often we try to ask whether all arrived */
};

/* What the service asks. Texts and bytes are lent until the handler returns. */
struct cvms_handlers {
	/* A manifest's bytes; `subject` names it in a refusal of what cannot be decoded. False if it was
	 * refused, which has been answered: then its id may be sent again. */
	bool (*manifest)(void *data, struct postbox_subject subject, const void *bytes, size_t len);
	/* A manifest whose chunks do not fit together. */
	void (*spoiled)(void *data, struct postbox_subject subject, const struct err *e);
	void (*stop)(void *data, const char *computation_id);
	void (*state)(void *data, const char *id);
	void (*evidence)(void *data, const void *nonce, size_t len, int32_t type);
	/* A line for the service and our own log. */
	void (*say)(void *data, const char *level, const char *text);
};

/* All is lent. */
struct cvms_options {
	uv_loop_t *loop;
	const struct config *config; /* address and certificates */
	struct postbox *postbox;     /* what is sent */
	struct journal *journal;     /* and this, to a service that keeps it */
	const struct cvms_handlers *handlers;
	void *data;
};

/* Calls for the first time. */
int cvms_start(const struct cvms_options *options, struct cvms **cvms, struct err *e) MUST_CHECK;
void cvms_free(struct cvms *cvms);

/* Sends what waits in the postbox, as far as the connection takes it. NULL is fine. */
void cvms_flush(struct cvms *cvms);

/* The computation was stopped: ids of manifests may come again. NULL is fine. */
void cvms_forget_manifest(struct cvms *cvms);
