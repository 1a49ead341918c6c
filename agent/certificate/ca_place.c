/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/certificate/ca_place.h"

#include "common/base/log.h"
#include "common/rpc/channel.h"

#include <stdio.h>
#include <string.h>

#define SCHEME "https://"

static const char name_characters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

static bool has_port(const char *host)
{
	const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;

	return strchr(bracket ? bracket : host, ':') != NULL;
}

static int read_target(const char *url, char target[CA_TARGET_MAX + 1], struct err *e)
{
	char host[CA_TARGET_MAX + 1];
	size_t len;
	int written;

	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
		return err_set(e, ERR_INVALID, "%s is not " SCHEME "HOST[:PORT]",
			       log_quote(url).text);
	url += strlen(SCHEME);
	len = strcspn(url, "/");
	if (url[len] && url[len + 1])
		return err_set(e, ERR_INVALID, "a path, %s: only host and port are wanted",
			       log_quote(url + len).text);
	if (len >= sizeof(host))
		return err_set(e, ERR_INVALID, "host and port of %zu bytes, the limit is %d", len,
			       CA_TARGET_MAX);
	memcpy(host, url, len);
	host[len] = '\0';
	written = snprintf(target, CA_TARGET_MAX + 1, "%s%s", host, has_port(host) ? "" : ":443");
	if (written < 0 || written > CA_TARGET_MAX)
		return err_set(e, ERR_INVALID, "host and port of %d bytes, the limit is %d",
			       written, CA_TARGET_MAX);
	return rpc_target_check(target, e);
}

/* `shown` NULL: it may be the token, where somebody has written TOKEN:NAME. */
static int read_name(const char *name, size_t len, const char *shown,
		     char out[CA_PLACE_NAME_MAX + 1], struct err *e)
{
	if (len == 0 || len > CA_PLACE_NAME_MAX || strspn(name, name_characters) < len)
		return err_set(e, ERR_INVALID,
			       "the name %s is not 1 to %d of a-z A-Z 0-9 . _ -, as the authority "
			       "gives them",
			       shown ? log_quote(shown).text : "in front of the ':'",
			       CA_PLACE_NAME_MAX);
	memcpy(out, name, len);
	out[len] = '\0';
	return 0;
}

static int read_token(const char *token, char out[CA_PLACE_TOKEN_MAX + 1], struct err *e)
{
	const size_t len = strlen(token);

	if (len == 0 || len > CA_PLACE_TOKEN_MAX)
		return err_set(e, ERR_INVALID, "a token of %zu characters; wanted 1 to %d", len,
			       CA_PLACE_TOKEN_MAX);
	for (size_t i = 0; i < len; i++)
		if (token[i] <= ' ' || token[i] > '~' || token[i] == ':')
			return err_set(e, ERR_INVALID,
				       "the token has a character that none has (at %zu)", i);
	memcpy(out, token, len + 1);
	return 0;
}

int ca_place_read(const char *url, const char *token, const char *cvm_id, struct ca_place *place,
		  struct err *e)
{
	const char *colon = strchr(token, ':');
	const char *name = colon ? token : cvm_id;

	*place = (struct ca_place){ 0 };
	if (read_target(url, place->target, e) < 0)
		return err_wrap(e, "AGENT_CVM_CA_URL");
	if (!name)
		return err_set(e, ERR_INVALID,
			       "AGENT_CERTS_TOKEN: whose certificate is it? NAME:TOKEN, or set "
			       "AGENT_CVM_ID");
	if (read_name(name, colon ? (size_t)(colon - token) : strlen(name), colon ? NULL : cvm_id,
		      place->name, e) < 0)
		return err_wrap(e, colon ? "AGENT_CERTS_TOKEN" : "AGENT_CVM_ID");
	if (read_token(colon ? colon + 1 : token, place->token, e) < 0)
		return err_wrap(e, "AGENT_CERTS_TOKEN");
	return 0;
}

void ca_place_wipe(struct ca_place *place)
{
	explicit_bzero(place, sizeof(*place));
}
