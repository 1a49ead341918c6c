/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/host.h"

#include <arpa/inet.h>
#include <string.h>

bool host_is_loopback(const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}
