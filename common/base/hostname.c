/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/hostname.h"

#include "common/base/log.h"

#include <arpa/inet.h>
#include <string.h>

bool hostname_is_loopback(const char *name)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, name, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, name, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return strcmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0;
}

int hostname_listener_check(const char *prefix, const char *host, bool mutual, struct err *e)
{
	if (mutual || hostname_is_loopback(host))
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s_HOST %s can be reached by other hosts: set %s_SERVER_CERT, _SERVER_KEY "
		       "and _CLIENT_CA_CERTS, or listen on 127.0.0.1",
		       prefix, log_quote(host).text, prefix);
}
