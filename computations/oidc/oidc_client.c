/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/oidc/oidc_client.h"

#include "attestation/endorse/endorse_http.h"
#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

struct oidc_client {
	const struct provider_table *table;
	const struct provider *row;
	char *redirect;
	struct endorse_http *http;
	struct discovery discovery;
	struct jwks keys;
	/* ms of CLOCK_MONOTONIC; 0: never */
	int64_t discovered, fetched, refetched;
};

int oidc_client_new(const struct provider_table *table, const struct provider *row, char *redirect,
		    const atomic_bool *stopped, struct oidc_client **made, struct err *e)
{
	struct oidc_client *c = calloc(1, sizeof(*c));

	if (!c) {
		free(redirect);
		return err_nomem(e);
	}
	*c = (struct oidc_client){ .table = table, .row = row, .redirect = redirect };
	if (endorse_http_new(*row->ca_path ? row->ca_path : NULL, stopped, &c->http, e) < 0) {
		oidc_client_free(c);
		return err_code(e);
	}
	*made = c;
	return 0;
}

void oidc_client_free(struct oidc_client *c)
{
	if (!c)
		return;
	jwks_done(&c->keys);
	endorse_http_free(c->http);
	free(c->redirect);
	free(c);
}

/* ---- what is fetched, and kept ---- */

static bool is_fresh(int64_t since, int64_t keep, int64_t now)
{
	return since && now - since < keep;
}

static int get(struct oidc_client *c, const char *url, size_t max, int64_t deadline,
	       struct endorse_answer *answer, struct err *e)
{
	return endorse_http_get(c->http, &(struct endorse_request){ .url = url, .max = max },
				deadline, answer, e);
}

static int discover(struct oidc_client *c, int64_t deadline, struct err *e)
{
	int64_t now = clock_ms(CLOCK_MONOTONIC);
	__attribute__((cleanup(endorse_answer_done))) struct endorse_answer answer = { .len = 0 };
	CLEANUP_WRITER struct writer w = writer_up_to(DISCOVERY_URL_MAX + 64);
	size_t len = strlen(c->row->issuer);

	if (is_fresh(c->discovered, OIDC_KEEP_MS, now))
		return 0;
	/* OpenID Connect Discovery 1.0, 4.1. */
	writer_bytes(&w, c->row->issuer, len - (c->row->issuer[len - 1] == '/'));
	writer_text(&w, "/.well-known/openid-configuration");
	writer_u8(&w, 0);
	if (writer_check(&w, "the address of its document", e) < 0 ||
	    get(c, (char *)w.bytes, DISCOVERY_MAX, deadline, &answer, e) < 0)
		return err_code(e);
	if (discovery_parse(answer.body, answer.len, c->row->issuer, &c->discovery, e) < 0)
		return err_code(e);
	c->discovered = now;
	return 0;
}

static int fetch_keys(struct oidc_client *c, int64_t deadline, struct err *e)
{
	__attribute__((cleanup(endorse_answer_done))) struct endorse_answer answer = { .len = 0 };
	struct jwks *set = calloc(1, sizeof(*set));
	int failed;

	if (!set)
		return err_nomem(e);
	failed = get(c, c->discovery.keys, JWKS_MAX, deadline, &answer, e);
	if (!failed)
		failed = jwks_parse(answer.body, answer.len, set, e);
	if (!failed) {
		jwks_done(&c->keys);
		c->keys = *set;
		c->fetched = clock_ms(CLOCK_MONOTONIC);
	}
	free(set);
	return failed;
}

