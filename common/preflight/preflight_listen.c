/* SPDX-License-Identifier: Apache-2.0 */
#include "common/preflight/preflight_listen.h"

#include "common/base/cleanup.h"
#include "common/preflight/preflight_place.h"
#include "common/rpc/admin_socket.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

DEFINE_CLEANUP(struct addrinfo *, freeaddrinfo)

static int try_to_bind(const struct addrinfo *at)
{
	CLEANUP(close)
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	/* As a listener does: connections of an earlier one that are closing don't count. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -1;
	if (at->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -1;
	return bind(fd, at->ai_addr, at->ai_addrlen);
}

/* "[::1]" is written with brackets in settings, and without for the resolver. */
static void bare(const char *host, char out[NI_MAXHOST])
{
	size_t len = strlen(host);

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']')
		snprintf(out, NI_MAXHOST, "%.*s", (int)(len - 2), host + 1);
	else
		snprintf(out, NI_MAXHOST, "%s", host);
}

int preflight_port(const char *host, uint16_t port, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	CLEANUP(freeaddrinfo) struct addrinfo *list = NULL;
	char name[NI_MAXHOST], number[8];
	int r;

	bare(host, name);
	snprintf(number, sizeof(number), "%u", port);
	r = getaddrinfo(*name ? name : NULL, number, &hints, &list);
	if (r)
		return err_set(e, ERR_NOT_FOUND, "address '%s': %s", host, gai_strerror(r));
	for (const struct addrinfo *at = list; at; at = at->ai_next)
		if (try_to_bind(at) < 0)
			return err_errno(e, "%s port %u", host, port);
	return port ? preflight_found(found, "%s port %u is free", host, port)
		    : preflight_found(found, "%s, any free port", host);
}

static bool somebody_listens(const struct sockaddr_un *address)
{
	CLEANUP(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* EAGAIN: its queue is full. */
	return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
			   errno == EAGAIN);
}

int preflight_socket(const char *path, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(free) char *copy = strdup(path);
	struct stat st;

	if (!copy)
		return err_nomem(e);
	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(e, ERR_INVALID, "'%s' is longer than %zu bytes", path,
			       sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return err_set(e, ERR_EXISTS, "'%s' is there and no socket", path);
	if (somebody_listens(&address))
		return err_set(e, ERR_EXISTS, "another program listens on '%s'", path);
	if (preflight_folder(dirname(copy), &(struct preflight_folder){ 0 }, found, e) < 0)
		return err_code(e);
	if (!getgrnam(ADMIN_SOCKET_GROUP))
		return preflight_found(found,
				       "'%s', for this user and root alone: there is no group "
				       "'" ADMIN_SOCKET_GROUP "'",
				       path);
	return preflight_found(found, "'%s', for group '" ADMIN_SOCKET_GROUP "'", path);
}
