/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_oidc.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

enum { ORIGIN_MAX = 64 };

void web_oidc_trip_free(struct web_oidc_trip *trip)
{
	http_request_unref(trip->r);
	OPENSSL_cleanse(trip, sizeof(*trip));
	free(trip);
}

void web_oidc_fail(struct web_oidc_trip *trip, const struct err *e)
{
	log_info("page: %s did not sign in with %s: %s", http_request_peer(trip->r),
		 trip->row->name, e->text);
	http_request_fail(trip->r, e);
	web_oidc_trip_free(trip);
}

/* Which addresses the service asks, and what its resolver and TLS say of them, is for the log: whoever has not signed in
 * yet is anybody. */
static void fail_there(struct web_oidc_trip *trip, const struct err *e)
{
	const bool is_answer = e->code == ERR_DENIED;
	struct err plain;

	log_info("page: %s did not sign in with %s: %s", http_request_peer(trip->r),
		 trip->row->name, e->text);
	err_set(&plain, e->code, is_answer ? WEB_OIDC_NOT_BELIEVED : WEB_OIDC_NOT_ASKED,
		trip->row->name);
	http_request_fail(trip->r, &plain);
	web_oidc_trip_free(trip);
}

const struct provider *web_oidc_provider(const struct web *web, struct http_request *r)
{
	const struct provider *row =
		web->oidc ? provider_table_find(oidc_table(web->oidc),
						http_request_param(r, "provider"))
			  : NULL;
	struct err e;

	if (!row)
		http_request_fail(r, (err_set(&e, ERR_NOT_FOUND,
					      "nobody signs in here with a provider of that name"),
				      &e));
	return row;
}

static struct web_oidc_trip *trip_new(struct web *web, struct http_request *r, bool is_back)
{
	const struct provider *row = web_oidc_provider(web, r);
	struct web_oidc_trip *trip = row ? calloc(1, sizeof(*trip)) : NULL;
	struct err e;

	if (row && !trip)
		http_request_fail(r, (err_nomem(&e), &e));
	if (!trip)
		return NULL;
	trip->r = http_request_ref(r);
	trip->web = web;
	trip->row = row;
	trip->job.source = http_request_source(r);
	trip->job.provider = (size_t)(row - oidc_table(web->oidc)->rows);
	trip->job.is_back = is_back;
	return trip;
}

static void queue(struct web_oidc_trip *trip,
		  int (*run)(struct store *store, void *data, struct err *e),
		  void (*done)(void *data, const struct err *e))
{
	struct err e;

	if (web_access_queue(trip->web, trip->r, &(struct store_queue_op){ run, done, trip }, false,
			     &e) < 0)
		web_oidc_fail(trip, &e);
}

/* ---- the cookie, which only this way out and back needs ---- */

static const char *cookie_name(const struct http_request *r)
{
	return http_request_is_tls(r) ? "__Host-cocos-trip" : "cocos-trip";
}

void web_oidc_cookie(const struct http_request *r, char browser[TRIP_TEXT_LEN + 1])
{
	if (!http_request_cookie(r, cookie_name(r), browser, TRIP_TEXT_LEN + 1))
		*browser = '\0';
}

static int derive(struct web_oidc_trip *trip, struct err *e)
{
	if (trip_derive(trip->state, trip->browser, TRIP_NONCE, trip->nonce, e) < 0)
		return err_code(e);
	return trip_derive(trip->state, trip->browser, TRIP_VERIFIER, trip->verifier, e);
}

/* ---- out ---- */

void web_oidc_put(const struct web *web, struct writer *w)
{
	const struct provider_table *t = web->oidc ? oidc_table(web->oidc) : NULL;

	for (size_t i = 0; t && i < t->count; i++)
		page_put(w,
			 "<p><a class=\"btn\" href=\"/sign-in/with/%u\">Sign in with %t</a></p>\n",
			 t->rows[i].name, t->rows[i].name);
}

