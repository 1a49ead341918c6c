/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/hook/hook_url.h"

#include "common/base/log.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LABEL_MAX = 63 };

static int form(const char *text, const char *why, struct err *e)
{
	return err_set(e, ERR_INVALID, "URL %s: %s; wanted is https://HOST[:PORT][/PATH]",
		       log_quote(text).text, why);
}

/* What stands before its path. */
static size_t authority_len(const char *text)
{
	return strcspn(text, "/?#");
}

/* Labels as RFC 1123, 2.1 has them; the last one has a letter in front, or it would be a number, which some read as an
 * address. */
static bool is_name(const char *host)
{
	const char *label = host;

	for (;; label++) {
		size_t len = strcspn(label, ".");

		if (!len || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
			return false;
		for (size_t i = 0; i < len; i++)
			if (!isalnum((unsigned char)label[i]) && label[i] != '-')
				return false;
		if (!label[len])
			return isalpha((unsigned char)label[0]) != 0;
		label += len;
	}
}

/* Printable ASCII, of which each %XX is whole. */
static bool is_path(const char *path)
{
	for (; *path; path++) {
		if (*path <= ' ' || *path > '~' || strchr("\"<>\\^`{|}#", *path))
			return false;
		if (*path == '%' &&
		    (!isxdigit((unsigned char)path[1]) || !isxdigit((unsigned char)path[2])))
			return false;
	}
	return true;
}

static int read_port(const char *text, const char *port, size_t len, struct hook_url *url,
		     struct err *e)
{
	unsigned long number = 0;

	if (!len || len > 5 || *port == '0')
		return form(text, "its port is 1 to 65535", e);
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)port[i]))
			return form(text, "its port is 1 to 65535", e);
		number = number * 10 + (unsigned long)(port[i] - '0');
	}
	if (number > UINT16_MAX)
		return form(text, "its port is 1 to 65535", e);
	url->port = (uint16_t)number;
	return 0;
}

static int read_host(const char *text, const char *host, size_t len, struct hook_url *url,
		     struct err *e)
{
	struct in6_addr ignored;
	bool v6 = len >= 2 && host[0] == '[' && host[len - 1] == ']';

	if (v6) {
		host++;
		len -= 2;
	}
	if (!len || len > HOOK_HOST_MAX)
		return form(text, "it has no host, or one of more than 253 characters", e);
	memcpy(url->host, host, len);
	url->host[len] = 0;
	url->is_address = inet_pton(v6 ? AF_INET6 : AF_INET, url->host, &ignored) == 1;
	if (url->is_address || (!v6 && is_name(url->host)))
		return 0;
	return form(text,
		    "its host is a name such as hooks.example.org, four decimal numbers with dots, "
		    "or an IPv6 address in brackets",
		    e);
}

int hook_url_parse(const char *text, struct hook_url *url, struct err *e)
{
	static const char https[] = "https://", http[] = "http://";
	struct hook_url got = { .port = 443 };
	const char *at = text, *colon, *bracket;
	size_t len;

	if (strlen(text) > HOOK_URL_MAX)
		return err_set(e, ERR_INVALID, "URL: it has %zu characters, and may have %d",
			       strlen(text), HOOK_URL_MAX);
	if (strncasecmp(text, https, sizeof(https) - 1) == 0) {
		at += sizeof(https) - 1;
	} else if (strncasecmp(text, http, sizeof(http) - 1) == 0) {
		at += sizeof(http) - 1;
		got.plain = true;
		got.port = 80;
	} else {
		return form(text, "it does not begin with https://", e);
	}
	len = authority_len(at);
	if (memchr(at, '@', len))
		return form(text, "a user or password has no place in it", e);
	if (strchr(at, '#'))
		return form(text, "a fragment has no place in it", e);
	if (!is_path(at + len))
		return form(text, "its path has a character that has to be written as %XX", e);
	bracket = memchr(at, ']', len);
	colon = bracket ? (bracket[1] == ':' ? bracket + 1 : NULL) : memchr(at, ':', len);
	if (colon && read_port(text, colon + 1, len - (size_t)(colon + 1 - at), &got, e) < 0)
		return err_code(e);
	if (read_host(text, at, colon ? (size_t)(colon - at) : len, &got, e) < 0)
		return err_code(e);
	*url = got;
	return 0;
}

static bool is_localhost(const char *host)
{
	static const char name[] = "localhost";
	size_t len = strlen(host), own = sizeof(name) - 1;

	return len >= own && strcasecmp(host + len - own, name) == 0 &&
	       (len == own || host[len - own - 1] == '.');
}

int hook_url_check(const char *text, const struct hook_nets *nets, struct err *e)
{
	struct hook_url url;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = { .any = { .sa_family = AF_INET } };

	if (hook_url_parse(text, &url, e) < 0)
		return err_code(e);
	if (url.plain && !nets->plain)
		return form(
			text,
			"http:// is not encrypted, and this service's operator does not allow it",
			e);
	if (!url.is_address && !is_localhost(url.host))
		return 0;
	if (!url.is_address) {
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else if (inet_pton(AF_INET, url.host, &address.v4.sin_addr) != 1) {
		address.any.sa_family = AF_INET6;
		if (inet_pton(AF_INET6, url.host, &address.v6.sin6_addr) != 1)
			return err_set(e, ERR_INTERNAL, "an address that is none");
	}
	return hook_nets_check(nets, &address.any, url.plain, url.host, false, e);
}
