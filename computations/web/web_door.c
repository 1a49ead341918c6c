/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_door.h"

#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

static const char how[] = "this needs a link that works once: the service's log names the command "
			  "that prints one";

static int64_t now_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

static bool is_over(const struct web_pass *p, int64_t now)
{
	if (!p->is_there)
		return true;
	if (!p->is_session)
		return now - p->made > WEB_LINK_MS;
	return now - p->made > WEB_LONGEST_MS || now - p->seen > WEB_IDLE_MS;
}

/* A free place, or that of the one that was used longest ago. */
static struct web_pass *place(struct web_pass *passes, size_t count, int64_t now)
{
	struct web_pass *oldest = passes;

	for (size_t i = 0; i < count; i++) {
		if (is_over(&passes[i], now))
			return &passes[i];
		if (passes[i].seen < oldest->seen)
			oldest = &passes[i];
	}
	return oldest;
}

/* A fresh secret as text, and what is kept of it. */
static int make(struct web_pass *p, char secret[2 * WEB_SECRET_LEN + 1], struct err *e)
{
	uint8_t random[WEB_SECRET_LEN];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return err_openssl(e, ERR_INTERNAL, "a secret");
	hex_encode(random, sizeof(random), secret);
	secret[sizeof(random) * 2] = 0;
	OPENSSL_cleanse(random, sizeof(random));
	if (digest(DIGEST_SHA256, secret, 2 * WEB_SECRET_LEN, p->digest, e) < 0)
		return err_code(e);
	p->is_there = true;
	p->made = p->seen = now_ms();
	return 0;
}

/* All are compared, whichever it is. */
static struct web_pass *find(struct web_pass *passes, size_t count, const char *secret)
{
	struct web_pass *found = NULL;
	int64_t now = now_ms();
	uint8_t sha[32];
	struct err ignored;

