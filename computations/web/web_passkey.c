/* SPDX-License-Identifier: Apache-2.0 */
/* web_passkey.c — what is the same wherever a passkey is asked for: the address, the challenge, the form, the check. */
#include "computations/web/web_passkey.h"

#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/ticket.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>

bool web_passkey_is_set(const struct web *web)
{
	return *web->passkeys.origin != 0;
}

bool web_passkey_is_here(const struct web *web, const struct http_request *r)
{
	const char *scheme = http_request_is_tls(r) ? "https://" : "http://";
	size_t len = strlen(scheme);

	return strncmp(web->passkeys.origin, scheme, len) == 0 &&
	       strcasecmp(web->passkeys.origin + len, http_request_host(r)) == 0;
}

/* ---- challenges ---- */

static int seal(const struct web *web, enum web_passkey_use use, const char *to,
		struct web_challenge *c, struct err *e)
{
	static const char *const uses[] = { "passkey new", "passkey sign in", "passkey second",
					    "passkey let in" };

	_Static_assert(sizeof(c->challenge) == SHA256_LEN, "a challenge is a seal");
	return ticket_seal((struct span){ web->secret, sizeof(web->secret) }, uses[use],
			   (struct span){ c->ticket, sizeof(c->ticket) }, to, c->challenge, e);
}

int web_challenge_make(const struct web *web, enum web_passkey_use use, const char *to,
		       struct web_challenge *made, struct err *e)
{
	if (ticket_make((uint64_t)clock_ms(CLOCK_BOOTTIME), made->ticket, sizeof(made->ticket), e) <
	    0)
		return err_code(e);
	return seal(web, use, to, made, e);
}

int web_challenge_of(const struct web *web, enum web_passkey_use use, const char *to,
		     struct span ticket, uint8_t challenge[WEBAUTHN_CHALLENGE_LEN], struct err *e)
{
	struct web_challenge c;

	if (ticket.len != WEB_TICKET_LEN ||
	    !ticket_is_fresh(ticket.bytes, (uint64_t)clock_ms(CLOCK_BOOTTIME), WEB_CHALLENGE_MS))
		return err_set(e, ERR_UNAUTHENTICATED,
			       "the page is older than %d minutes: try again from this one",
			       WEB_CHALLENGE_MS / 60000);
	memcpy(c.ticket, ticket.bytes, WEB_TICKET_LEN);
	if (seal(web, use, to, &c, e) < 0)
		return err_code(e);
	memcpy(challenge, c.challenge, sizeof(c.challenge));
	return 0;
}

/* ---- forms ---- */

/* What each brings. */
static const enum web_brought_kind kinds[] = { [PASSKEY_NEW] = BROUGHT_NEW,
					       [PASSKEY_SIGN_IN] = BROUGHT_USED,
					       [PASSKEY_SECOND] = BROUGHT_SECOND,
					       [PASSKEY_LET_IN] = BROUGHT_USED };

static void put_ids(const struct web_passkey_ask *ask, struct writer *w)
{
	page_put(w, " data-ids=\"");
	for (size_t i = 0; i < ask->count; i++) {
		writer_text(w, i ? "," : "");
		writer_hex(w, ask->rows[i].id, ask->rows[i].id_len);
	}
	page_put(w, "\"");
}

static void put_fields(enum web_brought_kind kind, const struct web_challenge *c, const char *half,
		       struct writer *w)
{
	for (int i = 0; i < BROUGHT_PARTS; i++) {
		enum web_brought_part part = (enum web_brought_part)i;

		if (!web_brought_has(kind, part))
			continue;
		page_put(w, "<input type=\"hidden\" name=\"%s\" value=\"", web_brought_name(part));
		if (part == BROUGHT_TICKET)
			writer_hex(w, c->ticket, sizeof(c->ticket));
		else if (part == BROUGHT_HALF)
			page_put(w, "%a", half);
		page_put(w, "\">\n");
	}
}

void web_passkey_put(const struct web *web, const struct web_passkey_ask *ask, struct writer *w)
{
	struct web_challenge c;
	struct err ignored;

	if (web_challenge_make(web, ask->use, ask->to, &c, &ignored) < 0) {
		w->bad = true;
		return;
	}
	page_put(w,
		 "<form class=\"stack\" method=\"post\" action=\"%a\" data-passkey=\"%s\" "
		 "data-rp=\"%a\" data-verify=\"%s\"",
		 ask->action, ask->use == PASSKEY_NEW ? "create" : "get", web->passkeys.name,
		 ask->use == PASSKEY_SECOND ? "discouraged" : "required");
	if (ask->begun) {
		page_put(w, " data-name=\"%a\" data-user=\"", ask->begun->user);
		writer_hex(w, ask->begun->handle, sizeof(ask->begun->handle));
		page_put(w, "\"");
	}
	page_put(w, " data-challenge=\"");
	writer_hex(w, c.challenge, sizeof(c.challenge));
	page_put(w, "\"");
	put_ids(ask, w);
	page_put(w, ">\n");
	put_fields(kinds[ask->use], &c, ask->half, w);
	/* The script lets go of the button: nobody presses it before, and nothing moves. */
	page_put(
		w,
		"<output class=\"no\"></output>\n<div><button class=\"btn\" type=\"submit\" "
		"disabled>%t</button></div></form>\n<p class=\"note\" data-no-passkey hidden>%t</p>\n"
		"<noscript><p class=\"note\">%t</p></noscript>\n<script type=\"module\" "
		"src=\"/passkey.js\"></script>\n",
		ask->word, WEB_PASSKEY_NOT_HERE, WEB_PASSKEY_NO_SCRIPT);
}

