/* SPDX-License-Identifier: Apache-2.0 */
/*
 * origin.h — where a connection comes from: what logs and audits call it, and whose share of places it takes.
 */
#pragma once

#include "common/rpc/source.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { RPC_ORIGIN_NAME_MAX = 128 };

struct rpc_origin {
	char name[RPC_ORIGIN_NAME_MAX]; /* "192.0.2.1:4711", "[2001:db8::1]:4711", "unix:uid=0" */
	struct rpc_source source;
	bool is_unix, has_uid;
	uid_t uid; /* if is_unix and has_uid */
	gid_t gid;
};

/* Of a socket that is connected; never fails: who can't be found out is "unknown". */
void rpc_origin_of_socket(int fd, struct rpc_origin *origin);
/* Of an address, AF_INET or AF_INET6. */
void rpc_origin_of_address(const struct sockaddr *address, struct rpc_origin *origin);
/* Of a user at another machine's unix socket; `at` is that machine's name. */
void rpc_origin_of_user(uid_t uid, gid_t gid, const char *at, struct rpc_origin *origin);