static int run_set_out(struct store *store, void *data, struct err *e)
{
	const struct web_oidc_trip *trip = data;
	struct trip t = { .provider = "" };

	snprintf(t.provider, sizeof(t.provider), "%s", trip->row->name);
	if (trip_forget(&store->db, trip->before, e) < 0)
		return err_code(e);
	return trip_add(&store->db, trip->state, trip->browser, &trip->job.source, &t, store_now(),
			e);
}

/* Lax: the browser comes back from the provider's page. */
static void set_out(void *data, const struct err *e)
{
	struct web_oidc_trip *trip = data;
	char cookie[TRIP_TEXT_LEN + 128];

	if (e) {
		web_oidc_fail(trip, e);
		return;
	}
	snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; %sHttpOnly; SameSite=Lax; Max-Age=%d",
		 cookie_name(trip->r), trip->browser,
		 http_request_is_tls(trip->r) ? "Secure; " : "", TRIP_MINUTES * 60);
	http_request_answer(trip->r,
			    &(struct http_answer){ .status = 303,
						   .more = { { "location", trip->job.begin.url },
							     { "set-cookie", cookie } } });
	OPENSSL_cleanse(cookie, sizeof(cookie));
	web_oidc_trip_free(trip);
}

static void found_way(struct oidc_job *job, const struct err *e)
{
	struct web_oidc_trip *trip = (struct web_oidc_trip *)job;

	if (e)
		fail_there(trip, e);
	else
		queue(trip, run_set_out, set_out);
}

/* Another site's page starts nobody's way in. */
static int check_asker(const struct http_request *r, struct err *e)
{
	const char *site = http_request_header(r, "sec-fetch-site", 0);

	if (!site || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)
		return 0;
	return err_set(e, ERR_DENIED, "another site's page asks for this: begin at /sign-in");
}

static int start_out(struct web_oidc_trip *trip, struct err *e)
{
	/* Nothing is guessed here: the address alone is counted, behind which many may set out in one minute. */
	if (check_asker(trip->r, e) < 0 || trip_secret(trip->state, e) < 0 ||
	    sign_in_rate_take(trip->web->rate, &trip->job.source, trip->state,
			      clock_ms(CLOCK_BOOTTIME), e) < 0 ||
	    trip_secret(trip->browser, e) < 0 || derive(trip, e) < 0)
		return err_code(e);
	trip->job.begin = (struct oidc_begin){ .state = trip->state,
					       .nonce = trip->nonce,
					       .verifier = trip->verifier };
	trip->job.done = found_way;
	return oidc_add(trip->web->oidc, &trip->job, e);
}

/* On loopback a browser comes back to localhost, and its cookie has to be of that name. */
static bool is_elsewhere(const struct web *web, struct http_request *r)
{
	char host[ORIGIN_MAX], url[ORIGIN_MAX + 32];

	if (http_request_is_tls(r))
		return false;
	snprintf(host, sizeof(host), "localhost:%u", web->door.port);
	if (strcmp(http_request_host(r), host) == 0)
		return false;
	snprintf(url, sizeof(url), "http://%s/sign-in", host);
	http_request_answer(
		r, &(struct http_answer){ .status = 303, .more = { { "location", url } } });
	return true;
}

void web_oidc_begin(struct http_request *r, void *data)
{
	struct web_oidc_trip *trip;
	struct err e;

	if (is_elsewhere(data, r))
		return;
	trip = trip_new(data, r, false);
	if (!trip)
		return;
	web_oidc_cookie(r, trip->before);
	if (start_out(trip, &e) < 0)
		web_oidc_fail(trip, &e);
}

/* ---- back: with a code ---- */

static void redeemed(struct oidc_job *job, const struct err *e)
{
	struct web_oidc_trip *trip = (struct web_oidc_trip *)job;
	struct err stops;

	if (e) {
		fail_there(trip, e);
		return;
	}
	if (trip->web->service->stopping) {
		web_oidc_fail(trip,
			      (err_set(&stops, ERR_UNAVAILABLE, "the service stops"), &stops));
		return;
	}
	/* Whoever it is, he has signed in there. */
	sign_in_rate_good(trip->web->rate, &job->source, trip->state);
	web_oidc_whose(trip);
}

