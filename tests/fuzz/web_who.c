/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/web_who.h"

#include "computations/core/known_hash.h"
#include "computations/people/token.h"
#include "computations/web/web_access.h"
#include "computations/web/web_guard.h"
#include "tests/fuzz/web_world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COOKIE(way) (is_tls(way) ? "__Host-" WEB_COOKIE "=" : WEB_COOKIE "=")

static bool is_tls(enum browser_way way)
{
	return way == BROWSER_TLS || way == BROWSER_CERTIFICATE;
}

/* The value of the n-th field of that name, malloc'ed; NULL: there are fewer. */
static char *field(const struct browser_request *request, const char *name, unsigned n)
{
	const size_t len = strlen(name);
	size_t line, count = 0;

	for (const char *at = request->headers; *at && count < BROWSER_FIELDS_MAX;
	     at += line + (at[line] == '\n')) {
		const char *value = strstr(at, ": ");

		line = strcspn(at, "\n");
		if (value && value > at && value + 2 <= at + line)
			count++;
		if (line > len + 1 && strncasecmp(at, name, len) == 0 &&
		    strncmp(at + len, ": ", 2) == 0 && n-- == 0) {
			char *copy = strndup(at + len + 2, line - len - 2);

			assert(copy);
			return copy;
		}
	}
	return NULL;
}

/* ---- what lets in ---- */

static bool has_hash(const char *sql, const uint8_t hash[SHA256_LEN], int64_t seen)
{
	int64_t count;
	struct err e;

	assert(db_number(&world.store.db, &count, &e, sql, "bii", hash, (size_t)SHA256_LEN,
			 store_now(), seen) == 0);
	return count > 0;
}

static bool is_token(const char *text)
{
	uint8_t hash[SHA256_LEN];
	struct err ignored;

	return token_hash(text, hash, &ignored) == 0 &&
	       has_hash("SELECT count(*) FROM tokens t JOIN users u ON u.number = t.person"
			" WHERE t.hash = ?1 AND t.expires > ?2 AND ?3 = 0 AND u.suspended = 0",
			hash, 0);
}

/* Whoever opened the door by a link has no row. */
static bool is_pass(const char *text)
{
	uint8_t hash[SHA256_LEN];
	struct err e;

	assert(digest(DIGEST_SHA256, text, strlen(text), hash, &e) == 0);
	for (size_t i = 0; i < WEB_SESSIONS_MAX; i++)
		if (world.web.door.sessions[i].is_there &&
		    memcmp(world.web.door.sessions[i].digest, hash, SHA256_LEN) == 0)
			return true;
	return false;
}

#define LOGINS                                                              \
	"SELECT count(*) FROM logins l JOIN users u ON u.number = l.person" \
	" WHERE l.hash = ?1 AND l.ends > ?2 AND l.seen > ?3 AND u.suspended = 0"

/* Of a user's: `sql` says which of them. */
static bool is_login(const char *sql, const char *text)
{
	uint8_t hash[SHA256_LEN];
	struct err ignored;

	return login_hash(text, hash, &ignored) == 0 &&
	       has_hash(sql, hash, store_now() - LOGIN_IDLE_MS);
}

/* Some session, wherever it stands. */
static bool has_session(const struct browser_request *request)
{
	for (const char *at = request->headers; (at = strstr(at, WEB_COOKIE "="));) {
		char text[LOGIN_TEXT_LEN + 1];

		at += sizeof(WEB_COOKIE "=") - 1;
		snprintf(text, sizeof(text), "%.*s", LOGIN_TEXT_LEN, at);
		if (is_login(LOGINS, text) || (request->way == BROWSER_LOOPBACK && is_pass(text)))
			return true;
	}
	return false;
}