/* A kid that is unknown may be that of a new key; but whoever makes kids up must not have us ask for each. */
static int read_token(struct oidc_client *c, const char *text, const struct id_token_want *want,
		      int64_t deadline, struct id_token *token, struct err *e)
{
	int64_t now = clock_ms(CLOCK_MONOTONIC);
	int failed;

	if (!is_fresh(c->fetched, OIDC_KEEP_MS, now) && fetch_keys(c, deadline, e) < 0)
		return err_code(e);
	failed = id_token_read(text, &c->keys, want, token, e);
	if (!err_is(failed, ERR_NOT_FOUND))
		return failed;
	if (!is_fresh(c->refetched, OIDC_REFETCH_MS, now)) {
		c->refetched = now;
		if (fetch_keys(c, deadline, e) < 0)
			return err_code(e);
		failed = id_token_read(text, &c->keys, want, token, e);
	}
	if (err_is(failed, ERR_NOT_FOUND))
		e->code = ERR_DENIED;
	return failed ? err_code(e) : 0;
}

/* ---- out ---- */

/* RFC 3986, 2.3: all but what is unreserved, as application/x-www-form-urlencoded takes it, too. */
static void put_encoded(struct writer *w, const char *text)
{
	for (; *text; text++) {
		char c = *text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", c))
			writer_u8(w, (uint8_t)c);
		else
			writer_printf(w, "%%%02X", (uint8_t)c);
	}
}

static void put_pair(struct writer *w, const char *name, const char *value)
{
	writer_text(w, name);
	writer_text(w, "=");
	put_encoded(w, value);
}

/* RFC 7636, 4.2: BASE64URL(SHA256(verifier)). */
static int put_challenge(struct writer *w, const char *verifier, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	uint8_t sha[SHA256_LEN];

	if (digest(DIGEST_SHA256, verifier, strlen(verifier), sha, e) < 0)
		return err_code(e);
	text = base64_encode(sha, sizeof(sha));
	if (!text)
		return err_nomem(e);
	writer_text(w, "&code_challenge_method=S256&code_challenge=");
	for (const char *c = text; *c && *c != '='; c++)
		writer_u8(w, (uint8_t)(*c == '+' ? '-' : *c == '/' ? '_' : *c));
	return 0;
}

/* What a provider answers can't be mended by whom it sends back: no form of his is wrong, and he did not try too often. */
static int of_provider(const struct oidc_client *c, struct err *e)
{
	if (e->code == ERR_INVALID || e->code == ERR_NOT_FOUND || e->code == ERR_EXHAUSTED)
		e->code = ERR_UNAVAILABLE;
	return err_wrap(e, "provider %s", c->row->name);
}

int oidc_client_look(struct oidc_client *c, int64_t deadline, struct err *e)
{
	return discover(c, deadline, e) < 0 || fetch_keys(c, deadline, e) < 0 ? of_provider(c, e)
									      : 0;
}

int oidc_client_begin(struct oidc_client *c, struct oidc_begin *begin, int64_t deadline,
		      struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(OIDC_URL_MAX);

	if (discover(c, deadline, e) < 0)
		return of_provider(c, e);
	writer_text(&w, c->discovery.authorization);
	writer_text(&w, strchr(c->discovery.authorization, '?') ? "&" : "?");
	writer_text(&w, "response_type=code&");
	put_pair(&w, "client_id", c->row->client);
	put_pair(&w, "&redirect_uri", c->redirect);
	put_pair(&w, "&scope", c->row->scopes);
	put_pair(&w, "&state", begin->state);
	put_pair(&w, "&nonce", begin->nonce);
	if (*c->row->acr)
		put_pair(&w, "&acr_values", c->row->acr);
	if (put_challenge(&w, begin->verifier, e) < 0)
		return err_code(e);
	writer_u8(&w, 0);
	if (writer_check(&w, "the provider's address", e) < 0)
		return err_code(e);
	memcpy(begin->url, w.bytes, w.len);
	return 0;
}

/* ---- and back ---- */

