/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/oidc/id_token.h"

#include "common/base/log.h"

#include <string.h>

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_DENIED, "ID token: %s", why);
}

/* ---- claims, each as the section says ---- */

static int check_text(const struct json *claims, const char *name, const char *want, struct err *e)
{
	const char *text;

	if (json_get_string(claims, name, &text, e) < 0)
		return err_wrap(e, "ID token");
	if (strcmp(text, want) != 0)
		return err_set(e, ERR_DENIED, "ID token: %s is %s, which is not ours", name,
			       log_quote(text).text);
	return 0;
}

/* `aud` is one text, or an array of them; who else is named there might have got it first. */
static int check_audience(const struct json *claims, const char *client, struct err *e)
{
	const struct json *aud = json_get(claims, "aud"), *azp = json_get(claims, "azp");
	bool is_ours = false;

	if (aud && aud->type == JSON_STRING) {
		is_ours = strcmp(aud->text, client) == 0;
	} else if (aud && aud->type == JSON_ARRAY && aud->count <= ID_TOKEN_AUDIENCES_MAX) {
		for (size_t i = 0; i < aud->count; i++) {
			if (aud->items[i].type != JSON_STRING)
				return refuse(e, "an audience that is no text");
			is_ours = is_ours || strcmp(aud->items[i].text, client) == 0;
		}
		if (aud->count > 1 && !azp)
			return refuse(e, "several audiences, and no azp");
	}
	if (!is_ours)
		return refuse(e, "it is for another client");
	return azp ? check_text(claims, "azp", client, e) : 0;
}

static int take_time(const struct json *claims, const char *name, int64_t *seconds, struct err *e)
{
	uint64_t value;

	if (json_get_u64(claims, name, &value, e) < 0)
		return err_wrap(e, "ID token");
	if (value > INT64_MAX / 2)
		return err_set(e, ERR_DENIED, "ID token: %s is no time", name);
	*seconds = (int64_t)value;
	return 0;
}

static int check_times(const struct json *claims, int64_t now, struct err *e)
{
	int64_t expires, made, begins = now;

	if (take_time(claims, "exp", &expires, e) < 0 || take_time(claims, "iat", &made, e) < 0 ||
	    (json_get(claims, "nbf") && take_time(claims, "nbf", &begins, e) < 0))
		return err_code(e);
	if (expires + ID_TOKEN_SKEW_S <= now)
		return refuse(e, "it has expired; is the clock right?");
	if (made > now + ID_TOKEN_SKEW_S || begins > now + ID_TOKEN_SKEW_S)
		return refuse(e, "it is from the future; is the clock right?");
	if (made + ID_TOKEN_AGE_S + ID_TOKEN_SKEW_S <= now)
		return refuse(e, "it was made long ago; is the clock right?");
	return 0;
}

/* At most 255 ASCII characters, which identify somebody together with the issuer. */
static int check_subject(const struct json *claims, const char **subject, struct err *e)
{
	const char *text;

	if (json_get_string(claims, "sub", &text, e) < 0)
		return err_wrap(e, "ID token");
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return refuse(e, "sub has other characters than visible ASCII");
	if (!*text || strlen(text) > ID_TOKEN_SUBJECT_MAX)
		return refuse(e, "sub is empty, or too long");
	*subject = text;
	return 0;
}

static int check_claims(const struct id_token_want *want, struct id_token *token, struct err *e)
{
	const struct json *claims = token->claims;

	if (claims->type != JSON_OBJECT)
		return refuse(e, "its claims are no object");
	if (check_text(claims, "iss", want->issuer, e) < 0 ||
	    check_audience(claims, want->client, e) < 0 ||
	    check_text(claims, "nonce", want->nonce, e) < 0 ||
	    check_times(claims, want->now, e) < 0)
		return err_code(e);
	return check_subject(claims, &token->subject, e);
}

/* ---- the token ---- */

int id_token_read(const char *text, const struct jwks *keys, const struct id_token_want *want,
		  struct id_token *token, struct err *e)
{
	__attribute__((cleanup(jws_done))) struct jws signed_token = { .payload = NULL };
	const struct jwks_key *key;
	struct id_token made = { .claims = NULL };

	if (jws_parse(text, strlen(text), &signed_token, e) < 0)
		return err_code(e);
	key = jwks_find(keys, signed_token.kid);
	if (!key)
		return err_set(e, ERR_NOT_FOUND, "token: the provider has no key of its kid %s",
			       log_quote(signed_token.kid).text);
	if (jws_verify(&signed_token, key, e) < 0)
		return err_code(e);
	if (json_parse(signed_token.payload, signed_token.payload_len, &made.claims, e) < 0)
		return err_set(e, ERR_DENIED, "ID token: its claims are no JSON");
	if (check_claims(want, &made, e) < 0) {
		id_token_done(&made);
		/* A claim that is missing is no missing key. */
		if (e->code == ERR_NOT_FOUND)
			e->code = ERR_DENIED;
		return err_code(e);
	}
	*token = made;
	return 0;
}

void id_token_done(struct id_token *token)
{
	json_free(token->claims);
	*token = (struct id_token){ .claims = NULL };
}

bool id_token_has(const struct id_token *token, const char *claim, const char *value)
{
	const struct json *found = json_get(token->claims, claim);
	const struct json *verified = json_get(token->claims, "email_verified");

	if (!found || (strcmp(claim, "email") == 0 &&
		       !(verified && verified->type == JSON_BOOL && verified->boolean)))
		return false;
	if (found->type == JSON_STRING)
		return strcmp(found->text, value) == 0;
	if (found->type != JSON_ARRAY || found->count > ID_TOKEN_VALUES_MAX)
		return false;
	for (size_t i = 0; i < found->count; i++)
		if (found->items[i].type == JSON_STRING && strcmp(found->items[i].text, value) == 0)
			return true;
	return false;
}

const char *id_token_text(const struct id_token *token, const char *claim)
{
	const struct json *found = json_get(token->claims, claim);

	return found && found->type == JSON_STRING ? found->text : NULL;
}
