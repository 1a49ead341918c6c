/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_access.h"

#include "common/base/encode.h"
#include "computations/core/call_rate.h"
#include "computations/core/known_hash.h"
#include "computations/web/web_words.h"

#include <string.h>
#include <openssl/crypto.h>

/* Over TLS a name that browsers take from this host alone, and from no page without TLS. */
const char *web_access_cookie(const struct http_request *r)
{
	return http_request_is_tls(r) ? "__Host-" WEB_COOKIE : WEB_COOKIE;
}

/* A user's session: whose it is, the pool finds out. */
static int take_login(struct web *web, const struct http_request *r, struct admin_caller *caller,
		      struct err *e)
{
	char text[LOGIN_TEXT_LEN + 1];
	const char *shown = http_request_cookie(r, web_access_cookie(r), text, sizeof(text));
	bool is_here = http_request_is_tls(r) ||
		       web_door_name(&web->door, http_request_host(r), caller->host);
	int failed = login_hash(shown && is_here ? shown : "", caller->hash, e);

	OPENSSL_cleanse(text, sizeof(text));
	caller->has_login = !failed;
	return failed;
}

static uint64_t account_of(const struct http_request *r, struct known_hashes *known)
{
	const char *word = http_request_header(r, "authorization", 0);
	struct admin_caller shown = { .has_token = false };
	char text[LOGIN_TEXT_LEN + 1] = "";
	struct err ignored;
	int failed;

	if (word)
		failed = admin_access_token(word, &shown, &ignored);
	else if (http_request_cookie(r, web_access_cookie(r), text, sizeof(text)))
		failed = login_hash(text, shown.hash, &ignored);
	else
		return 0;
	OPENSSL_cleanse(text, sizeof(text));
	return failed ? 0 : known_hash_account(known, shown.hash);
}

int web_access_may(struct http_request *r, void *data, struct err *e)
{
	struct web *web = data;
	const uint64_t account = account_of(r, web->service->known);
	int64_t seconds;

	if (!account || call_rate_take(web->service->calls, account, http_request_peer(r),
				       call_rate_now(), &seconds, e) == 0)
		return web_row_of(web, r)->http.may(r, data, e);
	if (e->code == ERR_EXHAUSTED)
		http_request_put_off(r, (unsigned)seconds);
	return err_code(e);
}

int web_access_take(struct web *web, const struct http_request *r, struct admin_caller *caller,
		    struct err *e)
{
	const char *word = http_request_header(r, "authorization", 0);
	struct admin_caller got = { .deed = web_deed_of(web, r) };

	if (web_door_check_origin(r, e) < 0)
		return err_code(e);
	if (word) {
		if (admin_access_token(http_request_header(r, "authorization", 1) ? "" : word, &got,
				       e) < 0)
			return err_code(e);
	} else if (http_request_is_tls(r) && web->service->sign_in) {
		if (take_login(web, r, &got, e) < 0)
			return err_code(e);
	} else if (web_door_check(&web->door, r, e) < 0 &&
		   (http_request_is_tls(r) || take_login(web, r, &got, e) < 0)) {
		return http_request_is_tls(r)
			       ? err_code(e)
			       : err_set(e, ERR_UNAUTHENTICATED, "%s", WEB_SIGN_IN_OR_LINK);
	}
	*caller = got;
	return 0;
}

int web_access_queue(struct web *web, const struct http_request *r, const struct store_queue_op *op,
		     bool audits, struct err *e)
{
	const struct rpc_source source = http_request_source(r);

	return store_queue_add_for(web->service->queue, known_hash_stranger(&source), op, audits,
				   e);
}

int web_access_csrf(const struct web *web, const struct http_request *r,
		    char csrf[WEB_CSRF_LEN + 1], struct err *e)
{
	static const char use[] = "cocos csrf";
	const char *key = http_request_identity(r).key;
	char text[LOGIN_TEXT_LEN + 1] = "";
	uint8_t made[SHA256_LEN];
	int failed;

	if (http_request_cookie(r, web_access_cookie(r), text, sizeof(text)))
		failed = hmac(DIGEST_SHA256, text, strlen(text), use, sizeof(use) - 1, made, e);
	else if (key)
		failed = hmac(DIGEST_SHA256, web->secret, sizeof(web->secret), key, strlen(key),
			      made, e);
	else
		return err_set(e, ERR_UNAUTHENTICATED, "sign in: there is no session");
	OPENSSL_cleanse(text, sizeof(text));
	if (failed)
		return failed;
	hex_encode(made, sizeof(made), csrf);
	csrf[WEB_CSRF_LEN] = 0;
	return 0;
}
