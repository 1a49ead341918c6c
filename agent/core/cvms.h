/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvms.h — the link to the computation service (wire.md, 'package cvms'): the agent calls out,
 * keeps one stream open, and calls again whenever it breaks, with jittered back-off.
 */
#pragma once

#include "agent/core/config.h"
#include "agent/core/postbox.h"
#include "common/base/err.h"

#include <openssl/evp.h>
#include <uv.h>

struct cvms;
struct journal;

enum {
	CVMS_BACKOFF_MIN_MS = 250,
	CVMS_BACKOFF_MAX_MS = 30000,
	CVMS_CALM_MS =
		10000,    /* a stream that lived so long was a good one: back-off starts again */
	CVMS_PING_MS = 2, /* how soon and how often we try to ask whether all arrived */
	CVMS_PROGRESS_MS = 1000, /* how often a service that shows it is told how far we are */
	CVMS_HANDOVER_MS =
		2000, /* how often we look whether the next certificate's connection is there */
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
	/* How far it is, for a service that shows it; NULL: as it was told. `anew`: to one that was not told yet. */
	const Cvms__ClientStreamMessage *(*progress)(void *data, bool anew);
};

/* The agent's for TLS, in place of the boot configuration's. Lent for the call. */
struct cvms_certificate {
	const char *chain_pem;
	EVP_PKEY *key;
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

/* Calls for the first time. `issued` NULL: with the certificate of the boot configuration, if that has one. */
int cvms_start(const struct cvms_options *options, const struct cvms_certificate *issued,
	       struct cvms **cvms, struct err *e) MUST_CHECK;
/* From now on with that certificate: a second connection is made, and takes over from the first once the service has
 * answered on it (or has taken it and said nothing for a while). Until then the first one stays, and while the second is
 * refused, which is tried again. What was not confirmed on the first is sent again on the second, as after a break. */
int cvms_go_over(struct cvms *cvms, const struct cvms_certificate *issued,
		 struct err *e) MUST_CHECK;
void cvms_free(struct cvms *cvms);

/* Sends what waits in the postbox, as far as the connection takes it. NULL is fine. */
void cvms_flush(struct cvms *cvms);

/* The computation was stopped: ids of manifests may come again. NULL is fine. */
void cvms_forget_manifest(struct cvms *cvms);
