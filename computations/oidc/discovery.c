/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/oidc/discovery.h"

#include "attestation/endorse/endorse_http.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "computations/oidc/jws.h"

#include <string.h>
#include <strings.h>

DEFINE_CLEANUP(struct json *, json_free)

static const char plain[] = "http://";

static bool is_plain(const char *url)
{
	return strncmp(url, plain, sizeof(plain) - 1) == 0;
}

/* The part that names a machine, and all that may stand before a query. */
static int check_base(const char *url, size_t len, struct err *e)
{
	char base[DISCOVERY_URL_MAX + 1];

	if (len > DISCOVERY_URL_MAX)
		return err_set(e, ERR_INVALID, "an address of more than %d bytes",
			       DISCOVERY_URL_MAX);
	memcpy(base, url, len);
	base[len] = '\0';
	/* A slash at the end is part of some issuers' names. */
	if (len > sizeof("https://") && base[len - 1] == '/')
		base[len - 1] = '\0';
	return endorse_http_base(base, e);
}

int discovery_issuer_check(const char *issuer, struct err *e)
{
	if (strlen(issuer) > DISCOVERY_ISSUER_MAX)
		return err_set(e, ERR_INVALID, "an issuer of more than %d bytes",
			       DISCOVERY_ISSUER_MAX);
	return check_base(issuer, strlen(issuer), e);
}

/* Into a browser's location and into our requests: visible ASCII alone. */
static int take_url(const struct json *root, const char *name, const char *issuer,
		    char url[DISCOVERY_URL_MAX + 1], struct err *e)
{
	const char *text;

	if (json_get_string(root, name, &text, e) < 0)
		return err_code(e);
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}#", *c))
			return err_set(e, ERR_INVALID, "%s: %s is no address", name,
				       log_quote(text).text);
	if (check_base(text, strcspn(text, "?"), e) < 0)
		return err_wrap(e, "%s", name);
	if (is_plain(text) && !is_plain(issuer))
		return err_set(e, ERR_DENIED, "%s: %s is without TLS, and its issuer is not", name,
			       log_quote(text).text);
	if (strlen(text) > DISCOVERY_URL_MAX)
		return err_set(e, ERR_INVALID, "%s: more than %d bytes", name, DISCOVERY_URL_MAX);
	memcpy(url, text, strlen(text) + 1);
	return 0;
}

/* Whether a list has that word; `fallback` if there is no list. */
static int has_word(const struct json *root, const char *name, const char *word, bool fallback,
		    bool *has, struct err *e)
{
	const struct json *list;
	bool found = false;

	*has = fallback;
	if (!json_get(root, name))
		return 0;
	if (json_get_array(root, name, &list, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < list->count; i++)
		found = found || (list->items[i].type == JSON_STRING &&
				  strcmp(list->items[i].text, word) == 0);
	*has = found;
	return 0;
}

/* One that says nothing of S256 may still take it, and has to: the verifier is sent in any case. */
static int check_ways(const struct json *root, struct discovery *d, struct err *e)
{
	static const char methods[] = "token_endpoint_auth_methods_supported";
	bool code, s256, post, none;

	if (has_word(root, "response_types_supported", "code", false, &code, e) < 0 ||
	    has_word(root, "code_challenge_methods_supported", "S256", true, &s256, e) < 0 ||
	    has_word(root, methods, "client_secret_basic", true, &d->takes_basic, e) < 0 ||
	    has_word(root, methods, "client_secret_post", false, &post, e) < 0 ||
	    has_word(root, methods, "none", false, &none, e) < 0)
		return err_code(e);
	if (!code)
		return err_set(e, ERR_DENIED, "it does not answer with a code");
	if (!s256)
		return err_set(e, ERR_DENIED, "it does not take a challenge by S256 (PKCE)");
	if (!d->takes_basic && !post && !none)
		return err_set(e, ERR_DENIED,
			       "it takes a client's secret neither by client_secret_basic nor by "
			       "client_secret_post");
	return 0;
}

static int take_flag(const struct json *root, const char *name, bool *flag, struct err *e)
{
	*flag = false;
	return json_get(root, name) ? json_get_bool(root, name, flag, e) : 0;
}

static int read_discovery(const struct json *root, const char *issuer, struct discovery *d,
			  struct err *e)
{
	const char *text;

	if (json_get_string(root, "issuer", &text, e) < 0)
		return err_code(e);
	if (strcmp(text, issuer) != 0)
		return err_set(e, ERR_DENIED, "its issuer is %s, and not that which was asked",
			       log_quote(text).text);
	if (take_url(root, "authorization_endpoint", issuer, d->authorization, e) < 0 ||
	    take_url(root, "token_endpoint", issuer, d->token, e) < 0 ||
	    take_url(root, "jwks_uri", issuer, d->keys, e) < 0 ||
	    take_flag(root, "authorization_response_iss_parameter_supported", &d->says_issuer, e) <
		    0)
		return err_code(e);
	return check_ways(root, d, e);
}

int discovery_parse(const void *bytes, size_t len, const char *issuer, struct discovery *d,
		    struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	struct discovery got;

	if (len > DISCOVERY_MAX)
		return err_set(e, ERR_INVALID, "discovery: %zu bytes; at most %d", len,
			       DISCOVERY_MAX);
	if (json_parse(bytes, len, &root, e) < 0 || read_discovery(root, issuer, &got, e) < 0)
		return err_wrap(e, "discovery");
	*d = got;
	return 0;
}

int token_answer_parse(const void *bytes, size_t len, char **id_token, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	const char *text, *type;

	if (len > TOKEN_ANSWER_MAX)
		return err_set(e, ERR_INVALID, "token answer: %zu bytes; at most %d", len,
			       TOKEN_ANSWER_MAX);
	if (json_parse(bytes, len, &root, e) < 0 ||
	    json_get_string(root, "token_type", &type, e) < 0 ||
	    json_get_string(root, "id_token", &text, e) < 0)
		return err_wrap(e, "token answer");
	if (strcasecmp(type, "Bearer") != 0)
		return err_set(e, ERR_DENIED, "token answer: a token of type %s",
			       log_quote(type).text);
	if (strlen(text) > JWS_MAX)
		return err_set(e, ERR_DENIED, "token answer: an ID token of %zu characters",
			       strlen(text));
	*id_token = strdup(text);
	return *id_token ? 0 : err_nomem(e);
}