/* The only cookie, if it looks like a session's; NULL: it does not. */
static const char *session_of(const struct browser_request *request, const char *cookie,
			      const char *second)
{
	const char *name = COOKIE(request->way);
	const size_t len = strlen(name);

	if (!cookie || second || strncmp(cookie, name, len) != 0 ||
	    strlen(cookie + len) != LOGIN_TEXT_LEN ||
	    strspn(cookie + len, "0123456789abcdef") != LOGIN_TEXT_LEN)
		return NULL;
	return cookie + len;
}

static void take_shown(const struct browser_request *request, struct web_who *who)
{
	static const char bearer[] = "bearer ";
	CLEANUP(free)
	char *word = field(request, "authorization", 0),
	     *other = field(request, "authorization", 1), *cookie = field(request, "cookie", 0),
	     *second = field(request, "cookie", 1);
	const char *session = session_of(request, cookie, second);

	who->is_browser |= session != NULL;
	if (word) {
		const char *text = strncasecmp(word, bearer, sizeof(bearer) - 1) == 0
					   ? word + sizeof(bearer) - 1
					   : "";

		who->is_nobody = other || !is_token(text + strspn(text, " "));
		who->is_known = !who->is_nobody && !cookie;
	} else if (request->way == BROWSER_UNIX ||
		   (request->way == BROWSER_CERTIFICATE && !world.service.sign_in)) {
		who->is_nobody = false;
	} else if (is_tls(request->way) && !world.service.sign_in) {
		who->is_nobody = true;
	} else {
		who->is_nobody = !has_session(request);
		/* Elsewhere it is bound to a name of the host's. */
		who->is_known = is_tls(request->way) && session &&
				is_login(LOGINS " AND l.host = ''", session);
	}
}

/* ---- which page has it sent ---- */

static bool is_ours(const struct browser_request *request, const char *site, const char *origin)
{
	CLEANUP(free) char *host = field(request, "host", 0);
	const char *scheme = is_tls(request->way) ? "https://" : "http://";
	const bool is_same = site && strcmp(site, "same-origin") == 0;

	if (!origin || (is_same && strcmp(origin, "null") == 0))
		return is_same;
	return (is_same || !site) && strncmp(origin, scheme, strlen(scheme)) == 0 &&
	       strcasecmp(origin + strlen(scheme), host ? host : "") == 0;
}

struct web_who web_who_asks(const struct browser_request *request)
{
	CLEANUP(free)
	char *site = field(request, "sec-fetch-site", 0), *origin = field(request, "origin", 0);
	struct web_who who = { .is_elsewhere = !is_ours(request, site, origin) };

	who.is_browser = site || origin;
	take_shown(request, &who);
	who.is_known &= !who.is_elsewhere || (!site && !origin);
	return who;
}

bool web_who_is_kept_out(const struct web_who *who, const struct browser_request *request,
			 const struct web_route *row)
{
	const bool is_change = row->http.may == web_guard_change ||
			       row->http.may == web_guard_try ||
			       (row->http.may == web_guard_act && who->is_browser);

	if (is_change && who->is_elsewhere)
		return true;
	if (row->http.may == web_guard_link)
		return request->way != BROWSER_UNIX;
	return who->is_nobody && row->http.may != http_anybody && row->http.may != web_guard_try;
}

bool web_who_shows(const struct browser_request *request, char letter, uint64_t account)
{
	CLEANUP(free)
	char *word = field(request, "authorization", 0),
	     *other = field(request, "authorization", 1), *cookie = field(request, "cookie", 0),
	     *second = field(request, "cookie", 1);
	const char *before = letter == 'a' ? "Bearer " : COOKIE(request->way);
	const char *text = browser_knows(letter), *shown = letter == 'a' ? word : cookie;
	uint8_t hash[SHA256_LEN];
	struct err ignored;

	if (!shown || other || second || (word && cookie) ||
	    strncmp(shown, before, strlen(before)) != 0 ||
	    strcmp(shown + strlen(before), text) != 0)
		return false;
	return (letter == 'a' ? token_hash(text, hash, &ignored)
			      : login_hash(text, hash, &ignored)) == 0 &&
	       known_hash_account(world.service.known, hash) == account;
}
