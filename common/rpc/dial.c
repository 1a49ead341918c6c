/* SPDX-License-Identifier: Apache-2.0 */
/* From a target's name to a socket that connects. */
#include "common/rpc/channel_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void dial_free(struct dial *dial)
{
	dial->channel = NULL;
	if (dial->is_looking) { /* on_found() comes and frees it */
		(void)uv_cancel((uv_req_t *)&dial->lookup);
		return;
	}
	uv_freeaddrinfo(dial->found);
	free(dial);
}

static int try_connect(struct rpc_channel *channel, int family, const struct sockaddr *address,
		       socklen_t len, struct err *e)
{
	CLEANUP(close) int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(e, ERR_UNAVAILABLE, "socket: %s", strerror(errno));
	/* A unix socket whose queue is full says EAGAIN: that is a failure too. */
	if (connect(fd, address, len) < 0 && errno != EINPROGRESS)
		return err_set(e, ERR_UNAVAILABLE, "connect: %s", strerror(errno));
	return link_open(channel, TAKE_FD(fd), e);
}

int dial_next(struct dial *dial, struct err *e)
{
	if (e->code == ERR_OK)
		err_set(e, ERR_UNAVAILABLE, "no address");
	while (dial->next) {
		const struct addrinfo *ai = dial->next;

		dial->next = ai->ai_next;
		if (try_connect(dial->channel, ai->ai_family, ai->ai_addr, ai->ai_addrlen, e) == 0)
			return 0;
	}
	return err_code(e);
}

static void on_found(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
	struct dial *dial = lookup->data;
	struct rpc_channel *channel = dial->channel;
	struct err e = { 0 };

	dial->is_looking = false;
	dial->found = dial->next = found;
	if (!channel) {
		dial_free(dial);
		return;
	}
	if (status < 0)
		err_set(&e, ERR_UNAVAILABLE, "look up %s: %s", channel->address.host,
			uv_strerror(status));
	if (status < 0 || dial_next(dial, &e) < 0)
		channel_failed(channel, &e);
}

/* An address is not looked up: no thread has to wake for it. False: it is a name. */
static bool is_address(struct dial *dial)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST,
					.ai_socktype = SOCK_STREAM };
	const struct address *a = &dial->channel->address;

	if (getaddrinfo(a->host, a->port, &hints, &dial->found) != 0)
		return false;
	dial->next = dial->found;
	return true;
}

int dial_start(struct rpc_channel *channel, struct err *e)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG,
					.ai_socktype = SOCK_STREAM };
	const struct address *a = &channel->address;
	struct dial *dial = calloc(1, sizeof(*dial));
	int r;

	if (!dial)
		return err_nomem(e);
	dial->channel = channel;
	channel->dial = dial;
	if (a->is_unix)
		return try_connect(channel, AF_UNIX, (const struct sockaddr *)&a->path,
				   sizeof(a->path), e);
	if (is_address(dial)) {
		*e = (struct err){ .code = ERR_OK };
		return dial_next(dial, e);
	}
	dial->lookup.data = dial;
	r = uv_getaddrinfo(channel->hub.loop, &dial->lookup, on_found, a->host, a->port, &hints);
	if (r < 0)
		return err_set(e, ERR_UNAVAILABLE, "look up %s: %s", a->host, uv_strerror(r));
	dial->is_looking = true;
	return 0;
}
