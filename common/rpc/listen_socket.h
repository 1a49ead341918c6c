/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen_socket.h — a socket that listens, TCP or unix, by an address as struct rpc_listen has it.
 */
#pragma once

#include "common/rpc/socket_file.h"

struct listen_socket {
	int fd;
	unsigned port;            /* 0 for a unix socket */
	struct socket_file *file; /* of a unix socket; NULL: it is TCP */
};

/* Both are the caller's to close and free. A host name is looked up at once (blocking). */
int listen_socket_open(const char *address, const char *group, struct listen_socket *s,
		       struct err *e) MUST_CHECK;
/* Whoever closes a unix socket removes its file. */
void listen_socket_close(const struct listen_socket *s);
