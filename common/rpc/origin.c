/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

union origin_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};

/* Whoever has an IPv6 address has the 64 bits behind its network's to choose from. */
enum { ORIGIN_V6_PREFIX = 8 };

static void name_v4(struct rpc_origin *o, const struct in_addr *address, in_port_t port)
{
	char host[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, address, host, sizeof(host));
	snprintf(o->name, sizeof(o->name), "%s:%u", host, ntohs(port));
	o->source.bytes[0] = '4';
	memcpy(o->source.bytes + 1, address, sizeof(*address));
}

static void name_v6(struct rpc_origin *o, const struct sockaddr_in6 *a)
{
	char host[INET6_ADDRSTRLEN];

	if (IN6_IS_ADDR_V4MAPPED(&a->sin6_addr)) {
		const struct in_addr *v4 = (const void *)(a->sin6_addr.s6_addr + 12);

		name_v4(o, v4, a->sin6_port);
		return;
	}
	inet_ntop(AF_INET6, &a->sin6_addr, host, sizeof(host));
	snprintf(o->name, sizeof(o->name), "[%s]:%u", host, ntohs(a->sin6_port));
	o->source.bytes[0] = '6';
	memcpy(o->source.bytes + 1, &a->sin6_addr, ORIGIN_V6_PREFIX);
}

static void set_user(struct rpc_origin *o, uid_t uid, gid_t gid)
{
	o->is_unix = true;
	o->has_uid = uid != (uid_t)-1;
	o->uid = uid;
	o->gid = gid;
	o->source.bytes[0] = 'u';
	memcpy(o->source.bytes + 1, &uid, sizeof(uid));
}

static void name_unix(struct rpc_origin *o, int fd)
{
	struct ucred user = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(user);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &len) < 0)
		snprintf(o->name, sizeof(o->name), "unix");
	else
		snprintf(o->name, sizeof(o->name), "unix:uid=%u", (unsigned)user.uid);
	set_user(o, user.uid, user.gid);
}

void rpc_origin_of_socket(int fd, struct rpc_origin *origin)
{
	union origin_address a = { 0 };
	socklen_t len = sizeof(a);

	*origin = (struct rpc_origin){ .is_unix = false };
	if (getpeername(fd, &a.any, &len) < 0)
		snprintf(origin->name, sizeof(origin->name), "unknown");
	else if (a.any.sa_family == AF_INET || a.any.sa_family == AF_INET6)
		rpc_origin_of_address(&a.any, origin);
	else
		name_unix(origin, fd);
}

void rpc_origin_of_address(const struct sockaddr *address, struct rpc_origin *origin)
{
	*origin = (struct rpc_origin){ .is_unix = false };
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		name_v4(origin, &v4->sin_addr, v4->sin_port);
	} else {
		name_v6(origin, (const void *)address);
	}
}

void rpc_origin_of_user(uid_t uid, gid_t gid, const char *at, struct rpc_origin *origin)
{
	const size_t used = 1 + sizeof(uid), room = RPC_SOURCE_LEN - used, len = strlen(at);

	*origin = (struct rpc_origin){ .is_unix = false };
	snprintf(origin->name, sizeof(origin->name), "unix:uid=%u@%s", (unsigned)uid, at);
	set_user(origin, uid, gid);
	/* Users of two machines who have one number are two. */
	memcpy(origin->source.bytes + used, at, len < room ? len : room);
}