/* RFC 9207, 2.4: it is this provider's answer, and not another's, to which a code of this one is not to be shown. */
static int check_issuer(const struct oidc_client *c, const char *issuer, struct err *e)
{
	if (!issuer && c->discovery.says_issuer)
		return err_set(e, ERR_DENIED, "its answer lacks iss, which it says that it has");
	if (issuer && strcmp(issuer, c->row->issuer) != 0)
		return err_set(e, ERR_DENIED, "the answer is of another issuer, %s",
			       log_quote(issuer).text);
	return 0;
}

/* RFC 6749, 4.1.3 and 2.3.1; RFC 7636, 4.5. */
static int redeem(struct oidc_client *c, const struct oidc_finish *f, int64_t deadline,
		  char **id_token, struct err *e)
{
	__attribute__((cleanup(endorse_answer_done))) struct endorse_answer answer = { .len = 0 };
	CLEANUP_WRITER struct writer form = writer_up_to(3 * OIDC_CODE_MAX + OIDC_URL_MAX);
	CLEANUP_WRITER struct writer user = writer_up_to(4 * PROVIDER_CLIENT_MAX);
	CLEANUP_WRITER struct writer password = writer_up_to(4 * PROVIDER_SECRET_MAX);
	struct endorse_request r = { .url = c->discovery.token, .max = TOKEN_ANSWER_MAX };
	const bool basic = *c->row->secret && c->discovery.takes_basic;
	int failed;

	writer_text(&form, "grant_type=authorization_code&");
	put_pair(&form, "code", f->code);
	put_pair(&form, "&redirect_uri", c->redirect);
	put_pair(&form, "&code_verifier", f->verifier);
	if (!basic)
		put_pair(&form, "&client_id", c->row->client);
	if (*c->row->secret && !basic)
		put_pair(&form, "&client_secret", c->row->secret);
	put_encoded(&user, c->row->client);
	put_encoded(&password, c->row->secret);
	writer_u8(&form, 0);
	writer_u8(&user, 0);
	writer_u8(&password, 0);
	if (writer_check(&form, "the code's form", e) < 0 ||
	    writer_check(&user, "the client's name", e) < 0 ||
	    writer_check(&password, "the client's secret", e) < 0)
		return err_code(e);
	r.form = (char *)form.bytes;
	r.user = basic ? (char *)user.bytes : NULL;
	r.password = basic ? (char *)password.bytes : NULL;
	if (endorse_http_get(c->http, &r, deadline, &answer, e) < 0)
		return err_code(e);
	failed = token_answer_parse(answer.body, answer.len, id_token, e);
	OPENSSL_cleanse(answer.body, answer.len);
	return failed;
}

static void take_name(const struct oidc_client *c, const struct id_token *token,
		      char name[PEOPLE_NAME_MAX + 1])
{
	const char *text = *c->row->name_claim ? id_token_text(token, c->row->name_claim) : NULL;
	struct err ignored;

	if (text && people_name_check("user", text, &ignored) == 0)
		snprintf(name, PEOPLE_NAME_MAX + 1, "%s", text);
}

static int finish(struct oidc_client *c, struct oidc_finish *f, int64_t deadline, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	const struct id_token_want want = { .issuer = c->row->issuer,
					    .client = c->row->client,
					    .nonce = f->nonce,
					    .now = clock_ms(CLOCK_REALTIME) / 1000 };
	struct id_token token;

	if (discover(c, deadline, e) < 0 || check_issuer(c, f->issuer, e) < 0 ||
	    redeem(c, f, deadline, &text, e) < 0 ||
	    read_token(c, text, &want, deadline, &token, e) < 0)
		return err_code(e);
	snprintf(f->subject, sizeof(f->subject), "%s", token.subject);
	take_name(c, &token, f->name);
	provider_table_match(c->table, c->row, &token, &f->matches);
	f->strong = provider_is_strong(c->row, &token);
	id_token_done(&token);
	return 0;
}

int oidc_client_finish(struct oidc_client *c, struct oidc_finish *f, int64_t deadline,
		       struct err *e)
{
	return finish(c, f, deadline, e) < 0 ? of_provider(c, e) : 0;
}