	if (strlen(secret) != 2 * (size_t)WEB_SECRET_LEN ||
	    digest(DIGEST_SHA256, secret, strlen(secret), sha, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (CRYPTO_memcmp(passes[i].digest, sha, sizeof(sha)) == 0 &&
		    !is_over(&passes[i], now))
			found = &passes[i];
	return found;
}

/* "NAME.localhost:PORT" */
static bool is_host_of(const struct web_door *door, const struct web_pass *p, const char *host)
{
	char wanted[WEB_URL_MAX];

	snprintf(wanted, sizeof(wanted), "%s.localhost:%u", p->name, door->port);
	return strcasecmp(wanted, host) == 0;
}

int web_door_link(struct web_door *door, int64_t person, bool with_code, char url[WEB_URL_MAX],
		  struct err *e)
{
	struct web_pass *p = place(door->links, WEB_LINKS_MAX, now_ms());
	char secret[2 * WEB_SECRET_LEN + 1];
	uint8_t name[WEB_NAME_LEN];
	struct web_pass fresh = { .person = person, .with_code = with_code };

	if (RAND_bytes(name, sizeof(name)) != 1)
		return err_openssl(e, ERR_INTERNAL, "a name");
	hex_encode(name, sizeof(name), fresh.name);
	if (make(&fresh, secret, e) < 0)
		return err_code(e);
	*p = fresh;
	snprintf(url, WEB_URL_MAX, "http://%s.localhost:%u/in/%s", p->name, door->port, secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	return 0;
}

int web_door_take(struct web_door *door, const char *host, const char *secret,
		  struct web_pass *taken, struct err *e)
{
	struct web_pass *link = find(door->links, WEB_LINKS_MAX, secret);

	if (!link || !is_host_of(door, link, host))
		return err_set(e, ERR_UNAUTHENTICATED,
			       "this link was used, or is older than %d minutes, or none of ours",
			       WEB_LINK_MS / 60000);
	*taken = *link;
	*link = (struct web_pass){ .is_there = false };
	return 0;
}

void web_door_forget(struct web_door *door, int64_t person)
{
	for (size_t i = 0; i < WEB_LINKS_MAX; i++)
		if (person && door->links[i].is_there && door->links[i].person == person)
			door->links[i] = (struct web_pass){ .is_there = false };
}

int web_door_begin(struct web_door *door, const struct web_pass *taken, char cookie[WEB_URL_MAX],
		   struct err *e)
{
	char session[2 * WEB_SECRET_LEN + 1];
	struct web_pass fresh = *taken;

	fresh.is_session = true;
	if (make(&fresh, session, e) < 0)
		return err_code(e);
	*place(door->sessions, WEB_SESSIONS_MAX, now_ms()) = fresh;
	snprintf(cookie, WEB_URL_MAX, WEB_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict", session);
	OPENSSL_cleanse(session, sizeof(session));
	return 0;
}

void web_door_end(struct web_door *door, const char *cookie)
{
	struct web_pass *p = find(door->sessions, WEB_SESSIONS_MAX, cookie);

	if (p)
		*p = (struct web_pass){ .is_there = false };
}

bool web_door_name(const struct web_door *door, const char *host, char name[2 * WEB_NAME_LEN + 1])
{
	struct web_pass p = { .is_there = true };
	size_t len = strspn(host, "0123456789abcdef");

	if (len != sizeof(p.name) - 1)
		return false;
	memcpy(p.name, host, len);
	if (!is_host_of(door, &p, host))
		return false;
	memcpy(name, p.name, sizeof(p.name));
	return true;
}

int web_door_session(struct web_door *door, const char *host, const char *cookie, struct err *e)
{
	struct web_pass *p = cookie ? find(door->sessions, WEB_SESSIONS_MAX, cookie) : NULL;

	if (!p || !is_host_of(door, p, host))
		return err_set(e, ERR_UNAUTHENTICATED, "%s", how);
	p->seen = now_ms();
	return 0;
}

/* A browser says for whom it asks. What another origin's page asks for is not answered, but for its links. */
int web_door_check_origin(const struct http_request *r, struct err *e)
{
	const char *site = http_request_header(r, "sec-fetch-site", 0);
	const char *mode = http_request_header(r, "sec-fetch-mode", 0);
	const char *origin = http_request_header(r, "origin", 0);
	const char *host = http_request_host(r);
	const char *scheme = http_request_is_tls(r) ? "https://" : "http://";
	size_t len = strlen(scheme);

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0 &&
	    !(mode && strcmp(mode, "navigate") == 0))
		return err_set(e, ERR_DENIED, "another site's page asks for this");
	/* Without a referrer, as our pages ask for, a form's origin is "null" even within one origin: then it is
	 * what the browser says of the site that counts. */
	if (origin && strcmp(origin, "null") == 0 && site && strcmp(site, "same-origin") == 0)
		return 0;
	if (origin && (strncmp(origin, scheme, len) != 0 || strcasecmp(origin + len, host) != 0))
		return err_set(e, ERR_DENIED, "another origin asks for this");
	return 0;
}

int web_door_check_change(const struct http_request *r, struct err *e)
{
	const char *site = http_request_header(r, "sec-fetch-site", 0);

	if (web_door_check_origin(r, e) < 0)
		return err_code(e);
	if (site ? strcmp(site, "same-origin") == 0 : http_request_header(r, "origin", 0) != NULL)
		return 0;
	return err_set(e, ERR_DENIED,
		       "a change has to say where it is asked for (Origin, Sec-Fetch-Site): that "
		       "is not a page of ours");
}

int web_door_check(struct web_door *door, const struct http_request *r, struct err *e)
{
	const struct rpc_identity who = http_request_identity(r);
	const char *host = http_request_header(r, "host", 0);
	char cookie[2 * WEB_SECRET_LEN + 1];

	if (http_request_is_tls(r))
		return who.key ? 0 : err_set(e, ERR_UNAUTHENTICATED, "show a client certificate");
	if (who.has_uid)
		return 0;
	return web_door_session(door, host ? host : "",
				http_request_cookie(r, WEB_COOKIE, cookie, sizeof(cookie)), e);
}
