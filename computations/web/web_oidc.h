/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_oidc.h — signing in with a provider of identities (COMPUTATIONS_OIDC). For this folder only.
 *
 * A browser sets out with a state and a cookie of its own (trip.h), and comes back with a code, for which the provider
 * gives a token. Whoever that token names is in if a user is linked with him; else what the provider says of him may
 * make him a user (provider_table.h); else whoever knows a user's password links him with that user. An address for mail
 * links nobody.
 */
#pragma once

#include "computations/core/config.h"
#include "computations/web/web_work.h"

/* A browser that sets out, or is back. */
struct web_oidc_trip {
	struct oidc_job job;    /* the first member */
	struct http_request *r; /* a reference */
	struct web *web;
	const struct provider *row;
	char state[TRIP_TEXT_LEN + 1], browser[TRIP_TEXT_LEN + 1];
	char nonce[TRIP_TEXT_LEN + 1], verifier[TRIP_TEXT_LEN + 1];
	char proof[TRIP_TEXT_LEN + 1];  /* of who is nobody's */
	char before[TRIP_TEXT_LEN + 1]; /* the browser's cookie of a trip that this one replaces */
	bool is_known, is_new;
};

/* Opens what COMPUTATIONS_OIDC names, if it names anything. */
int web_oidc_open(struct web *web, const struct config *config, struct err *e) MUST_CHECK;

/* The ways out, on the page where one signs in. */
void web_oidc_put(const struct web *web, struct writer *w);
/* web_oidc.c: out and back. */
void web_oidc_begin(struct http_request *r, void *data);
void web_oidc_back(struct http_request *r, void *data);
void web_oidc_fail(struct web_oidc_trip *trip, const struct err *e);
void web_oidc_trip_free(struct web_oidc_trip *trip);
/* web_oidc_enter.c: the provider has said who is back. Takes the trip over. */
void web_oidc_whose(struct web_oidc_trip *trip);
/* web_oidc_link.c: the form of who is back and is nobody's; what a user is linked with, on his own page. */
void web_oidc_ask(struct web *web, struct http_request *r, const char *provider, const char *proof,
		  const char *name, unsigned status, const struct err *e);
void web_oidc_link(struct http_request *r, void *data);
void web_oidc_unlink(struct http_request *r, void *data);
int web_run_identities(struct store *store, struct web_work *work, struct err *e) MUST_CHECK;
void web_put_identities(const struct web_work *work, const char *csrf, struct writer *w);

/* The cookie of a browser on its way; "" if it has none. */
void web_oidc_cookie(const struct http_request *r, char browser[TRIP_TEXT_LEN + 1]);
/* Of the path; NULL: there is none, and that is answered. */
const struct provider *web_oidc_provider(const struct web *web, struct http_request *r);
