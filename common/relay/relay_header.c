/* SPDX-License-Identifier: Apache-2.0 */
#include "common/relay/relay_header.h"

#include "common/access/access_table.h"
#include "common/base/reader.h"

#include <errno.h>
#include <string.h>

static const uint8_t magic[4] = { 'c', 'p', 'a', 's' };

enum {
	VERSION = 1,
	FAMILY_V4 = '4',
	FAMILY_V6 = '6',
	FAMILY_UNIX = 'u',
	V4_LEN = 4,
	V6_LEN = 16,
	/* Where each begins; from 9 to the port is what has to be zero. */
	AT_VERSION = 4,
	AT_DOOR = 5,
	AT_FAMILY = 6,
	AT_PORT = 8,
	AT_ADDRESS = 12,
	AT_UID = 28,
	AT_GID = 32,
	AT_NAME = 36,
};

const char *relay_door_name(enum relay_door door)
{
	static const char *const names[RELAY_DOORS] = {
		[RELAY_AGENTS] = "agents",
		[RELAY_ADMINS] = "administrators",
		[RELAY_PAGE] = "page",
		[RELAY_ADMIN_SOCKET] = "administrators' socket",
	};

	return names[door];
}

/* ---- of a socket ---- */

static void make_v4(struct relay_header *h, const struct sockaddr_in6 *v6)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = v6->sin6_port };

	memcpy(&v4.sin_addr, v6->sin6_addr.s6_addr + V6_LEN - V4_LEN, V4_LEN);
	h->from.v4 = v4;
}

static int find_user(int fd, struct relay_header *h, struct err *e)
{
	struct ucred user = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(user);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &len) < 0 || user.uid == (uid_t)-1)
		return err_set(e, ERR_UNAVAILABLE, "nobody knows who is at its other end");
	h->from.any.sa_family = AF_UNIX;
	h->uid = user.uid;
	h->gid = user.gid;
	return 0;
}

int relay_header_of(int fd, enum relay_door door, const char *instance, struct relay_header *header,
		    struct err *e)
{
	struct relay_header h = { .door = door };
	socklen_t len = sizeof(h.from);

	strncpy(h.instance, instance, RELAY_NAME_MAX);
	if (door == RELAY_ADMIN_SOCKET) {
		if (find_user(fd, &h, e) < 0)
			return err_code(e);
	} else if (getpeername(fd, &h.from.any, &len) < 0) {
		return err_set(e, ERR_UNAVAILABLE, "%s", strerror(errno));
	} else if (h.from.any.sa_family == AF_INET6) {
		const struct sockaddr_in6 v6 = h.from.v6;

		if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
			make_v4(&h, &v6);
	} else if (h.from.any.sa_family != AF_INET) {
		return err_set(e, ERR_UNAVAILABLE, "it is no connection of TCP");
	}
	*header = h;
	return 0;
}

/* ---- bytes ---- */

static void put_be(uint8_t *at, size_t width, uint32_t value)
{
	while (width-- > 0) {
		at[width] = (uint8_t)value;
		value >>= 8;
	}
}

void relay_header_write(const struct relay_header *h, uint8_t bytes[RELAY_HEADER_LEN])
{
	memset(bytes, 0, RELAY_HEADER_LEN);
	memcpy(bytes, magic, sizeof(magic));
	bytes[AT_VERSION] = VERSION;
	bytes[AT_DOOR] = (uint8_t)h->door;
	switch (h->from.any.sa_family) {
	case AF_INET:
		bytes[AT_FAMILY] = FAMILY_V4;
		put_be(bytes + AT_PORT, 2, ntohs(h->from.v4.sin_port));
		memcpy(bytes + AT_ADDRESS, &h->from.v4.sin_addr, V4_LEN);
		break;
	case AF_INET6:
		bytes[AT_FAMILY] = FAMILY_V6;
		put_be(bytes + AT_PORT, 2, ntohs(h->from.v6.sin6_port));
		memcpy(bytes + AT_ADDRESS, &h->from.v6.sin6_addr, V6_LEN);
		break;
	default:
		bytes[AT_FAMILY] = FAMILY_UNIX;
		put_be(bytes + AT_UID, 4, h->uid);
		put_be(bytes + AT_GID, 4, h->gid);
		break;
	}
	memcpy(bytes + AT_NAME, h->instance, strlen(h->instance));
}

