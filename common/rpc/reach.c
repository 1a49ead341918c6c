/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/reach.h"

#include "common/base/log.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The manager's socket is on this host; any other manager forwards ports of its own. */
static void host_of(const char *target, char *host, size_t room)
{
	size_t scheme, len;

	if (!target || strncmp(target, "unix:", 5) == 0) {
		snprintf(host, room, "127.0.0.1");
		return;
	}
	scheme = strncmp(target, "https://", 8) == 0  ? 8
		 : strncmp(target, "http://", 7) == 0 ? 7
						      : 0;
	target += scheme;
	len = strrchr(target, ':') ? (size_t)(strrchr(target, ':') - target) : strlen(target);
	snprintf(host, room, "%.*s", (int)len, target);
}

/* 0: it is none. */
static uint16_t port_of(const char *text)
{
	size_t len = strlen(text);
	unsigned long port;

	if (!len || len > 5 || strspn(text, "0123456789") != len)
		return 0;
	port = strtoul(text, NULL, 10);
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

int reach_address(const char *target, const char *host, const char *port, char address[REACH_MAX],
		  struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.:[]%";
	char own[REACH_MAX - sizeof(":65535")];
	uint16_t number = port_of(port);

	if (!*host) {
		host_of(target, own, sizeof(own));
		host = own;
	}
	if (!number)
		return err_set(e, ERR_INVALID, "the manager forwards no port: it says %s",
			       log_quote(port).text);
	if (!*host || strlen(host) >= sizeof(own) || strspn(host, letters) != strlen(host))
		return err_set(e, ERR_INVALID, "the host %s of the manager is none",
			       log_quote(host).text);
	snprintf(address, REACH_MAX, "%s:%hu", host, number);
	return 0;
}