static int run_is_back(struct store *store, void *data, struct err *e)
{
	const struct web_oidc_trip *trip = data;
	struct trip ignored;

	return trip_take(&store->db, trip->state, trip->browser, trip->row->name, false,
			 store_now(), &ignored, e);
}

/* What the provider says instead of a code is one of its words (RFC 6749, 4.1.2.1). */
static int check_answer(const struct web_oidc_trip *trip, struct err *e)
{
	const char *error = http_request_query(trip->r, "error"),
		   *code = http_request_query(trip->r, "code");

	if (error)
		return err_set(e, ERR_DENIED, "%s says no: %s", trip->row->name,
			       log_quote(error).text);
	if (!code)
		return err_set(e, ERR_INVALID, "%s sent you back without a code", trip->row->name);
	if (strlen(code) > OIDC_CODE_MAX)
		return err_set(e, ERR_INVALID, "%s sent you back with a code of more than %d bytes",
			       trip->row->name, OIDC_CODE_MAX);
	return 0;
}

/* The state is used up, whatever follows. */
static void is_back(void *data, const struct err *e)
{
	struct web_oidc_trip *trip = data;
	struct err why;

	if (!e && check_answer(trip, &why) < 0)
		e = &why;
	if (!e) {
		trip->job.finish = (struct oidc_finish){
			.code = http_request_query(trip->r, "code"),
			.issuer = http_request_query(trip->r, "iss"),
			.nonce = trip->nonce,
			.verifier = trip->verifier,
		};
		trip->job.done = redeemed;
		if (oidc_add(trip->web->oidc, &trip->job, &why) < 0)
			e = &why;
	}
	if (e)
		web_oidc_fail(trip, e);
}

void web_oidc_back(struct http_request *r, void *data)
{
	struct web_oidc_trip *trip = trip_new(data, r, true);
	const char *state = http_request_query(r, "state");
	struct err e;

	if (!trip)
		return;
	/* What is longer than any of ours is none. */
	snprintf(trip->state, sizeof(trip->state), "%s",
		 state && strlen(state) <= TRIP_TEXT_LEN ? state : "");
	web_oidc_cookie(r, trip->browser);
	if (derive(trip, &e) < 0)
		web_oidc_fail(trip, &e);
	else
		queue(trip, run_is_back, is_back);
}

bool web_maps(const struct web *web, const char *workspace)
{
	return web && web->oidc && provider_table_maps(oidc_table(web->oidc), workspace);
}

/* ---- at the start ---- */

int web_oidc_open(struct web *web, const struct config *c, struct err *e)
{
	char origin[ORIGIN_MAX] = "";

	if (!c->oidc)
		return 0;
	if (web->door.port)
		snprintf(origin, sizeof(origin), "http://localhost:%u", web->door.port);
	else if (!web->service->sign_in)
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_OIDC: users sign in on this page only with "
			       "COMPUTATIONS_ADMIN_SIGN_IN=true");
	if (oidc_new(web->service->loop, c->oidc, origin, &web->oidc, e) < 0)
		return err_wrap(e, "COMPUTATIONS_OIDC");
	if (c->web_origin && strcmp(c->web_origin, oidc_table(web->oidc)->page) != 0)
		return err_set(
			e, ERR_INVALID,
			"COMPUTATIONS_WEB_ORIGIN is %s, and the page of COMPUTATIONS_OIDC %s: "
			"browsers have one address of it",
			c->web_origin, oidc_table(web->oidc)->page);
	log_info("page: users may sign in with %zu provider%s of identities",
		 oidc_table(web->oidc)->count, oidc_table(web->oidc)->count == 1 ? "" : "s");
	return 0;
}