/* ---- a browser that has not signed in ---- */

static const char *cookie_name(const struct http_request *r)
{
	return http_request_is_tls(r) ? "__Host-cocos-browser" : "cocos-browser";
}

int web_passkey_browser(const struct http_request *r, char text[2 * WEB_BROWSER_LEN + 1],
			bool *is_new, struct err *e)
{
	char shown[2 * WEB_BROWSER_LEN + 1];
	uint8_t random[WEB_BROWSER_LEN];

	*is_new = !http_request_cookie(r, cookie_name(r), shown, sizeof(shown)) ||
		  strlen(shown) != 2 * WEB_BROWSER_LEN ||
		  strspn(shown, "0123456789abcdef") != 2 * WEB_BROWSER_LEN;
	if (!*is_new) {
		memcpy(text, shown, sizeof(shown));
		return 0;
	}
	if (random_bytes(random, sizeof(random), e) < 0)
		return err_code(e);
	hex_encode(random, sizeof(random), text);
	return 0;
}

void web_passkey_cookie(const struct http_request *r, const char *text, char cookie[WEB_URL_MAX])
{
	snprintf(cookie, WEB_URL_MAX, "%s=%s; Path=/; %sHttpOnly; SameSite=Strict", cookie_name(r),
		 text, http_request_is_tls(r) ? "Secure; " : "");
}

/* ---- one on its way ---- */

static void bringing_free(void *data)
{
	struct web_bringing *b = data;

	web_brought_free(b->brought);
	free(b->rows);
	OPENSSL_cleanse(b, sizeof(*b));
	free(b);
}

struct web_bringing *web_bringing_new(struct web_enter *en, struct err *e)
{
	struct web_bringing *b = calloc(1, sizeof(*b));

	err_nomem(e);
	if (!b)
		return NULL;
	en->more = b;
	en->free_more = bringing_free;
	return b;
}

struct web_enter *web_bringing_read(struct web *web, struct http_request *r,
				    const struct web_enter_way *way, enum web_passkey_use use,
				    const char *to)
{
	struct web_enter *en = web_enter_plain(web, r, way);
	struct web_bringing *b;
	const uint8_t *body;
	struct err e;
	size_t len;

	if (!en)
		return NULL;
	en->brings = true;
	body = http_request_body(r, &len);
	b = web_bringing_new(en, &e);
	if (!b || web_brought_read(body, len, kinds[use], &b->brought, &e) < 0) {
		http_request_fail(r, &e);
		web_enter_free(en);
		return NULL;
	}
	(void)!web_challenge_of(web, use, to ? to : b->brought->half,
				b->brought->parts[BROUGHT_TICKET], b->challenge, &b->late);
	return en;
}

int web_bringing_check(struct store *store, struct web_enter *en, bool verified, struct err *e)
{
	struct web_bringing *b = en->more;
	const struct span *parts = b->brought->parts;
	const struct webauthn_want want = { en->web->passkeys.name, en->web->passkeys.origin,
					    b->challenge, verified };
	const struct webauthn_use use = { parts[BROUGHT_CLIENT], parts[BROUGHT_DATA],
					  parts[BROUGHT_SIGNATURE] };
	struct webauthn_known known;
	struct webauthn_used used;

	/* Meanwhile it may have been used, or removed. */
	if (passkey_find(&store->db, parts[BROUGHT_ID], &b->owner, e) < 0)
		return err_code(e);
	known = (struct webauthn_known){ { b->owner.spki, b->owner.spki_len },
					 b->owner.count,
					 b->owner.eligible };
	if (webauthn_assert(&want, &use, &known, &used, e) < 0 ||
	    passkey_answer(&store->db, b->challenge, store_now(), e) < 0 ||
	    passkey_note(&store->db, &b->owner, &used, store_now(), e) < 0)
		return err_code(e);
	if (!used.went_back) {
		snprintf(en->trail.after, sizeof(en->trail.after), "%s", b->owner.name);
		return 0;
	}
	err_set(&en->refused, ERR_UNAUTHENTICATED,
		"passkey %s: its count of signatures went back: there may be a copy of the device: "
		"sign in another way, and remove it",
		b->owner.name);
	log_warn("page: the count of passkey %s of user %s went back: there may be a copy",
		 b->owner.name, b->owner.user);
	return 0;
}
