/* SPDX-License-Identifier: Apache-2.0 */
#include "common/relay/relay_address.h"

#include "common/base/log.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Digits in their one form; 0: none. */
static uint16_t read_port(const char *text)
{
	uint32_t port = 0;

	if (*text == '0')
		return 0;
	for (; *text >= '0' && *text <= '9' && port <= UINT16_MAX; text++)
		port = 10 * port + (uint32_t)(*text - '0');
	return *text || port > UINT16_MAX ? 0 : (uint16_t)port;
}

static bool is_one_v4(const struct in_addr *a)
{
	const uint32_t host = ntohl(a->s_addr);

	return host >> 24 != 0 && !IN_MULTICAST(host) && !IN_BADCLASS(host);
}

static bool is_one_v6(const struct in6_addr *a)
{
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_MULTICAST(a) &&
	       !IN6_IS_ADDR_V4MAPPED(a) &&
	       !IN6_IS_ADDR_LINKLOCAL(a); /* which would need a network beside it */
}

static bool parse(const char *text, union relay_address *address, socklen_t *len)
{
	const char *colon = strrchr(text, ':');
	const size_t host_len = colon ? (size_t)(colon - text) : 0;
	const uint16_t port = colon ? read_port(colon + 1) : 0;
	char host[RELAY_ADDRESS_MAX];

	*address = (union relay_address){ .any.sa_family = AF_UNSPEC };
	if (!port || host_len < 2 || host_len >= sizeof(host))
		return false;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	if (host[0] == '[' && host[host_len - 1] == ']') {
		host[host_len - 1] = '\0';
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons(port);
		*len = sizeof(address->v6);
		return inet_pton(AF_INET6, host + 1, &address->v6.sin6_addr) == 1 &&
		       is_one_v6(&address->v6.sin6_addr);
	}
	address->v4.sin_family = AF_INET;
	address->v4.sin_port = htons(port);
	*len = sizeof(address->v4);
	return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1 &&
	       is_one_v4(&address->v4.sin_addr);
}

int relay_address_parse(const char *text, union relay_address *address, socklen_t *len,
			struct err *e)
{
	if (parse(text, address, len))
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s is not the address and port of one machine, in numbers, such as "
		       "192.0.2.1:7009 or [2001:db8::1]:7009",
		       log_quote(text).text);
}