static void read_v4(struct reader *r, uint16_t port, struct relay_header *h)
{
	h->from.v4.sin_family = AF_INET;
	h->from.v4.sin_port = htons(port);
	reader_copy(r, &h->from.v4.sin_addr, V4_LEN);
	reader_zeros(r, V6_LEN - V4_LEN);
	reader_zeros(r, 8);
}

static void read_v6(struct reader *r, uint16_t port, struct relay_header *h)
{
	h->from.v6.sin6_family = AF_INET6;
	h->from.v6.sin6_port = htons(port);
	reader_copy(r, &h->from.v6.sin6_addr, V6_LEN);
	reader_zeros(r, 8);
	if (IN6_IS_ADDR_V4MAPPED(&h->from.v6.sin6_addr))
		r->bad = true;
}

static void read_user(struct reader *r, uint16_t port, struct relay_header *h)
{
	h->from.any.sa_family = AF_UNIX;
	reader_zeros(r, V6_LEN);
	h->uid = reader_be32(r);
	h->gid = reader_be32(r);
	if (port || h->uid == (uid_t)-1)
		r->bad = true;
}

static void read_from(struct reader *r, uint8_t family, uint16_t port, struct relay_header *h)
{
	if (family == FAMILY_V4)
		read_v4(r, port, h);
	else if (family == FAMILY_V6)
		read_v6(r, port, h);
	else if (family == FAMILY_UNIX)
		read_user(r, port, h);
	else
		r->bad = true;
}

int relay_header_read(const uint8_t *bytes, size_t len, struct relay_header *header, struct err *e)
{
	struct relay_header h = { .door = RELAY_AGENTS };
	struct reader r = reader_over(bytes, len);
	uint8_t found[sizeof(magic)], version, door, family;
	uint16_t port;
	size_t name;

	reader_copy(&r, found, sizeof(found));
	version = reader_u8(&r);
	door = reader_u8(&r);
	family = reader_u8(&r);
	reader_zeros(&r, 1);
	port = reader_be16(&r);
	reader_zeros(&r, 2);
	read_from(&r, family, port, &h);
	reader_copy(&r, h.instance, sizeof(h.instance));
	if (!reader_done(&r) || memcmp(found, magic, sizeof(magic)) != 0)
		return err_set(e, ERR_INVALID, "%zu bytes are no header of a connection passed on",
			       len);
	if (version != VERSION)
		return err_set(e, ERR_INVALID,
			       "a header of version %u: give all instances the same version",
			       version);
	if (door >= RELAY_DOORS || (door == RELAY_ADMIN_SOCKET) != (family == FAMILY_UNIX))
		return err_set(e, ERR_INVALID, "a header of door %u, family %u", door, family);
	name = strnlen(h.instance, sizeof(h.instance));
	if (name == sizeof(h.instance) || !access_name_is_valid(h.instance))
		return err_set(e, ERR_INVALID, "a header that names no instance");
	for (size_t i = name; i < sizeof(h.instance); i++)
		if (h.instance[i])
			return err_set(e, ERR_INVALID, "a header with bytes behind its name");
	h.door = (enum relay_door)door;
	*header = h;
	return 0;
}

void relay_header_origin(const struct relay_header *h, struct rpc_origin *origin)
{
	if (h->from.any.sa_family == AF_UNIX)
		rpc_origin_of_user(h->uid, h->gid, h->instance, origin);
	else
		rpc_origin_of_address(&h->from.any, origin);
}
