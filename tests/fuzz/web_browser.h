/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_browser.h — whoever asks the service's page in a fuzz target: requests without a connection, and what he remembers
 * of their answers, to send it back.
 *
 * In what is asked a byte BROWSER_SAYS and a letter stand for something that no input can know: see browser_put().
 */
#pragma once

#include "common/base/writer.h"
#include "common/http/request_state.h"
#include "computations/people/login.h"
#include "computations/web/web_work.h"

enum {
	BROWSER_SAYS = 1,
	BROWSER_FIELDS_MAX = 64, /* of a request; those behind them are not said */
	BROWSER_TEXT_MAX = 160,
	BROWSER_BYTES_MAX = 1024,
	BROWSER_PART_MAX = 64 << 10
};

/* How he reaches the page. */
enum browser_way {
	BROWSER_TLS,
	BROWSER_CERTIFICATE, /* TLS, with one of a client */
	BROWSER_UNIX,
	BROWSER_LOOPBACK,
	BROWSER_WAYS
};

struct browser_request {
	enum browser_way way;
	bool leaves;        /* before there is an answer */
	const char *method; /* the rest is without zero bytes, but for the body */
	char *target, *headers;
	uint8_t *body;
	size_t body_len;
	bool says_csrf, says_session, says_token; /* somewhere in it */
	bool says_password;                       /* its body, whose it may be */
};

struct browser_said {
	unsigned status;         /* 0: he left before */
	bool is_replayed, is_in; /* what was made is told again; a session began */
	bool is_put_off;         /* he may come again later */
};

/* Forgets everything; he has that session of a user's, and an OCSP request (DER) that is right. */
void browser_begin(const char *session, const uint8_t *ocsp, size_t ocsp_len);
/* One part of a request, with what he knows in place of his words. */
void browser_put(struct writer *w, const uint8_t *bytes, size_t len, struct browser_request *of);
/* Asks, and waits for the answer, which is checked for what holds of all of them. */
struct browser_said browser_ask(uv_loop_t *loop, const struct http_routes *routes,
				struct browser_request *request, const struct http_route **route);
/* A word of his, by its letter. */
void browser_know(char letter, const char *text);
const char *browser_knows(char letter);
/* A text (kept) that no answer to him may have from now on, unless he says it himself or is at the socket. */
void browser_hides(const char *text);
/* The next passkey's signature counts from there. */
void browser_count(uint32_t count);
