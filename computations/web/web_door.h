/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_door.h — who may see the page.
 *
 * A client's certificate, or the right to open the administrators' socket, is proof enough. A loopback port
 * proves nothing, for everybody on this machine reaches it: there a browser shows a session's cookie, which it
 * got for a link that works once. Who may open the socket gets links.
 *
 * A cookie is kept by host name, not by port, so each link has a name of its own under localhost that nobody
 * can guess: no other program of this machine is sent that cookie. All of it ends with this process.
 */
#pragma once

#include "common/http/request.h"

enum {
	WEB_SECRET_LEN = 32,
	WEB_NAME_LEN = 16,
	WEB_LINKS_MAX = 16,
	WEB_SESSIONS_MAX = 64,
	WEB_LINK_MS = 10 * 60 * 1000,
	WEB_IDLE_MS = 2 * 3600 * 1000,
	WEB_LONGEST_MS = 12 * 3600 * 1000,
	WEB_URL_MAX = 192,
};

/* A link, or a session, which is what it becomes. Of its secret only the digest is kept. */
struct web_pass {
	bool is_there, is_session;
	uint8_t digest[32];
	char name[2 * WEB_NAME_LEN + 1]; /* under localhost */
	int64_t person;                  /* who signed in; 0: whoever may open the socket */
	bool with_code;                  /* of a second factor */
	int64_t made, seen;              /* ms of CLOCK_BOOTTIME */
};

struct web_door {
	unsigned port; /* of loopback; 0: there is none */
	struct web_pass links[WEB_LINKS_MAX], sessions[WEB_SESSIONS_MAX];
};

#define WEB_COOKIE "cocos-session"

/* A link that works once. The oldest gives way. */
int web_door_link(struct web_door *door, int64_t person, bool with_code, char url[WEB_URL_MAX],
		  struct err *e) MUST_CHECK;
/* What was behind the link, which is for `host`. ERR_UNAUTHENTICATED: it is none, or not any more. */
int web_door_take(struct web_door *door, const char *host, const char *secret,
		  struct web_pass *taken, struct err *e) MUST_CHECK;
/* That person's links are good for nothing any more. */
void web_door_forget(struct web_door *door, int64_t person);
/* A session of whoever may open the socket: its cookie. */
int web_door_begin(struct web_door *door, const struct web_pass *taken, char cookie[WEB_URL_MAX],
		   struct err *e) MUST_CHECK;
/* That session is over, if there is one. */
void web_door_end(struct web_door *door, const char *cookie);
/* The name under localhost that this request is for, or false. */
bool web_door_name(const struct web_door *door, const char *host, char name[2 * WEB_NAME_LEN + 1]);
/* Whether a browser asks for a page of ours; ERR_DENIED: for another site's. */
int web_door_check_origin(const struct http_request *r, struct err *e) MUST_CHECK;
/* The same for what changes something: a browser has to say that a page of ours asks. */
int web_door_check_change(const struct http_request *r, struct err *e) MUST_CHECK;
/* May whoever sent this request administer the service? ERR_UNAUTHENTICATED: no. */
int web_door_check(struct web_door *door, const struct http_request *r, struct err *e) MUST_CHECK;
/* The same by parts, for requests on loopback. `cookie` NULL: there is none. */
int web_door_session(struct web_door *door, const char *host, const char *cookie,
		     struct err *e) MUST_CHECK;
