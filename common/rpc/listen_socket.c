/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/listen_socket.h"

#include "common/rpc/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

DEFINE_CLEANUP(struct addrinfo *, freeaddrinfo)

/* Port of a bound socket. */
static unsigned port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { 0 };
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len) < 0)
		return 0;
	return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

static int bind_one(const struct addrinfo *ai, struct err *e)
{
	CLEANUP(close)
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
			ai->ai_protocol);
	int one = 1, zero = 0;

	if (fd < 0)
		return err_errno(e, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* "every address" is one v6 socket that takes v4 too. */
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
		return err_set(e, errno == EADDRINUSE ? ERR_EXISTS : ERR_UNAVAILABLE, "%s",
			       strerror(errno));
	return TAKE_FD(fd);
}

/* The first address of the name that can be bound; v6 first when every address is meant. */
static int bind_first(const struct address *a, struct err *e)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
					.ai_socktype = SOCK_STREAM };
	CLEANUP(freeaddrinfo) struct addrinfo *found = NULL;
	int r = getaddrinfo(a->host[0] ? a->host : NULL, a->port, &hints, &found);

	if (r != 0)
		return err_set(e, ERR_UNAVAILABLE, "%s", gai_strerror(r));
	for (unsigned pass = 0; pass < 2; pass++) {
		for (const struct addrinfo *ai = found; ai; ai = ai->ai_next) {
			bool wanted = a->host[0] || (ai->ai_family == AF_INET6) == (pass == 0);
			int fd = wanted ? bind_one(ai, e) : -1;

			if (fd >= 0)
				return fd;
		}
	}
	return err_code(e);
}

int listen_socket_open(const char *address, const char *group, struct listen_socket *s,
		       struct err *e)
{
	struct listen_socket opened = { .fd = -1 };
	struct address a;

	if (address_parse(address, &a, e) < 0)
		return err_code(e);
	if (a.is_unix) {
		if (socket_file_open(&a.path, group, &opened.file, &opened.fd, e) < 0)
			return err_wrap(e, "listen on %s", address);
		*s = opened;
		return 0;
	}
	err_set(e, ERR_UNAVAILABLE, "no address");
	opened.fd = bind_first(&a, e);
	if (opened.fd < 0)
		return err_wrap(e, "listen on %s", address);
	opened.port = port_of(opened.fd);
	*s = opened;
	return 0;
}

void listen_socket_close(const struct listen_socket *s)
{
	close(s->fd);
	socket_file_free(s->file);
}
