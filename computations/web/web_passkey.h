/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_passkey.h — passkeys at the page (passkey.h, webauthn.h): added and removed at their user's own page, signed in with,
 * and shown instead of a code of the second factor. For this folder only.
 *
 * They are for one name and one address: https://... of COMPUTATIONS_WEB_ORIGIN, or http://localhost:PORT of loopback.
 * There a session has a name of its own (web_door.h), which no passkey would outlive: so the page where one is added is
 * under a secret that whoever gave the password got for it.
 */
#pragma once

#include "computations/people/passkey.h"
#include "computations/web/web_enter.h"
#include "computations/web/web_passkey_form.h"
#include "computations/web/web_step.h"

/* The address that passkeys are for is known, and the way leads there from each other one. */
bool web_passkey_is_set(const struct web *web);
/* Whether this request is for the one address that passkeys are for. */
bool web_passkey_is_here(const struct web *web, const struct http_request *r);

/* ---- challenges ---- */

/* A challenge is the seal of its ticket (ticket.h), which travels in the form. */
enum web_passkey_use { PASSKEY_NEW, PASSKEY_SIGN_IN, PASSKEY_SECOND, PASSKEY_LET_IN };
enum { WEB_CHALLENGE_MS = 5 * 60000 };

struct web_challenge {
	uint8_t ticket[WEB_TICKET_LEN], challenge[WEBAUTHN_CHALLENGE_LEN];
};
/* `to`: whom it is bound to, by a secret of theirs: a browser's cookie, a link, a half (half.h). */
int web_challenge_make(const struct web *web, enum web_passkey_use use, const char *to,
		       struct web_challenge *made, struct err *e) MUST_CHECK;
/* That of a ticket which came back. ERR_UNAUTHENTICATED: it is too old. */
int web_challenge_of(const struct web *web, enum web_passkey_use use, const char *to,
		     struct span ticket, uint8_t challenge[WEBAUTHN_CHALLENGE_LEN],
		     struct err *e) MUST_CHECK;

/* ---- forms ---- */

struct web_passkey_ask {
	enum web_passkey_use use;
	const char *action, *to, *word;
	const struct passkey *rows; /* those that may be used, or must not be added again */
	size_t count;
	const struct passkey_begun *begun; /* of a new one */
	const char *half;                  /* of the second factor */
	const struct device *device;       /* that is to be let in, as this user */
	const char *user;
};
/* What the script fills and sends. The writer is bad where there is no challenge. */
void web_passkey_put(const struct web *web, const struct web_passkey_ask *ask, struct writer *w);

/* A browser that has not signed in: the secret that its cookie has, or a new one (`*is_new`). */
enum { WEB_BROWSER_LEN = 16 };
int web_passkey_browser(const struct http_request *r, char text[2 * WEB_BROWSER_LEN + 1],
			bool *is_new, struct err *e) MUST_CHECK;
/* Its header's value. */
void web_passkey_cookie(const struct http_request *r, const char *text, char cookie[WEB_URL_MAX]);

/* ---- one on its way ---- */

struct web_bringing {
	struct web_brought *brought;
	uint8_t challenge[WEBAUTHN_CHALLENGE_LEN];
	struct err late; /* its ticket was refused */
	struct passkey_begun begun;
	struct passkey_owner owner;
	struct passkey *rows;
	size_t count;
	char secret[PASSKEY_TEXT_LEN + 1];
};
/* In en->more, which frees it. */
struct web_bringing *web_bringing_new(struct web_enter *en, struct err *e) MUST_CHECK;
/* Reads the form and its challenge, on the loop: refuses by itself, and NULL then. */
struct web_enter *web_bringing_read(struct web *web, struct http_request *r,
				    const struct web_enter_way *way, enum web_passkey_use use,
				    const char *to);
/* In the pool: its signature and count, and the challenge is answered. What is refused but kept is in en->refused. */
int web_bringing_check(struct store *store, struct web_enter *en, bool verified,
		       struct err *e) MUST_CHECK;

/* ---- what was begun in a session, and goes on under a secret: web_passkey_begun.c ---- */

/* That of the path. */
const char *web_passkey_secret(const struct http_request *r);
/* Answers: the way to the page. */
void web_passkey_go(const struct web *web, struct http_request *r, const char *secret);
/* Of look() and keep(): it is begun, for that. */
int web_passkey_look(struct store *store, struct web_enter *en, bool for_device,
		     struct err *e) MUST_CHECK;
/* All of the page but its end; `ask` without action and whom it is bound to. */
struct web_passkey_page {
	const char *title, *text;
	const struct web_passkey_ask *ask;
	const struct err *wrong; /* NULL: nothing is */
};
void web_passkey_page(struct web_enter *en, const struct web_passkey_page *page, struct writer *w);
void web_passkey_new_show(struct web_enter *en);
/* web_device.c: who asks to be let in; and what there is to be done about a code that was typed. */
void web_device_put(const struct device *d, const char *user, struct writer *w);
int web_device_see_it(struct store *store, struct web_step *step, struct err *e) MUST_CHECK;
void web_device_seen(struct web_step *step, const struct err *e,
		     void (*show)(struct web_step *step));
void web_device_is_in(struct web_enter *en);
/* web_passkey_device.c */
int web_device_passkey_look(struct store *store, struct web_enter *en, struct err *e) MUST_CHECK;
void web_device_passkey_show(struct web_enter *en, unsigned status, const struct err *e);
void web_device_passkey(struct http_request *r, void *data);
void web_device_passkey_use(struct http_request *r, void *data);

/* Of the user's own page. */
void web_put_passkeys(const struct web_work *work, struct writer *w);
int web_run_passkeys(struct store *store, struct web_work *work, struct err *e) MUST_CHECK;

/* The rows' handlers. */
void web_passkey_ask(struct http_request *r, void *data);
void web_passkey_fresh(struct http_request *r, void *data);
void web_passkey_name(struct http_request *r, void *data);
void web_passkey_rename(struct http_request *r, void *data);
void web_passkey_begin(struct http_request *r, void *data);
void web_passkey_remove(struct http_request *r, void *data);
void web_passkey_begun(struct http_request *r, void *data);
void web_passkey_add(struct http_request *r, void *data);
void web_passkey_sign_in(struct http_request *r, void *data);
void web_passkey_second(struct http_request *r, void *data);
