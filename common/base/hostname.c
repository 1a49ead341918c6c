/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/hostname.h"

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
